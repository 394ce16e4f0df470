//! What is wrong with a configuration: all faults at once, and never with a secret in the text.

use super::origin::Origin;
use std::fmt;

/// The longest part of an input that an error repeats.
const QUOTED_CHARS: usize = 60;

/// A setting that cannot be used, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigFault {
    /// The key, `sessions.access_ttl`; `config` stands for the configuration file as a whole.
    pub key: String,
    /// Where the value was found.
    pub origin: Origin,
    /// What is wrong and what would be right, as half a sentence. Never holds the value of a secret.
    pub reason: String,
}

impl fmt::Display for ConfigFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}): {}", shortened(&self.key), self.origin, self.reason)
    }
}

/// Everything that is wrong with a configuration, in the order of the reference. Never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigFaults(pub Vec<ConfigFault>);

impl fmt::Display for ConfigFaults {
    /// One line per fault.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{fault}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigFaults {}

/// Why a value is not acceptable: half a sentence that follows `key (origin): `.
#[derive(Debug)]
pub(super) struct Reason(String);

impl Reason {
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub(super) fn into_text(self) -> String {
        self.0
    }
}

/// An input as an error may repeat it: on one line, in quotes, and shortened.
pub(super) fn quoted(text: &str) -> String {
    format!("\"{}\"", shortened(text))
}

/// The same without quotes.
pub(super) fn shortened(text: &str) -> String {
    let mut shown = String::new();
    for c in text.chars().take(QUOTED_CHARS) {
        match c {
            '"' | '\'' => shown.push(c),
            _ => shown.extend(c.escape_debug()),
        }
    }
    if text.chars().nth(QUOTED_CHARS).is_some() {
        shown.push('…');
    }
    shown
}
