//! `[passwords]`: the check for breached passwords.

use super::fault::{Reason, quoted};
use super::reader::Section;
use super::source::Given;
use super::value::{RangeUrl, Value};
use std::path::PathBuf;
use std::time::Duration;
use url::Url;

/// Where breached passwords are listed, and what happens to new passwords while the list is unavailable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breached {
    pub list: BreachedList,
    pub when_unavailable: WhenListUnavailable,
}

/// Where breached passwords are listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BreachedList {
    /// A service that lists them by the first digits of their hashes. The endpoint ends with a slash.
    Range { endpoint: Url, timeout: Duration },
    /// A file from `countersign passwords compile`.
    File(PathBuf),
}

/// What happens to new passwords while the list is unavailable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenListUnavailable {
    Accept,
    Refuse,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Off,
    Range,
    File,
}

const ENDPOINT: &str = "https://api.pwnedpasswords.com/range/";

impl Breached {
    pub(super) fn read(section: &mut Section<'_>) -> Option<Self> {
        let mode = section.value(
            "breached",
            Mode::Off,
            "Whether a new password is checked against known breaches. `range` asks `breached_endpoint`, and sends \
             the first five of the forty hexadecimal digits of the password's SHA-1 hash. `file` reads \
             `breached_list`.",
        );
        let endpoint = section.optional::<RangeUrl>(
            "breached_endpoint",
            "The service for `range`: Have I Been Pwned when not set, or a compatible service of your own.",
        );
        let timeout = section.duration(
            "breached_timeout",
            Duration::from_secs(2),
            Duration::from_millis(100)..=Duration::from_secs(10),
            "How long that service may take to answer.",
        );
        let file = section.optional::<PathBuf>(
            "breached_list",
            "The file for `file`, made by `countersign passwords compile` from a list of SHA-1 hashes. Opened at the \
             start.",
        );
        let when_unavailable = section.value(
            "breached_when_unavailable",
            WhenListUnavailable::Accept,
            "What happens to a new password while it cannot be checked. `accept` accepts it and logs a warning. \
             `refuse` refuses it, so that nobody can register or reset a password meanwhile.",
        );
        let reader = section.reader();
        for (key, wanted, name) in
            [("passwords.breached_endpoint", Mode::Range, "range"), ("passwords.breached_list", Mode::File, "file")]
        {
            let reason = format!("is set, but passwords.breached is not \"{name}\"");
            reader.require(&[key, "passwords.breached"], mode == wanted || !reader.is_set(key), reason);
        }
        let there = mode != Mode::File || reader.is_set("passwords.breached_list");
        reader.require(&["passwords.breached_list"], there, "is missing: passwords.breached is \"file\"");
        let list = match mode {
            Mode::Off => return None,
            Mode::Range => {
                let endpoint = endpoint.map(|url| url.0).or_else(|| Url::parse(ENDPOINT).ok())?;
                BreachedList::Range { endpoint, timeout }
            }
            Mode::File => BreachedList::File(file?),
        };
        Some(Self { list, when_unavailable })
    }
}

impl Value for Mode {
    const ALLOWED: &'static str = "`off`, `range` or `file`";

    fn parse(given: &Given) -> Result<Self, Reason> {
        match given.line()? {
            "off" => Ok(Self::Off),
            "range" => Ok(Self::Range),
            "file" => Ok(Self::File),
            other => Err(Reason::new(format!("must be \"off\", \"range\" or \"file\", but is {}", quoted(other)))),
        }
    }

    fn show(&self) -> toml::Value {
        match self {
            Self::Off => "off".into(),
            Self::Range => "range".into(),
            Self::File => "file".into(),
        }
    }
}

impl Value for WhenListUnavailable {
    const ALLOWED: &'static str = "`accept` or `refuse`";

    fn parse(given: &Given) -> Result<Self, Reason> {
        match given.line()? {
            "accept" => Ok(Self::Accept),
            "refuse" => Ok(Self::Refuse),
            other => Err(Reason::new(format!("must be \"accept\" or \"refuse\", but is {}", quoted(other)))),
        }
    }

    fn show(&self) -> toml::Value {
        match self {
            Self::Accept => "accept".into(),
            Self::Refuse => "refuse".into(),
        }
    }
}
