//! The size of a limit.

use super::super::fault::{Reason, quoted};
use super::super::source::Given;
use super::Value;
use countersign_domain::limit::Quota;
use std::time::Duration;

/// A burst, then one call per interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct LimitSize(pub(in super::super) Quota);

/// The longest time in which a limit may refill. The arithmetic of limits is exact up to this time.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 60 * 60);

impl Value for LimitSize {
    const ALLOWED: &'static str = "burst and interval, such as `60, 10s`: 60 at once, then one every 10 seconds";

    fn parse(given: &Given) -> Result<Self, Reason> {
        let text = given.line()?;
        let wrong = || Reason::new(format!("must be such as \"60, 10s\", but is {}", quoted(text)));
        let (burst, every) = text.split_once(',').ok_or_else(wrong)?;
        let burst: u32 = burst.trim().parse().map_err(|_| wrong())?;
        let every = humantime::parse_duration(every.trim()).map_err(|_| wrong())?;
        if burst == 0 || every < Duration::from_micros(1) || !every.subsec_nanos().is_multiple_of(1_000) {
            return Err(Reason::new(format!(
                "must have a burst of at least 1 and an interval of whole microseconds, but is {}",
                quoted(text)
            )));
        }
        match every.checked_mul(burst) {
            Some(period) if period <= LONGEST => Ok(Self(Quota::new(burst, period))),
            _ => Err(Reason::new(format!("must be refilled within a year, but is {}", quoted(text)))),
        }
    }

    fn show(&self) -> toml::Value {
        format!("{}, {}", self.0.burst(), humantime::format_duration(self.0.emission())).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use countersign_domain::{limit::Limit, secret::SecretText};

    fn read(text: &str) -> Option<Quota> {
        LimitSize::parse(&Given::Text(SecretText::new(text.to_owned()))).ok().map(|size| size.0)
    }

    #[test]
    fn a_size_is_shown_in_a_form_that_reads_back() {
        for limit in Limit::ALL {
            let shown = LimitSize(limit.quota()).show();
            assert_eq!(read(shown.as_str().unwrap()), Some(limit.quota()), "{shown}");
        }
        assert_eq!(read("60,10s"), Some(Quota::new(60, Duration::from_mins(10))));
        assert_eq!(read(" 1 ,  1m 30s "), Some(Quota::new(1, Duration::from_secs(90))));
    }

    #[test]
    fn what_makes_no_limit_is_refused() {
        for text in
            ["", "60", "10s", "60 10s", "0, 10s", "60, 0s", "-1, 10s", "60, 10", "60, 1ns", "1e3, 1s", "60, 10s, 5"]
        {
            assert_eq!(read(text), None, "{text}");
        }
        assert_eq!(read("4294967295, 1d"), None, "longer than a year");
    }
}
