//! `[links]`: where mailed links lead, and how long they and the codes are valid.

use super::browser::Browser;
use super::reader::Reader;
use super::value::{DAY, PublicUrl};
use countersign_domain::action::LONGEST_LINK_LIFE;
use std::time::Duration;
use url::Url;

/// The target of mailed links, and the lifetimes of links and codes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Links {
    /// Where mailed links lead, if not to the pages of this service; ends with a slash.
    pub base_url: Option<Url>,
    /// The link that verifies the address of a new account.
    pub verify_ttl: Duration,
    /// The link that resets a password.
    pub reset_ttl: Duration,
    /// The link that confirms a new address.
    pub email_change_ttl: Duration,
    /// The short code in the same mail as any of the links.
    pub code_ttl: Duration,
    /// How many wrong entries void a code.
    pub code_tries: u32,
}

impl Links {
    pub(super) fn read(reader: &mut Reader, browser: &Browser) -> Self {
        let bounds = || Duration::from_mins(1)..=LONGEST_LINK_LIFE;
        let mut section = reader
            .section("links", "Mailed links and codes: where links lead, and how long links and codes are valid.");
        let base_url = section.optional::<PublicUrl>(
            "base_url",
            "The front end that mailed links open: `verify`, `reset` and `confirm-email` below this URL, each \
             followed by `#token=…`. When not set, the pages of this service.",
        );
        let reason = "must be set while browser.pages is false: otherwise mailed links lead to no page";
        section.reader().require(&["links.base_url", "browser.pages"], browser.pages || base_url.is_some(), reason);
        Self {
            base_url: base_url.map(|url| url.0),
            verify_ttl: section.duration(
                "verify_ttl",
                DAY,
                bounds(),
                "Lifetime of the link that verifies the address of a new account.",
            ),
            reset_ttl: section.duration(
                "reset_ttl",
                Duration::from_mins(30),
                Duration::from_mins(1)..=DAY,
                "Lifetime of the link that resets a password. Whoever reads the mailbox within this time can take \
                 over the account.",
            ),
            email_change_ttl: section.duration(
                "email_change_ttl",
                DAY,
                bounds(),
                "Lifetime of the link that confirms a new address.",
            ),
            code_ttl: section.duration(
                "code_ttl",
                DAY,
                Duration::from_mins(1)..=DAY,
                "Lifetime of the short code in the same mail as the link, at most that of the link. `code_tries` \
                 protects it from brute force, not its lifetime.",
            ),
            code_tries: section.whole("code_tries", 5, 1..=10, "Wrong entries after which a code is void."),
        }
    }
}
