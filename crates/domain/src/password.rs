//! Passwords: what may become one, and what a person typed who claims to know one.
//!
//! The policy is that of NIST SP 800-63B-4 section 3.1.1.2: long, any printable Unicode, no composition rules, and not
//! what everybody else uses. The comparison with the list of common passwords is made on the whole candidate in each of
//! its obvious disguises, so that a minimum of 15 characters does not turn `password` into `password1234567`.
//!
//! Of a long candidate, the comparison looks at the first 128 characters. So its work is bounded, and what lies behind
//! them makes no password refused. Nor does it make one admitted: no text is cheaper as a whole than its beginning is.
//!
//! There are two steps, because they stand in different places of a use case: [`PasswordPolicy::read`] says what is
//! wrong with the text as such and costs next to nothing, [`PasswordPolicy::admit`] guesses at it.

mod blocklist;
mod breached;
mod guessing;
mod identifier;
mod keyboard;
mod population;
mod reading;

pub use breached::{BreachDigest, UnreadableRange, read_listed};
pub use population::Population;

use crate::secret::SecretText;
use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

/// Canonical composition can shorten a text, so more bytes are read than may remain. Precomposed letters with several
/// marks and Hangul syllables shrink to a third.
const BYTES_READ_PER_BYTE_KEPT: usize = 3;
/// Canonical composition can lengthen a text in UTF-8, three times at the most (Unicode TR 15, section 9).
const NFC_GROWTH: usize = 3;

/// What a new password must satisfy. Lengths are those of the text in NFC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PasswordPolicy {
    /// Unicode code points, at least: 15 where the password stands alone, 8 beside a second factor.
    pub min_chars: usize,
    /// Bytes of UTF-8, at most. A bound on the work, not on the imagination.
    pub max_bytes: usize,
}

impl Default for PasswordPolicy {
    fn default() -> Self {
        Self { min_chars: 15, max_bytes: 1024 }
    }
}

/// A password in NFC, fit for hashing: the same text typed on two keyboards is the same password.
///
/// Whether anybody would be allowed to choose it is another question: see [`NewPassword`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Password(SecretText);

/// A text that has the form of a password: long enough, not too long, without control characters. Whether it is a
/// common one was not looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate(Password);

/// A password that the policy has admitted. Only [`PasswordPolicy::admit`] makes one, so whoever holds it need not ask
/// whether the policy ran.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPassword(Password);

/// Why a text cannot become a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordRejected {
    /// Fewer characters than `min`.
    TooShort { min: usize },
    /// More bytes of UTF-8 than `max`.
    TooLong { max: usize },
    /// A control character, such as NUL or a line break.
    ForbiddenCharacter,
    /// Listed among common passwords, or one of them in disguise.
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

    /// The stable name of the reason, for programs.
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
    /// Reads what somebody wants for a password. Linear in its length, and cheap.
    ///
    /// # Errors
    /// The first rule about the form of passwords that it breaks.
    pub fn read(&self, text: &SecretText) -> Result<Candidate, PasswordRejected> {
        let too_long = PasswordRejected::TooLong { max: self.max_bytes };
        let password = Password::presented(text, self.max_bytes).ok_or(too_long)?;
        let text = password.reveal();
        if text.chars().any(|c| c.general_category() == GeneralCategory::Control) {
            return Err(PasswordRejected::ForbiddenCharacter);
        }
        if text.chars().count() < self.min_chars {
            return Err(PasswordRejected::TooShort { min: self.min_chars });
        }
        Ok(Candidate(password))
    }

    /// The candidate as a new password, if it is none that others would try first. The work is bounded, and a hundred
    /// times that of [`PasswordPolicy::read`]: whoever is to be turned away for another reason should be before.
    ///
    /// `identifiers` are the texts anybody could guess about this person: address, user name, shown name. The name of
    /// this service is always among them.
    ///
    /// # Errors
    /// That it is too common, or too close to the identifiers.
    pub fn accept(&self, candidate: Candidate, identifiers: &[&str]) -> Result<NewPassword, PasswordRejected> {
        let judged = reading::judged(candidate.0.reveal());
        if guessing::is_common(&judged) {
            return Err(PasswordRejected::TooCommon);
        }
        if identifier::is_little_more_than(&judged, identifiers) {
            return Err(PasswordRejected::ContainsIdentifier);
        }
        Ok(NewPassword(candidate.0))
    }
}

impl Password {
    /// What is hashed in place of something too long to be a password, so that it costs as much as one.
    pub fn stand_in() -> Self {
        Self(SecretText::new(String::from(" ")))
    }

    /// What somebody typed who claims to know a password: normalised and bounded, nothing else. `None` when it is
    /// longer than any password can be, and therefore wrong.
    pub fn presented(text: &SecretText, max_bytes: usize) -> Option<Self> {
        let text = text.reveal();
        // Bounded before the normalisation, which is linear but not free.
        if text.len() > max_bytes.saturating_mul(BYTES_READ_PER_BYTE_KEPT) {
            return None;
        }
        // Room for the longest outcome: a text that grows while it is written leaves pieces of itself behind unwiped.
        let mut normalised = String::with_capacity(text.len() * NFC_GROWTH);
        normalised.extend(text.nfc());
        let password = Self(SecretText::new(normalised));
        (password.reveal().len() <= max_bytes).then_some(password)
    }

    /// The password itself. Every use of this word is a place to look at in a review.
    pub fn reveal(&self) -> &str {
        self.0.reveal()
    }
}

impl NewPassword {
    /// The password, for hashing.
    pub fn password(&self) -> &Password {
        &self.0
    }
}

#[cfg(test)]
mod tests;
