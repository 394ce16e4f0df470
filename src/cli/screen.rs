use countersign_domain::time::Timestamp;
use std::{
    io::{self, IsTerminal as _, Write as _},
    time::{Duration, UNIX_EPOCH},
};

/// Prints to the terminal.
#[derive(Debug)]
pub(super) struct Screen;

impl Screen {
    /// Prints a line on standard output. A reader that has closed the pipe (`… | head`) is no error.
    pub(super) fn print(&self, line: &str) {
        let mut out = io::stdout().lock();
        let _ = writeln!(out, "{}", printable(line));
        let _ = out.flush();
    }

    /// Prints a line for programs: one JSON object.
    pub(super) fn print_json(&self, object: &serde_json::Value) {
        self.print(&object.to_string());
    }

    /// Asks for confirmation, and returns whether the answer is `yes`. Without a terminal the answer is no.
    pub(super) fn confirms(&self, question: &str) -> bool {
        if !io::stdin().is_terminal() {
            return false;
        }
        let _ = write!(io::stderr().lock(), "{} Type `yes` to continue: ", printable(question));
        let mut answer = String::new();
        io::stdin().read_line(&mut answer).is_ok_and(|_| answer.trim() == "yes")
    }

    /// Prints a line on standard error.
    pub(super) fn print_error(&self, line: &str) {
        let _ = writeln!(io::stderr().lock(), "countersign: {}", printable(line));
    }
}

/// Text from users may contain control sequences for the terminal: only line breaks and tabs are kept.
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
