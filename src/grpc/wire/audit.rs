//! Reading operators' queries of the audit log, and writing the answers.

use super::{Fields, admin_proto, admin_proto::EventOutcome, timestamp};
use crate::{
    store::audit::{AuditFilter, Before},
    usecase::audit::AuditUpdate,
};
use countersign_domain::{
    audit::{EventKind, RecordedEvent},
    time::Timestamp,
};
use std::fmt::Write as _;

pub(in crate::grpc) fn audit_event(row: RecordedEvent) -> admin_proto::AuditEvent {
    let outcome = match row.outcome.as_str() {
        "ok" => EventOutcome::Ok,
        "refused" => EventOutcome::Refused,
        _ => EventOutcome::Unspecified,
    };
    let link = row.link.unwrap_or_default().iter().fold(String::new(), |mut text, byte| {
        // Writing into a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    });
    admin_proto::AuditEvent {
        event_id: row.id.to_string(),
        event_time: Some(timestamp(row.happened_at)),
        position: row.position.unwrap_or(0),
        link,
        kind: row.kind,
        outcome: outcome.into(),
        reason: row.reason.unwrap_or_default(),
        actor_id: row.actor.map_or_else(String::new, |id| id.to_string()),
        account_id: row.account.map_or_else(String::new, |id| id.to_string()),
        session_id: row.session.map_or_else(String::new, |id| id.to_string()),
        service_id: row.service.map_or_else(String::new, |id| id.to_string()),
        object: row.object.unwrap_or_default(),
        address: row.address,
        user_agent: row.user_agent,
        request_id: row.trace_id,
        tenant_id: row.tenant.to_string(),
    }
}

pub(in crate::grpc) fn watched(heard: AuditUpdate) -> admin_proto::WatchEventsResponse {
    admin_proto::WatchEventsResponse {
        events: heard.events.into_iter().map(audit_event).collect(),
        cursor: heard.at.to_string(),
    }
}

/// The longest text that these fields accept.
const MAX_TEXT_BYTES: usize = 64;

pub(in crate::grpc) fn event_filter(
    fields: &mut Fields,
    filter: Option<admin_proto::EventFilter>,
) -> Option<AuditFilter> {
    let filter = filter.unwrap_or_default();
    let mut read = AuditFilter::default();
    if !filter.kind.is_empty() {
        read.kind = EventKind::from_name(&filter.kind);
        if read.kind.is_none() {
            fields.note("filter.kind", "is not a kind of event");
        }
    }
    if !filter.account_id.is_empty() {
        read.account = filter.account_id.parse().ok();
        if read.account.is_none() {
            fields.note("filter.account_id", "is not an account id");
        }
    }
    match EventOutcome::try_from(filter.outcome) {
        Ok(EventOutcome::Unspecified) => {}
        Ok(outcome) => read.succeeded = Some(outcome == EventOutcome::Ok),
        Err(_) => fields.note("filter.outcome", "is not an outcome"),
    }
    read.since = instant(fields, "filter.start_time", filter.start_time);
    read.until = instant(fields, "filter.end_time", filter.end_time);
    Some(read)
}

fn instant(fields: &mut Fields, field: &'static str, at: Option<prost_types::Timestamp>) -> Option<Timestamp> {
    const YEARS: std::ops::RangeInclusive<i64> = -62_135_596_800..=253_402_300_799;
    let at = at?;
    // The range of google.protobuf.Timestamp: the years 1 to 9999, and a fraction of a second.
    if !YEARS.contains(&at.seconds) || !(0..1_000_000_000).contains(&at.nanos) {
        fields.note(field, "is not an instant");
        return None;
    }
    Some(Timestamp::from_micros(at.seconds * 1_000_000 + i64::from(at.nanos / 1_000)))
}

/// `Some(None)` for the first page.
pub(in crate::grpc) fn event_page(fields: &mut Fields, token: &str) -> Option<Option<Before>> {
    if token.is_empty() {
        return Some(None);
    }
    let parse = |token: &str| {
        let (at, id) = token.split_once('.')?;
        Some(Before { happened_at: Timestamp::from_micros(whole(at)?), id: id.parse().ok()? })
    };
    let before = (token.len() <= MAX_TEXT_BYTES).then(|| parse(token)).flatten();
    if before.is_none() {
        fields.note("page_token", "is not a page token of this service");
    }
    before.map(Some)
}

pub(in crate::grpc) fn event_page_token(before: Before) -> String {
    format!("{}.{}", before.happened_at.as_micros(), before.id)
}

/// `Some(None)` when the caller wants only new events.
pub(in crate::grpc) fn event_cursor(fields: &mut Fields, text: &str) -> Option<Option<i64>> {
    if text.is_empty() {
        return Some(None);
    }
    let position = (text.len() <= MAX_TEXT_BYTES).then(|| whole(text)).flatten();
    if position.is_none() {
        fields.note("cursor", "is not a cursor of this service");
    }
    position.map(Some)
}

/// A number in the form that we write: no sign, no leading zero.
fn whole(text: &str) -> Option<i64> {
    let number: i64 = text.parse().ok()?;
    (number >= 0 && number.to_string() == text).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use countersign_domain::id::EventId;

    #[test]
    fn a_page_token_is_read_as_it_was_written_and_anything_else_is_none() {
        let before = Before {
            happened_at: Timestamp::from_micros(1_800_000_000_000_001),
            id: EventId::new(Timestamp::from_seconds(1_800_000_000), [7; 10]),
        };
        let token = event_page_token(before);
        assert_eq!(event_page(&mut Fields::default(), &token), Some(Some(before)));
        assert_eq!(event_page(&mut Fields::default(), ""), Some(None));
        for other in [
            format!("{token} "),
            format!("+{token}"),
            format!("0{token}"),
            ".".to_owned(),
            "1.2".to_owned(),
            "9".repeat(100_000),
        ] {
            assert_eq!(event_page(&mut Fields::default(), &other), None, "{other:.80}");
        }
    }

    #[test]
    fn a_cursor_is_a_position() {
        assert_eq!(event_cursor(&mut Fields::default(), "0"), Some(Some(0)));
        assert_eq!(event_cursor(&mut Fields::default(), "9223372036854775807"), Some(Some(i64::MAX)));
        for other in ["-1", "+1", "01", "1.0", "x", "9223372036854775808", " 1"] {
            assert_eq!(event_cursor(&mut Fields::default(), other), None, "{other}");
        }
    }
}
