//! What the event of a restart says: behind which position the chain goes on, and why.

/// The text of the event.
pub fn describe_restart(behind: i64, why: &str) -> String {
    format!("behind {behind}; {why}")
}

/// What such a text says. One that says something else was written by somebody else.
pub(super) fn read_restart(text: Option<&str>) -> (Option<i64>, String) {
    let parts = text.and_then(|text| text.strip_prefix("behind ")?.split_once("; "));
    match parts.and_then(|(behind, why)| Some((behind.parse().ok()?, why))) {
        Some((behind, why)) => (Some(behind), why.to_owned()),
        None => (None, text.unwrap_or_default().to_owned()),
    }
}
