use http::HeaderMap;
use std::time::Duration;

/// Two ticks of the runtime's timers, so that our timer fires in an earlier tick than tonic's.
const LEAST_LEAD: Duration = Duration::from_millis(2);
const MOST_LEAD: Duration = Duration::from_millis(50);

/// The time limit of a call: the caller's timeout, but at most `most`.
///
/// A little less than the caller's timeout, so that our answer, with a reason, comes before that of tonic's timer,
/// which started earlier and has no reason. Zero when too little time is left to do anything.
pub(super) fn of(headers: &HeaderMap, most: Duration) -> Duration {
    let asked = headers.get("grpc-timeout").and_then(|value| parse(value.to_str().ok()?));
    match asked {
        Some(asked) => asked.saturating_sub((asked / 20).clamp(LEAST_LEAD, MOST_LEAD)).min(most),
        None => most,
    }
}

/// `TimeoutValue TimeoutUnit` of the gRPC protocol: at most eight digits and a unit of one character.
fn parse(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.is_empty() || digits.len() > 8 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let value: u64 = digits.parse().ok()?;
    Some(match unit {
        "H" => Duration::from_secs(value * 3_600),
        "M" => Duration::from_secs(value * 60),
        "S" => Duration::from_secs(value),
        "m" => Duration::from_millis(value),
        "u" => Duration::from_micros(value),
        "n" => Duration::from_nanos(value),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(timeout: &str) -> Duration {
        let mut headers = HeaderMap::new();
        headers.insert("grpc-timeout", timeout.parse().unwrap());
        of(&headers, Duration::from_secs(15))
    }

    #[test]
    fn the_caller_may_ask_for_less_and_never_for_more() {
        assert_eq!(with("100m"), Duration::from_millis(95));
        assert_eq!(with("2S"), Duration::from_millis(1_950));
        assert_eq!(with("99999999H"), Duration::from_secs(15));
        assert_eq!(with("5m"), Duration::from_millis(3));
        assert_eq!(with("2m"), Duration::ZERO);
        assert_eq!(with("0n"), Duration::ZERO);
    }

    #[test]
    fn nonsense_is_no_deadline() {
        for nonsense in ["", "S", "1", "-1S", "1.5S", "123456789S", "1s", "é", "1 S"] {
            assert_eq!(with(nonsense), Duration::from_secs(15), "{nonsense}");
        }
    }
}
