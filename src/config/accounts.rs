//! `[accounts]`: what happens to accounts over time.

use super::links::Links;
use super::reader::Reader;
use super::value::{DAY, show_duration};
use std::time::Duration;

/// The upkeep of accounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accounts {
    /// How long an account is kept whose address was never verified. Never shorter than `links.verify_ttl`.
    pub unverified_retention: Duration,
    /// How long a user name that was given up is kept for its account.
    pub username_reserved: Duration,
}

impl Accounts {
    pub(super) fn read(reader: &mut Reader, links: &Links) -> Self {
        let mut section = reader.section("accounts", "The upkeep of accounts.");
        let unverified_retention = section.duration(
            "unverified_retention",
            30 * DAY,
            DAY..=365 * DAY,
            "How long an account is kept whose address was never verified. At least `links.verify_ttl`.",
        );
        let username_reserved = section.duration(
            "username_reserved",
            90 * DAY,
            Duration::ZERO..=3650 * DAY,
            "How long a user name that was given up is kept for its account, so that nobody else is taken for its owner.",
        );
        reader.require(
            &["accounts.unverified_retention", "links.verify_ttl"],
            unverified_retention >= links.verify_ttl,
            format!(
                "must not be shorter than links.verify_ttl ({}), or links would outlive their accounts, but is {}",
                show_duration(links.verify_ttl),
                show_duration(unverified_retention)
            ),
        );
        Self { unverified_retention, username_reserved }
    }
}
