//! Whether a password is known from breaches, according to a range service or a file on this machine.
//!
//! The lists hold SHA-1 hashes. A range service learns the first five of their forty digits and nothing else; a file
//! reveals nothing at all. Passwords are never stored or sent as SHA-1: the hash is computed for the query and wiped.

mod compile;
mod file;
mod range;
#[cfg(test)]
mod tests;

pub use compile::{CompileFault, Compiled, compile};
pub use file::{BreachFile, BreachFileFault};
pub use range::RangeService;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use countersign_domain::password::{BreachDigest, NewPassword};

/// A list of breached passwords.
#[derive(Clone, Debug)]
pub enum BreachList {
    Range(RangeService),
    File(BreachFile),
}

/// Why the query failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BreachFault {
    /// Too many queries are in progress.
    Busy,
    TimedOut,
    Unreachable,
    /// The range service answered with an error.
    Refused,
    /// The answer, or the file, is invalid.
    Unreadable,
}

impl BreachFault {
    /// The name in metrics and in the log.
    pub fn name(self) -> &'static str {
        match self {
            Self::Busy => "busy",
            Self::TimedOut => "timed_out",
            Self::Unreachable => "unreachable",
            Self::Refused => "refused",
            Self::Unreadable => "unreadable",
        }
    }
}

impl BreachList {
    /// Whether the password is listed.
    ///
    /// # Errors
    /// When the query failed.
    pub async fn holds(&self, password: &NewPassword) -> Result<bool, BreachFault> {
        let hash = digest(&SHA1_FOR_LEGACY_USE_ONLY, password.password().reveal().as_bytes());
        let hash = BreachDigest::new(hash.as_ref().try_into().map_err(|_| BreachFault::Unreadable)?);
        match self {
            Self::Range(service) => service.holds(&hash).await,
            Self::File(file) => file.holds(hash).await,
        }
    }
}
