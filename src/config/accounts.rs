//! `[accounts]`: what happens to accounts over time.

use super::fault::{Reason, quoted};
use super::links::Links;
use super::reader::{Reader, Section};
use super::source::Given;
use super::value::{DAY, HostNames, Value, show_duration};
use countersign_domain::registration::RegistrationPolicy;
use std::time::Duration;

/// Sign-up and retention of accounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accounts {
    /// Who may sign up.
    pub registration: RegistrationPolicy,
    /// How long an account whose address was never verified is kept. Never shorter than `links.verify_ttl`.
    pub unverified_retention: Duration,
    /// How long a user name that was given up is reserved for its account.
    pub username_reserved: Duration,
}

impl Accounts {
    pub(super) fn read(reader: &mut Reader, links: &Links) -> Self {
        let mut section = reader.section("accounts", "Who may register, and how long unused data is kept.");
        let registration = registration(&mut section);
        let unverified_retention = section.duration(
            "unverified_retention",
            30 * DAY,
            DAY..=365 * DAY,
            "How long a registration is kept whose address is not verified. At least `links.verify_ttl`.",
        );
        let username_reserved = section.duration(
            "username_reserved",
            90 * DAY,
            Duration::ZERO..=3650 * DAY,
            "How long a former user name stays reserved for its account, so that nobody can impersonate its owner.",
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
        Self { registration, unverified_retention, username_reserved }
    }
}

/// The first word of a [`RegistrationPolicy`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Registration {
    Open,
    Closed,
    Domains,
}

fn registration(section: &mut Section<'_>) -> RegistrationPolicy {
    let chosen = section.value(
        "registration",
        Registration::Open,
        "Who may register. `open`: everybody. `closed`: nobody, `countersign account create` makes the accounts. \
         `domains`: people with an address at one of `registration_domains`.",
    );
    let HostNames(hosts) = section.value(
        "registration_domains",
        HostNames::default(),
        "Mail domains whose addresses may register while `registration` is `domains`. Subdomains are not included.",
    );
    let fits = (chosen == Registration::Domains) != hosts.is_empty();
    let reason = "must be set when accounts.registration is \"domains\", and only then";
    section.reader().require(&["accounts.registration_domains", "accounts.registration"], fits, reason);
    match chosen {
        Registration::Open => RegistrationPolicy::Open,
        Registration::Closed => RegistrationPolicy::Closed,
        Registration::Domains => RegistrationPolicy::Domains(hosts),
    }
}

impl Value for Registration {
    const ALLOWED: &'static str = "`open`, `closed` or `domains`";

    fn parse(given: &Given) -> Result<Self, Reason> {
        match given.line()? {
            "open" => Ok(Self::Open),
            "closed" => Ok(Self::Closed),
            "domains" => Ok(Self::Domains),
            other => Err(Reason::new(format!("must be \"open\", \"closed\" or \"domains\", but is {}", quoted(other)))),
        }
    }

    fn show(&self) -> toml::Value {
        match self {
            Self::Open => "open".into(),
            Self::Closed => "closed".into(),
            Self::Domains => "domains".into(),
        }
    }
}
