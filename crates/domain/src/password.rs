//! Passwords: which texts may become one, and how a typed password is read.
//!
//! The policy is that of NIST SP 800-63B-4 section 3.1.1.2: long, any printable Unicode, no composition rules, and no
//! common password. The comparison with the list of common passwords covers the whole candidate in each of its obvious
//! disguises, so that a minimum of 15 characters does not turn `password` into `password1234567`.
//!
//! The comparison reads the first 128 characters of a candidate, so its work is bounded. The rest neither makes a
//! candidate refused nor accepted: no text is cheaper as a whole than its beginning is.
//!
//! There are two steps, because a use case runs them at different times: [`PasswordPolicy::read`] checks the form and
//! costs next to nothing, [`PasswordPolicy::accept`] estimates how easily an attacker finds the password.

mod blocklist;
mod breached;
mod guessing;
mod identifier;
mod keyboard;
mod population;
mod reading;

pub use breached::{BreachDigest, UnreadableRange, read_listed};
pub use population::Population;

use crate::{account::Account, secret::SecretText};
use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

/// Canonical composition can shorten a text, so more bytes are read than may remain. Precomposed letters with several
/// marks and Hangul syllables shrink to a third.
const BYTES_READ_PER_BYTE_KEPT: usize = 3;
/// Canonical composition can lengthen a text in UTF-8, at most three times (Unicode TR 15, section 9).
const NFC_GROWTH: usize = 3;

/// The rules for a new password. Lengths are those of the text in NFC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PasswordPolicy {
    /// The fewest Unicode code points where the password is the only factor: 15 (NIST SP 800-63B-4 section 3.1.1.2).
    pub min_chars: usize,
    /// The fewest beside another factor: 8. Never more than `min_chars`.
    pub min_chars_with_factor: usize,
    /// The most bytes of UTF-8, to bound the work.
    pub max_bytes: usize,
}

impl Default for PasswordPolicy {
    fn default() -> Self {
        Self { min_chars: 15, min_chars_with_factor: 8, max_bytes: 1024 }
    }
}

/// A password in NFC, ready for hashing: the same text typed on two keyboards is the same password.
///
/// It need not be a password that the policy accepts: see [`NewPassword`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Password(SecretText);

/// A text with the form of a password: not too long, without control characters, and long enough beside a factor. It
/// may still be a common one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate(Password);

/// A password that the policy accepted. Only [`PasswordPolicy::accept`] makes one, so its type proves that the policy
/// ran.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPassword {
    password: Password,
    needs_factor: bool,
}

/// What a new password is for: with another factor it may be shorter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordPurpose {
    /// The password is the only factor.
    Alone,
    /// The account has another factor.
    WithFactor,
}

impl PasswordPurpose {
    /// The purpose of a new password of an account as it is.
    pub fn of(account: &Account) -> Self {
        if account.has_factor() { Self::WithFactor } else { Self::Alone }
    }
}

/// Why a text cannot become a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordRejected {
    /// Fewer characters than `min`.
    TooShort { min: usize },
    /// More bytes of UTF-8 than `max`.
    TooLong { max: usize },
    /// A control character, such as NUL or a line break.
    ForbiddenCharacter,
    /// A common password, or one in disguise.
    TooCommon,
    /// Little more than the person's own name or address, or the name of this service.
    ContainsIdentifier,
}

impl PasswordRejected {
    /// One sentence for the person, without the password in it.
    pub fn describe(self) -> String {
        match self {
            Self::TooShort { min } => format!("has fewer than {min} characters"),
            Self::TooLong { max } => format!("is longer than {max} bytes"),
            Self::ForbiddenCharacter => "contains a control character".to_owned(),
            Self::TooCommon => "is a common password, or one with small changes".to_owned(),
            Self::ContainsIdentifier => {
                "is little more than your name, your address or the name of this service".to_owned()
            }
        }
    }

    /// The name of the reason, for programs. It never changes.
    pub fn reason(self) -> &'static str {
        match self {
            Self::TooShort { .. } => "PASSWORD_TOO_SHORT",
            Self::TooLong { .. } => "PASSWORD_TOO_LONG",
            Self::ForbiddenCharacter => "PASSWORD_FORBIDDEN_CHARACTER",
            Self::TooCommon => "PASSWORD_TOO_COMMON",
            Self::ContainsIdentifier => "PASSWORD_CONTAINS_IDENTIFIER",
        }
    }
}

impl PasswordPolicy {
    /// Checks the form of a new password. Linear in its length, and cheap.
    ///
    /// # Errors
    /// The first rule about the form that it breaks.
    pub fn read(&self, text: &SecretText, purpose: PasswordPurpose) -> Result<Candidate, PasswordRejected> {
        let too_long = PasswordRejected::TooLong { max: self.max_bytes };
        let password = Password::presented(text, self.max_bytes).ok_or(too_long)?;
        let text = password.reveal();
        if text.chars().any(|c| c.general_category() == GeneralCategory::Control) {
            return Err(PasswordRejected::ForbiddenCharacter);
        }
        self.check_length(&password, purpose)?;
        Ok(Candidate(password))
    }

    fn check_length(&self, password: &Password, purpose: PasswordPurpose) -> Result<(), PasswordRejected> {
        let min = match purpose {
            PasswordPurpose::Alone => self.min_chars,
            PasswordPurpose::WithFactor => self.min_chars_with_factor,
        };
        if password.chars() < min { Err(PasswordRejected::TooShort { min }) } else { Ok(()) }
    }

    /// Accepts the candidate as a new password, if an attacker would not try it early. The work is bounded, and about a
    /// hundred times that of [`PasswordPolicy::read`], so the caller should make every cheaper check first.
    ///
    /// `identifiers` are the texts that anybody can know about this person: address, user name, display name. The name
    /// of this service is always added.
    ///
    /// # Errors
    /// That it is too short for its use, too common, or too close to the identifiers.
    pub fn accept(
        &self,
        candidate: Candidate,
        purpose: PasswordPurpose,
        identifiers: &[&str],
    ) -> Result<NewPassword, PasswordRejected> {
        self.check_length(&candidate.0, purpose)?;
        let needs_factor = candidate.0.chars() < self.min_chars;
        let judged = reading::judged(candidate.0.reveal());
        if guessing::is_common(&judged) {
            return Err(PasswordRejected::TooCommon);
        }
        if identifier::is_little_more_than(&judged, identifiers) {
            return Err(PasswordRejected::ContainsIdentifier);
        }
        Ok(NewPassword { password: candidate.0, needs_factor })
    }
}

impl Password {
    /// Hashed in place of a text that is too long to be a password, so that the response time is the same.
    pub fn stand_in() -> Self {
        Self(SecretText::new(String::from(" ")))
    }

    /// Reads a typed password to compare it with the stored one: normalized and bounded, nothing else. `None` when it
    /// is longer than any password can be, and therefore wrong.
    pub fn presented(text: &SecretText, max_bytes: usize) -> Option<Self> {
        let text = text.reveal();
        // Bounded before the normalisation, which is linear but not free.
        if text.len() > max_bytes.saturating_mul(BYTES_READ_PER_BYTE_KEPT) {
            return None;
        }
        // Enough capacity for the longest result: a string that grows while it is written leaves unwiped copies behind.
        let mut normalised = String::with_capacity(text.len() * NFC_GROWTH);
        normalised.extend(text.nfc());
        let password = Self(SecretText::new(normalised));
        (password.reveal().len() <= max_bytes).then_some(password)
    }

    fn chars(&self) -> usize {
        self.0.reveal().chars().count()
    }

    /// The password itself. Reviews should look at every use of this word.
    pub fn reveal(&self) -> &str {
        self.0.reveal()
    }
}

impl NewPassword {
    /// The password, for hashing.
    pub const fn password(&self) -> &Password {
        &self.password
    }

    /// Whether it is too short to be the only factor.
    pub const fn needs_factor(&self) -> bool {
        self.needs_factor
    }
}

#[cfg(test)]
mod tests;
