//! `[links]`: how long mailed links and codes are valid.

use super::reader::Reader;
use super::value::DAY;
use countersign_domain::action::LONGEST_LINK_LIFE;
use std::time::Duration;

/// The lifetimes of what is sent by mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Links {
    /// The link that verifies the address of a new account.
    pub verify_ttl: Duration,
    /// The link that resets a password.
    pub reset_ttl: Duration,
    /// The link that confirms a new address.
    pub email_change_ttl: Duration,
    /// The short code in the same mail as any of the links.
    pub code_ttl: Duration,
    /// How often a code may be entered wrong before it is void.
    pub code_tries: u32,
}

impl Links {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let bounds = || Duration::from_mins(1)..=LONGEST_LINK_LIFE;
        let mut section = reader.section("links", "How long the links and codes in mails are valid.");
        Self {
            verify_ttl: section.duration(
                "verify_ttl",
                DAY,
                bounds(),
                "The link that verifies a new account's address.",
            ),
            reset_ttl: section.duration(
                "reset_ttl",
                Duration::from_mins(30),
                Duration::from_mins(1)..=DAY,
                "The link that resets a password. Whoever reads the mailbox within this time owns the account.",
            ),
            email_change_ttl: section.duration(
                "email_change_ttl",
                DAY,
                bounds(),
                "The link that confirms a new address.",
            ),
            code_ttl: section.duration(
                "code_ttl",
                Duration::from_mins(10),
                Duration::from_mins(1)..=Duration::from_hours(1),
                "The short code that stands beside each link. Short, because it can be guessed.",
            ),
            code_tries: section.whole(
                "code_tries",
                5,
                1..=10,
                "How often a code may be entered wrong before it is void.",
            ),
        }
    }
}
