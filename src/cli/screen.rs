use countersign_domain::time::Timestamp;
use std::{
    io::{self, Write as _},
    time::{Duration, UNIX_EPOCH},
};

/// What the person at the terminal sees.
#[derive(Debug)]
pub(super) struct Screen;

impl Screen {
    /// A line on standard output. A reader that went away (`… | head`) is no error.
    pub(super) fn say(&self, line: &str) {
        let mut out = io::stdout().lock();
        let _ = writeln!(out, "{}", printable(line));
        let _ = out.flush();
    }

    /// A line on standard error.
    pub(super) fn complain(&self, line: &str) {
        let _ = writeln!(io::stderr().lock(), "countersign: {}", printable(line));
    }
}

/// What people chose may hold sequences that a terminal obeys: only line breaks and tabs pass.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' && c != '\t' { '\u{FFFD}' } else { c }).collect()
}

/// RFC 3339, in UTC.
pub(super) fn written(at: Timestamp) -> String {
    let since_epoch = Duration::from_micros(u64::try_from(at.as_micros()).unwrap_or(0));
    humantime::format_rfc3339_seconds(UNIX_EPOCH + since_epoch).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_gets_no_orders_from_what_people_chose() {
        assert_eq!(printable("a\u{1b}[2Jb\nc\td"), "a\u{FFFD}[2Jb\nc\td");
    }
}
