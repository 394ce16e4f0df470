//! `[factors]`: second factors.

use super::fault::Reason;
use super::reader::Reader;
use super::source::Given;
use super::value::{DAY, Value, duration, show_duration};
use std::ops::RangeInclusive;
use std::time::Duration;

/// Second factors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Factors {
    /// For how long a device is remembered on which a second factor was proven; `None` where none is.
    pub remember: Option<Duration>,
}

impl Factors {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let mut section = reader.section("factors", "Second factors.");
        let remember = section.value(
            "remember",
            Remember(Some(30 * DAY)),
            "For how long CompleteLogin may remember a device, so that the password alone logs in there. With `off` no \
             device is remembered, and those that were need a second factor again.",
        );
        Self { remember: remember.0 }
    }
}

/// How long a device is remembered.
struct Remember(Option<Duration>);

const BOUNDS: RangeInclusive<Duration> = Duration::from_hours(1)..=Duration::from_hours(400 * 24);

impl Value for Remember {
    const ALLOWED: &'static str = "`1h` to `400d`, or `off`";

    fn parse(given: &Given) -> Result<Self, Reason> {
        match given.line()? {
            "off" => Ok(Self(None)),
            _ => duration(given, &BOUNDS).map(|life| Self(Some(life))),
        }
    }

    fn show(&self) -> toml::Value {
        self.0.map_or_else(|| "off".to_owned(), show_duration).into()
    }
}
