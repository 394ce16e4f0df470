//! Parses arriving revocations, so that none is missed.
//!
//! A revocation that cannot be parsed may be for the next token. So it is never skipped: the stream is closed and a new
//! one starts with a snapshot. If the snapshot cannot be parsed either, the feed becomes stale and the policy decides.

use countersign_token::KeyId;
use prost_types::Timestamp;

use crate::{
    fault::Fault,
    generated::{Revocation, revocation::Target},
    revocations::{Kind, Marker, RevokedItem},
};

/// The longest id in a token.
const MAX_ID: usize = 64;

/// The effect of one revocation.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// Revokes the tokens of this entry.
    Tokens(RevokedItem),
    /// Revokes this key, at least until that second.
    Key(KeyId, i64),
    /// The keys changed.
    KeySet,
}

pub(crate) fn read(revocation: Revocation, marker: &Marker) -> Result<Change, Fault> {
    // A kind of target of a later release is empty here, too.
    let target = revocation.target.ok_or(Fault::Unreadable("a revocation of nothing known"))?;
    if matches!(target, Target::KeySet(_)) {
        return Ok(Change::KeySet);
    }
    let expires_at = seconds(revocation.expire_time.as_ref())?;
    let entry = |kind, id: &str, not_after| match id.len() {
        1..=MAX_ID => Ok(Change::Tokens(RevokedItem { mark: marker.mark(kind, id), not_after, expires_at })),
        _ => Err(Fault::Unreadable("a revocation of what cannot be")),
    };
    let not_after = || seconds(revocation.not_after_time.as_ref());
    match &target {
        Target::SessionId(id) => entry(Kind::Session, id, i64::MAX),
        Target::Subject(id) => entry(Kind::Subject, id, not_after()?),
        Target::TenantId(id) => entry(Kind::Tenant, id, not_after()?),
        Target::KeyId(id) => {
            let kid = KeyId::new(id).map_err(|_| Fault::Unreadable("a revocation of a key"))?;
            Ok(Change::Key(kid, expires_at))
        }
        Target::KeySet(_) => Ok(Change::KeySet),
    }
}

/// Whole seconds since the Unix epoch, as in claims.
fn seconds(time: Option<&Timestamp>) -> Result<i64, Fault> {
    time.map(|time| time.seconds).ok_or(Fault::Unreadable("a revocation without a time"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Option<Timestamp> {
        Some(Timestamp { seconds, nanos: 999_999_999 })
    }

    fn of(target: Option<Target>, not_after: Option<Timestamp>, expires: Option<Timestamp>) -> Result<Change, Fault> {
        let revocation = Revocation { target, not_after_time: not_after, expire_time: expires };
        read(revocation, &Marker::new())
    }

    #[test]
    fn nothing_that_cannot_be_read_is_passed_over() {
        let long = "s".repeat(MAX_ID + 1);
        for unreadable in [
            of(None, at(1), at(2)),
            of(Some(Target::SessionId("s".into())), None, None),
            of(Some(Target::SessionId(String::new())), None, at(2)),
            of(Some(Target::SessionId(long)), None, at(2)),
            of(Some(Target::Subject("s".into())), None, at(2)),
            of(Some(Target::Subject("s".into())), at(1), None),
            of(Some(Target::TenantId("t".into())), None, at(2)),
            of(Some(Target::KeyId("no key".into())), None, at(2)),
            of(Some(Target::KeyId("key".into())), None, None),
        ] {
            assert!(matches!(unreadable, Err(Fault::Unreadable(_))), "{unreadable:?}");
        }
    }

    #[test]
    fn times_are_whole_seconds_and_a_session_is_over_for_good() {
        let marker = Marker::new();
        let revocation =
            |target, not_after_time| Revocation { target: Some(target), not_after_time, expire_time: at(20) };
        let subject = read(revocation(Target::Subject("a".into()), at(10)), &marker);
        let mark = marker.mark(Kind::Subject, "a");
        assert_eq!(subject, Ok(Change::Tokens(RevokedItem { mark, not_after: 10, expires_at: 20 })));
        let session = read(revocation(Target::SessionId("a".into()), at(10)), &marker);
        let mark = marker.mark(Kind::Session, "a");
        assert_eq!(session, Ok(Change::Tokens(RevokedItem { mark, not_after: i64::MAX, expires_at: 20 })));
    }
}
