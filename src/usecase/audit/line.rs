use countersign_domain::{audit::RecordedEvent, time::Timestamp};
use serde::Serialize;
use std::{
    fmt::Write as _,
    time::{Duration, UNIX_EPOCH},
};

/// An event as one JSON object. It begins with the same fields as a log line, so that one pipeline reads both.
#[derive(Debug, Serialize)]
pub struct OpenLine<'a> {
    timestamp: String,
    level: &'static str,
    target: &'static str,
    event_id: String,
    tenant: String,
    /// With the link, this is what `audit verify --seen` compares.
    position: Option<i64>,
    link: Option<String>,
    event: &'a str,
    outcome: &'a str,
    reason: Option<&'a str>,
    actor: Option<String>,
    account: Option<String>,
    session: Option<String>,
    service: Option<String>,
    object: Option<&'a str>,
    address: &'a str,
    user_agent: &'a str,
    request_id: &'a str,
}

impl<'a> OpenLine<'a> {
    pub fn of(row: &'a RecordedEvent) -> Self {
        Self {
            timestamp: written(row.happened_at),
            level: "INFO",
            target: "countersign::audit",
            event_id: row.id.to_string(),
            tenant: row.tenant.to_string(),
            position: row.position,
            link: row.link.as_deref().map(hexadecimal),
            event: &row.kind,
            outcome: &row.outcome,
            reason: row.reason.as_deref(),
            actor: row.actor.map(|id| id.to_string()),
            account: row.account.map(|id| id.to_string()),
            session: row.session.map(|id| id.to_string()),
            service: row.service.map(|id| id.to_string()),
            object: row.object.as_deref(),
            address: &row.address,
            user_agent: &row.user_agent,
            request_id: &row.trace_id,
        }
    }
}

/// The line, with the line break at its end.
pub fn line(row: &RecordedEvent) -> String {
    // The fields are texts and numbers, so serialization cannot fail.
    let mut text = serde_json::to_string(&OpenLine::of(row)).unwrap_or_default();
    text.push('\n');
    text
}

pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing into a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// RFC 3339, in UTC, as exact as it is stored.
fn written(at: Timestamp) -> String {
    let since_epoch = Duration::from_micros(u64::try_from(at.as_micros()).unwrap_or(0));
    humantime::format_rfc3339_micros(UNIX_EPOCH + since_epoch).to_string()
}
