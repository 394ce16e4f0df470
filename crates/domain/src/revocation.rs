//! What no longer holds, as it is told to those who check tokens by themselves.

use crate::{closed_list::closed_list, id::TenantId, session::LONGEST_ACCESS_LIFE, time::Timestamp};
use std::time::Duration;

/// How much longer than any token a revocation is remembered: for the token that a session that was just
/// refreshed may still be given, and for clocks that do not agree.
const MARGIN: Duration = Duration::from_secs(120);

/// How far apart the clocks of two replicas may be. Of what was issued while something was revoked up to an instant,
/// none is forgotten then.
pub const CLOCK_LEEWAY: Duration = Duration::from_secs(5);

/// How long a revocation is of consequence.
pub const REVOCATION_LIFE: Duration = Duration::from_secs(LONGEST_ACCESS_LIFE.as_secs() + MARGIN.as_secs());

closed_list! {
    /// What kind of thing no longer holds. The name is stored.
    pub enum RevocationKind {
        /// A session: the tokens with its `sid`.
        Session = "session",
        /// An account or a service: its tokens up to an instant.
        Subject = "subject",
        /// A tenant: its tokens up to an instant.
        Tenant = "tenant",
        /// A key: whatever was signed or encrypted with it.
        Key = "key",
        /// Nothing is over, but the set of keys is another than before.
        KeySet = "key_set",
    }
}

impl RevocationKind {
    /// Whether it concerns the verifiers of every tenant: signing keys are everybody's, and the ids of keys tell
    /// nothing.
    pub fn concerns_everybody(self) -> bool {
        matches!(self, Self::Key | Self::KeySet)
    }
}

/// One thing that no longer holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revocation {
    pub tenant: TenantId,
    pub kind: RevocationKind,
    /// The id of the session, subject, tenant or key; for a set of keys its audience, or nothing for all.
    pub target: String,
    /// When it came into force. Of subjects and tenants, tokens that were issued until then are over.
    pub since: Timestamp,
}

impl Revocation {
    /// When the last token it could concern is over.
    pub fn expires_at(&self) -> Timestamp {
        self.since.plus(REVOCATION_LIFE)
    }
}

/// Up to where a follower of the feed has heard everything: a position, and when the entry there came into force. The
/// second tells two histories apart, of which one went on from a backup of the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeedCursor {
    pub position: i64,
    pub since: Timestamp,
}

impl FeedCursor {
    /// Before everything.
    pub const START: Self = Self { position: 0, since: Timestamp::from_micros(0) };

    /// Reads what [`FeedCursor`]'s `Display` wrote; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let (position, since) = text.split_once('.')?;
        let cursor = Self { position: position.parse().ok()?, since: Timestamp::from_micros(since.parse().ok()?) };
        // One cursor, one spelling: "+7" and "007" are none.
        (cursor.position >= 0 && cursor.to_string() == text).then_some(cursor)
    }
}

impl std::fmt::Display for FeedCursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.position, self.since.as_micros())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_revocation_outlives_every_token_it_could_concern() {
        let since = Timestamp::from_seconds(1_000);
        let revocation = Revocation {
            tenant: crate::tenant::DEFAULT_TENANT,
            kind: RevocationKind::Session,
            target: String::new(),
            since,
        };
        assert!(revocation.expires_at() > since.plus(LONGEST_ACCESS_LIFE));
    }

    #[test]
    fn only_what_was_written_is_a_cursor() {
        for text in ["", ".", "1", "1.", ".1", "-1.0", "+1.0", "01.0", "1.2.3", "1.x", "9223372036854775808.0", "1. 2"]
        {
            assert_eq!(FeedCursor::parse(text), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn a_cursor_is_read_back_as_it_was_written(position in 0_i64.., since in any::<i64>()) {
            let cursor = FeedCursor { position, since: Timestamp::from_micros(since) };
            prop_assert_eq!(FeedCursor::parse(&cursor.to_string()), Some(cursor));
        }
    }
}
