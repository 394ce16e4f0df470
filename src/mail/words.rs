//! Formats durations, instants and names for mails.

use countersign_domain::{locale::Locale, time::Timestamp};
use mail_parser::DateTime;
use std::time::Duration;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// The most characters of a device's name that are shown.
const MAX_DEVICE_CHARACTERS: usize = 60;

const ENGLISH_MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const GERMAN_MONTHS: [&str; 12] = [
    "Januar",
    "Februar",
    "März",
    "April",
    "Mai",
    "Juni",
    "Juli",
    "August",
    "September",
    "Oktober",
    "November",
    "Dezember",
];

/// A lifetime: "24 hours", "30 Minuten". Rounded down to its unit, so that no mail promises too much.
pub(super) fn life(duration: Duration, locale: Locale) -> String {
    let seconds = duration.as_secs();
    let (count, [one, many]) = match (seconds, locale) {
        (s, Locale::English) if s >= 2 * DAY && s.is_multiple_of(DAY) => (s / DAY, ["day", "days"]),
        (s, Locale::German) if s >= 2 * DAY && s.is_multiple_of(DAY) => (s / DAY, ["Tag", "Tage"]),
        (s, Locale::English) if s >= HOUR && s.is_multiple_of(HOUR) => (s / HOUR, ["hour", "hours"]),
        (s, Locale::German) if s >= HOUR && s.is_multiple_of(HOUR) => (s / HOUR, ["Stunde", "Stunden"]),
        (s, Locale::English) if s >= MINUTE => (s / MINUTE, ["minute", "minutes"]),
        (s, Locale::German) if s >= MINUTE => (s / MINUTE, ["Minute", "Minuten"]),
        (s, Locale::English) => (s, ["second", "seconds"]),
        (s, Locale::German) => (s, ["Sekunde", "Sekunden"]),
    };
    format!("{count} {}", if count == 1 { one } else { many })
}

/// An instant in UTC, because the reader's time zone is unknown.
pub(super) fn moment(at: Timestamp, locale: Locale) -> String {
    let DateTime { year, month, day, hour, minute, .. } = DateTime::from_timestamp(at.as_seconds());
    let months = match locale {
        Locale::English => ENGLISH_MONTHS,
        Locale::German => GERMAN_MONTHS,
    };
    let month = months.get(usize::from(month).wrapping_sub(1)).copied().unwrap_or_default();
    match locale {
        Locale::English => format!("{day} {month} {year} at {hour:02}:{minute:02} UTC"),
        Locale::German => format!("{day}. {month} {year} um {hour:02}:{minute:02} Uhr (UTC)"),
    }
}

/// A device's name, which the client chose: short, and without anything that a mail program would turn into a link.
/// Dots stay only between digits, as in "Firefox 128.0".
pub(super) fn device(name: &str) -> Option<String> {
    let characters: Vec<char> = name.chars().take(4 * MAX_DEVICE_CHARACTERS).collect();
    let is_digit = |at: Option<usize>| at.and_then(|at| characters.get(at)).is_some_and(char::is_ascii_digit);
    let kept = characters.iter().enumerate().map(|(at, &c)| match c {
        '-' | '(' | ')' | '+' => c,
        '.' if is_digit(at.checked_sub(1)) && is_digit(at.checked_add(1)) => c,
        _ if c.is_alphanumeric() => c,
        _ => ' ',
    });
    let kept: String = kept.collect();
    let words: String = kept.split_whitespace().collect::<Vec<_>>().join(" ");
    let short: String = words.chars().take(MAX_DEVICE_CHARACTERS).collect();
    Some(short.trim_end().to_owned()).filter(|name| !name.is_empty())
}

/// Replaces control characters, so that a value stays on its line.
pub(super) fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lives_are_said_in_the_largest_unit_that_is_exact() {
        for (seconds, english, german) in [
            (24 * HOUR, "24 hours", "24 Stunden"),
            (30 * MINUTE, "30 minutes", "30 Minuten"),
            (10 * MINUTE, "10 minutes", "10 Minuten"),
            (HOUR, "1 hour", "1 Stunde"),
            (HOUR + 30 * MINUTE, "90 minutes", "90 Minuten"),
            (3 * DAY, "3 days", "3 Tage"),
            (MINUTE + 59, "1 minute", "1 Minute"),
            (1, "1 second", "1 Sekunde"),
            (0, "0 seconds", "0 Sekunden"),
        ] {
            assert_eq!(life(Duration::from_secs(seconds), Locale::English), english);
            assert_eq!(life(Duration::from_secs(seconds), Locale::German), german);
        }
    }

    #[test]
    fn moments_are_said_in_utc() {
        let at = Timestamp::from_seconds(1_741_011_480);
        assert_eq!(moment(at, Locale::English), "3 March 2025 at 14:18 UTC");
        assert_eq!(moment(at, Locale::German), "3. März 2025 um 14:18 Uhr (UTC)");
    }

    #[test]
    fn a_device_name_cannot_become_a_link_or_a_second_line() {
        assert_eq!(device("Firefox 128.0 on Linux").as_deref(), Some("Firefox 128.0 on Linux"));
        assert_eq!(device("Evil.example/login?x=1").as_deref(), Some("Evil example login x 1"));
        assert_eq!(device("https://10.0.0.1:80/").as_deref(), Some("https 10.0.0.1 80"));
        assert_eq!(device("a@b.example\r\nBcc: c").as_deref(), Some("a b example Bcc c"));
        assert_eq!(device("<b>\u{202E}x</b>").as_deref(), Some("b x b"));
        assert_eq!(device(" \r\n"), None);
        assert_eq!(device(&"long ".repeat(1000)).map(|d| d.chars().count() <= 60), Some(true));
    }
}
