//! Mailed links and the short codes that stand beside them: bound to a purpose, expiring, used once.

use crate::{closed_list::closed_list, mail::MailTemplate, secret::SecretText, text, time::Timestamp};
use std::time::Duration;

closed_list! {
    /// What a link or code may be used for. One for another purpose is no link at all. The name
    /// stands in its rows, and its codes are bound to it.
    pub enum ActionPurpose {
        /// Turns a registration into an account.
        VerifyAddress = "verify_address",
        /// Sets a new password.
        ResetPassword = "reset_password",
        /// Moves an account to a new address.
        ConfirmNewAddress = "confirm_new_address",
    }
}

/// The longest life that a mailed link may be given. Keys that sealed one are kept for this long.
pub const LONGEST_LINK_LIFE: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// How long the link lives that sets the first password of an account that an operator made.
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

    /// The same in a certain mail. Who asked for a new password waits for it; who was given an account does not.
    pub fn link_in(&self, purpose: ActionPurpose, mail: MailTemplate) -> Duration {
        match mail {
            MailTemplate::AccountCreated => FIRST_PASSWORD_LIFE,
            _ => self.link(purpose),
        }
    }

    /// How long the code beside the link lives: never longer than the link.
    pub fn code(&self, purpose: ActionPurpose) -> Duration {
        self.code.min(self.link(purpose))
    }
}

/// Digits in a code. Five tries at 10^8 codes stay far below the one in a million of NIST SP 800-63B-4 section 3.1.3.2.
pub const CODE_DIGITS: usize = 8;

/// Bytes in a code as it is typed, at most: a digit has up to four, and so has what stands between two.
const MAX_TYPED_BYTES: usize = 128;

fn is_hyphen(c: char) -> bool {
    matches!(c, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{FF0D}')
}

/// Bytes in the token of a link, at most; more than any of ours has.
pub const MAX_LINK_TOKEN_BYTES: usize = 1_024;
/// Bytes in what is pasted in place of a token, at most.
const MAX_PASTED_BYTES: usize = 16 * 1_024;
/// How every token of a link begins (PASETO).
const TOKEN_BEGINS: &str = "v4.local.";

/// The token in what a person, a page or a gateway for mail brings back: the token itself, the whole link, or a text
/// that the link stands in. What mail programs put around a link, `>` and `.` and `&utm_source=mail` and the `%3D` of
/// an encoded `=`, is no part of it, and neither is the line end of a link that was broken in two. Whatever has no
/// token in it is returned without white space at its ends.
///
/// `None` for what is longer than any token.
pub fn link_token(pasted: &str) -> Option<SecretText> {
    if pasted.len() > MAX_PASTED_BYTES {
        return None;
    }
    let pasted = text::trimmed(pasted);
    // A link that was broken has line ends in it and nothing else that is white; a sentence has spaces, which end the
    // link.
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

    /// Reads what a person typed or pasted: eight digits of any script, with white space, hyphens and invisible marks
    /// of any kind wherever they are.
    pub fn parse(typed: &str) -> Option<Self> {
        if typed.len() > MAX_TYPED_BYTES {
            return None;
        }
        let is_between = |c: char| c.is_whitespace() || is_hyphen(c) || text::is_default_ignorable(c);
        let digits: Option<String> = typed
            .chars()
            .filter(|c| !is_between(*c))
            .map(|c| text::digit(c).map(|value| char::from(b'0' + value)))
            .collect();
        // Taken over first, so that it is wiped whatever becomes of it.
        let digits = SecretText::new(digits?);
        (digits.reveal().len() == CODE_DIGITS).then_some(Self(digits))
    }

    /// The eight digits.
    pub fn reveal(&self) -> &str {
        self.0.reveal()
    }

    /// As it is shown: two groups of four.
    pub fn shown(&self) -> SecretText {
        let (left, right) = self.0.reveal().split_at(CODE_DIGITS / 2);
        SecretText::new(format!("{left} {right}"))
    }
}

/// What is known of a link that could not be used.
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

/// Judges a link that the conditional statement did not find usable.
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
