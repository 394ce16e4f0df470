//! Mailed links and their short codes: bound to a purpose, expiring, single-use.

use crate::{closed_list::closed_list, mail::MailTemplate, secret::SecretText, text, time::Timestamp};
use std::time::Duration;

closed_list! {
    /// What a link or code may be used for. A link for another purpose is refused as invalid. The name is stored in the
    /// rows of actions, and the MAC of a code covers it.
    pub enum ActionPurpose {
        /// Turns a registration into an account.
        VerifyAddress = "verify_address",
        /// Sets a new password.
        ResetPassword = "reset_password",
        /// Moves an account to a new address.
        ConfirmNewAddress = "confirm_new_address",
    }
}

/// The longest life of a mailed link that settings allow. Keys that sealed a link are kept for this long.
pub const LONGEST_LINK_LIFE: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// How long the link that sets the first password lives, for an account that an operator created.
const FIRST_PASSWORD_LIFE: Duration = Duration::from_secs(24 * 60 * 60);

/// How long links and codes live, and how often a code may be tried.
#[derive(Clone, Copy, Debug)]
pub struct ActionLives {
    pub verify: Duration,
    pub reset: Duration,
    pub email_change: Duration,
    pub code: Duration,
    pub code_tries: u16,
}

impl ActionLives {
    /// How long the link of this purpose lives.
    pub fn link(&self, purpose: ActionPurpose) -> Duration {
        match purpose {
            ActionPurpose::VerifyAddress => self.verify,
            ActionPurpose::ResetPassword => self.reset,
            ActionPurpose::ConfirmNewAddress => self.email_change,
        }
    }

    /// How long the link of this purpose lives in this mail. A person who requested a new password waits for the mail;
    /// a person whose account an operator created does not.
    pub fn link_in(&self, purpose: ActionPurpose, mail: MailTemplate) -> Duration {
        match mail {
            MailTemplate::AccountCreated => FIRST_PASSWORD_LIFE,
            _ => self.link(purpose),
        }
    }

    /// How long the code of the same mail lives: never longer than the link.
    pub fn code(&self, purpose: ActionPurpose) -> Duration {
        self.code.min(self.link(purpose))
    }
}

/// Digits in a code. Five tries at 10^8 codes stay far below the one in a million of NIST SP 800-63B-4 section 3.1.3.2.
pub const CODE_DIGITS: usize = 8;

/// The most bytes of the token of a link: more than any token of this service has.
pub const MAX_LINK_TOKEN_BYTES: usize = 1_024;
/// The most bytes of a pasted text.
const MAX_PASTED_BYTES: usize = 16 * 1_024;
/// The first characters of every token of a link (PASETO).
const TOKEN_BEGINS: &str = "v4.local.";

/// Finds the token in a text that a person, a page or a mail gateway sends back: the token itself, the whole link, or a
/// text that contains the link. Characters that mail programs add around a link (`>`, `.`, `&utm_source=mail`, the
/// `%3D` of an encoded `=`) are dropped, and so is the line end within a broken link. A text without a token is
/// returned without white space at its ends.
///
/// `None` for a text that is longer than any token.
pub fn link_token(pasted: &str) -> Option<SecretText> {
    if pasted.len() > MAX_PASTED_BYTES {
        return None;
    }
    let pasted = text::trimmed(pasted);
    // A broken link contains line ends and no other white space. A sentence contains spaces, which end the link.
    let is_broken_link = !pasted.contains([' ', '\u{A0}']);
    let is_left_out = |c: &char| text::is_default_ignorable(*c) || (is_broken_link && c.is_whitespace());
    let whole = SecretText::new(pasted.chars().filter(|c| !is_left_out(c)).collect());
    let token = match whole.reveal().find(TOKEN_BEGINS) {
        Some(start) => {
            let rest = &whole.reveal()[start..];
            let is_token = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
            rest[..rest.find(|c| !is_token(c)).unwrap_or(rest.len())].trim_end_matches('.')
        }
        None => whole.reveal(),
    };
    (token.len() <= MAX_LINK_TOKEN_BYTES).then(|| SecretText::new(token.to_owned()))
}

/// A code as it is mailed: eight digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActionCode(SecretText);

impl ActionCode {
    /// A code from random bits. The bias of the modulus is below 2^-37.
    pub fn new(random: [u8; 8]) -> Self {
        let number = u64::from_le_bytes(random) % 10_u64.pow(CODE_DIGITS as u32);
        Self(SecretText::new(format!("{number:0width$}", width = CODE_DIGITS)))
    }

    /// Reads a code that a person typed or pasted: eight digits of any script, with white space, hyphens and invisible
    /// marks anywhere.
    pub fn parse(typed: &str) -> Option<Self> {
        text::typed_digits(typed, CODE_DIGITS).map(Self)
    }

    /// The eight digits.
    pub fn reveal(&self) -> &str {
        self.0.reveal()
    }

    /// As mails show it: two groups of four.
    pub fn shown(&self) -> SecretText {
        let (left, right) = self.0.reveal().split_at(CODE_DIGITS / 2);
        SecretText::new(format!("{left} {right}"))
    }
}

/// What the store knows of a link that could not be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ActionFacts {
    pub expires_at: Timestamp,
    pub used_at: Option<Timestamp>,
}

/// Why a link could not be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkRefused {
    Invalid,
    Expired,
    Used,
}

/// Says why a link is refused that the conditional statement did not redeem.
pub fn judge_link(facts: Option<ActionFacts>, now: Timestamp) -> LinkRefused {
    match facts {
        Some(ActionFacts { used_at: Some(_), .. }) => LinkRefused::Used,
        Some(ActionFacts { expires_at, .. }) if expires_at <= now => LinkRefused::Expired,
        _ => LinkRefused::Invalid,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_however_people_type_it() {
        let code = ActionCode::new(1_234_567_u64.to_le_bytes());
        assert_eq!(code.reveal(), "01234567");
        for typed in [
            "01234567",
            "0123 4567",
            "0123-4567",
            " 01 23 45 67 ",
            "0123\u{A0}4567",
            "0123\t4567\r\n",
            "\u{FEFF}0123\u{200B}4567\u{3000}",
            "0123–4567",
            "０１２３　４５６７",
            "٠١٢٣٤٥٦٧",
            "۰۱۲۳۴۵۶۷",
        ] {
            assert_eq!(ActionCode::parse(typed), Some(code.clone()), "{typed:?}");
        }
        for typed in ["", "1234567", "012345678", "0123456x", "0123456²", "0123456①", "01234567.", &" ".repeat(1000)]
        {
            assert_eq!(ActionCode::parse(typed), None, "{typed:?}");
        }
    }

    #[test]
    fn the_token_of_a_link_is_found_whatever_a_gateway_made_of_the_link() {
        let token = "v4.local.abc-DEF_123.kid0";
        let read = |pasted: &str| link_token(pasted).map(|token| token.reveal().to_owned());
        for pasted in [
            "{}",
            " {}\u{A0}\r\n",
            "https://id.example.org/verify#token={}",
            "<https://id.example.org/verify#token={}>",
            "https://id.example.org/verify#token={}.",
            "https://id.example.org/verify#token={}...",
            "https://id.example.org/verify#token={}&utm_source=mail",
            "https://id.example.org/verify%23token%3D{}%26utm",
            "https://id.example.org/verify/#token=3D{}",
            "https://gateway.example.com/?url=https%3A%2F%2Fid.example.org%2Fverify%23token%3D{}&data=05",
            "Please open https://id.example.org/verify#token={} now.",
            "\u{200B}{}\u{FEFF}",
        ] {
            assert_eq!(read(&pasted.replace("{}", token)).as_deref(), Some(token), "{pasted:?}");
        }
        assert_eq!(read("https://id.example.org/verify#token=v4.local.abc-\r\nDEF_123.kid0").as_deref(), Some(token));
        assert_eq!(read("  garbage "), Some("garbage".to_owned()));
        assert_eq!(read(&format!("v4.local.{}", "a".repeat(MAX_LINK_TOKEN_BYTES))), None);
        assert_eq!(read(&"a".repeat(MAX_PASTED_BYTES + 1)), None);
    }

    #[test]
    fn a_used_link_is_used_even_after_it_expired() {
        let now = Timestamp::from_seconds(100);
        let facts = |expires: i64, used: Option<i64>| {
            Some(ActionFacts {
                expires_at: Timestamp::from_seconds(expires),
                used_at: used.map(Timestamp::from_seconds),
            })
        };
        assert_eq!(judge_link(facts(50, Some(40)), now), LinkRefused::Used);
        assert_eq!(judge_link(facts(100, None), now), LinkRefused::Expired);
        assert_eq!(judge_link(facts(101, None), now), LinkRefused::Invalid);
        assert_eq!(judge_link(None, now), LinkRefused::Invalid);
    }

    #[test]
    fn a_code_never_outlives_its_link() {
        let minute = Duration::from_secs(60);
        let lives =
            ActionLives { verify: 60 * minute, reset: minute, email_change: minute, code: 10 * minute, code_tries: 5 };
        assert_eq!(lives.code(ActionPurpose::ResetPassword), minute);
        assert_eq!(lives.code(ActionPurpose::VerifyAddress), 10 * minute);
    }
}
