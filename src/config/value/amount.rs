//! Amounts: durations and whole numbers, each between two bounds.

use super::super::fault::{Reason, quoted};
use super::super::source::Given;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

/// A day of 24 hours.
pub(in super::super) const DAY: Duration = Duration::from_hours(24);

/// The types of integers that settings use.
pub(in super::super) trait Whole:
    Copy + PartialOrd + Display + FromStr + TryFrom<i64> + TryInto<i64>
{
}

impl Whole for u32 {}
impl Whole for usize {}

/// Reads a duration, `10m` or `1h 30m`.
pub(in super::super) fn duration(given: &Given, bounds: &RangeInclusive<Duration>) -> Result<Duration, Reason> {
    if let Given::Integer(_) = given {
        return Err(Reason::new("must be a duration with a unit in quotes, such as \"10m\", but is a whole number"));
    }
    let text = given.line()?;
    let value = humantime::parse_duration(text).map_err(|error| {
        Reason::new(format!("must be a duration such as \"10m\" or \"14d\", but is {} ({error})", quoted(text)))
    })?;
    within(value, bounds, show_duration)
}

/// Reads an integer.
pub(in super::super) fn whole<T: Whole>(given: &Given, bounds: &RangeInclusive<T>) -> Result<T, Reason> {
    let outside = |shown: &str| {
        let (low, high) = (bounds.start(), bounds.end());
        Reason::new(format!("must be a whole number between {low} and {high}, but is {shown}"))
    };
    let value = match given {
        Given::Integer(number) => T::try_from(*number).map_err(|_| outside(&number.to_string()))?,
        Given::Untyped(_) => {
            let text = given.line()?;
            text.parse().map_err(|_| outside(&quoted(text)))?
        }
        Given::Text(_) => return Err(Reason::new("must be a whole number, without quotes")),
        other => return Err(Reason::new(format!("must be a whole number, but {}", other.kind()))),
    };
    within(value, bounds, |value| value.to_string())
}

fn within<T: Copy + PartialOrd>(value: T, bounds: &RangeInclusive<T>, show: impl Fn(T) -> String) -> Result<T, Reason> {
    if bounds.contains(&value) {
        return Ok(value);
    }
    let (low, high) = (show(*bounds.start()), show(*bounds.end()));
    Err(Reason::new(format!("must lie between {low} and {high}, but is {}", show(value))))
}

/// A duration in common notation: `14d`, `10m`. The largest unit that needs no second one; a single day is `24h`, as in
/// "the link is valid for 24 h".
pub(in super::super) fn show_duration(value: Duration) -> String {
    let seconds = value.as_secs();
    if value.subsec_nanos() != 0 {
        return humantime::format_duration(value).to_string();
    }
    match seconds {
        0 => "0s".to_owned(),
        _ if seconds > 86_400 && seconds.is_multiple_of(86_400) => format!("{}d", seconds / 86_400),
        _ if seconds.is_multiple_of(3600) => format!("{}h", seconds / 3600),
        _ if seconds.is_multiple_of(60) => format!("{}m", seconds / 60),
        _ => format!("{seconds}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::{duration, show_duration};
    use crate::config::source::Given;
    use countersign_domain::secret::SecretText;
    use std::time::Duration;

    #[test]
    fn a_duration_is_shown_in_a_form_that_reads_back() {
        for text in ["0s", "30s", "90s", "10m", "24h", "36h", "14d", "400d", "1s 500ms"] {
            let given = Given::Text(SecretText::new(text.to_owned()));
            let value = duration(&given, &(Duration::ZERO..=Duration::MAX)).expect("a duration");
            assert_eq!(show_duration(value), text);
        }
    }
}
