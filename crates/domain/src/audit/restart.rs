//! The text of a restart event: after which position the chain was continued, and why.

/// The text of the event.
pub fn describe_restart(behind: i64, why: &str) -> String {
    format!("behind {behind}; {why}")
}

/// Parses such a text. A text that does not parse was not written by the service.
pub(super) fn read_restart(text: Option<&str>) -> (Option<i64>, String) {
    let parts = text.and_then(|text| text.strip_prefix("behind ")?.split_once("; "));
    match parts.and_then(|(behind, why)| Some((behind.parse().ok()?, why))) {
        Some((behind, why)) => (Some(behind), why.to_owned()),
        None => (None, text.unwrap_or_default().to_owned()),
    }
}
