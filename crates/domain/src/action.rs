//! Mailed links and the short codes that stand beside them: bound to a purpose, expiring, used once.

use crate::{mail::MailTemplate, secret::SecretText, time::Timestamp};
use std::time::Duration;

/// What a link or code may be used for. One for another purpose is no link at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ActionPurpose {
    /// Turns a registration into an account.
    VerifyAddress,
    /// Sets a new password.
    ResetPassword,
    /// Moves an account to a new address.
    ConfirmNewAddress,
}

impl ActionPurpose {
    pub const ALL: [Self; 3] = [Self::VerifyAddress, Self::ResetPassword, Self::ConfirmNewAddress];

    /// The name of its rows, and what its codes are bound to.
    pub fn name(self) -> &'static str {
        match self {
            Self::VerifyAddress => "verify_address",
            Self::ResetPassword => "reset_password",
            Self::ConfirmNewAddress => "confirm_new_address",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|purpose| purpose.name() == name)
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

/// A code as it is mailed: eight digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActionCode(SecretText);

impl ActionCode {
    /// A code from random bits. The bias of the modulus is below 2^-37.
    pub fn new(random: [u8; 8]) -> Self {
        let number = u64::from_le_bytes(random) % 10_u64.pow(CODE_DIGITS as u32);
        Self(SecretText::new(format!("{number:0width$}", width = CODE_DIGITS)))
    }

    /// Reads what a person typed: eight digits, with spaces or hyphens where they like them.
    pub fn parse(typed: &str) -> Option<Self> {
        if typed.len() > 4 * CODE_DIGITS {
            return None;
        }
        let digits: String = typed.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
        (digits.len() == CODE_DIGITS && digits.bytes().all(|b| b.is_ascii_digit()))
            .then(|| Self(SecretText::new(digits)))
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
        for typed in ["01234567", "0123 4567", "0123-4567", " 01 23 45 67 "] {
            assert_eq!(ActionCode::parse(typed), Some(code.clone()), "{typed}");
        }
        for typed in ["", "1234567", "012345678", "0123456x", "٠١٢٣٤٥٦٧", &" ".repeat(1000)] {
            assert_eq!(ActionCode::parse(typed), None, "{typed}");
        }
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
