//! Revocations: which tokens are no longer valid, for backends that verify tokens offline.

use crate::{closed_list::closed_list, id::TenantId, session::LONGEST_ACCESS_LIFE, time::Timestamp};
use std::time::Duration;

/// How much longer than any token a revocation is kept: for a token that a refresh issues just before the revocation
/// takes effect, and for clocks that differ.
const MARGIN: Duration = Duration::from_secs(120);

/// How far the clocks of two replicas may differ. A revocation of a subject or tenant may reach this far into the
/// future, so that it covers tokens that another replica is just issuing.
pub const CLOCK_LEEWAY: Duration = Duration::from_secs(5);

/// How long a revocation must be kept.
pub const REVOCATION_LIFE: Duration = Duration::from_secs(LONGEST_ACCESS_LIFE.as_secs() + MARGIN.as_secs());

closed_list! {
    /// What is revoked. The name is stored.
    pub enum RevocationKind {
        /// A session: the tokens with its `sid`.
        Session = "session",
        /// An account or a service: its tokens that were issued up to an instant.
        Subject = "subject",
        /// A tenant: its tokens that were issued up to an instant.
        Tenant = "tenant",
        /// A key: everything that it signed or encrypted.
        Key = "key",
        /// Nothing is revoked, but the set of keys has changed.
        KeySet = "key_set",
    }
}

impl RevocationKind {
    /// Whether it concerns the verifiers of every tenant: all tenants share signing keys, and the ids of keys reveal
    /// nothing.
    pub fn concerns_everybody(self) -> bool {
        matches!(self, Self::Key | Self::KeySet)
    }
}

/// One revocation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revocation {
    pub tenant: TenantId,
    pub kind: RevocationKind,
    /// The id of the session, subject, tenant or key; for a key set its audience, or empty for all.
    pub target: String,
    /// When it took effect. For subjects and tenants, it revokes tokens that were issued up to then.
    pub since: Timestamp,
}

impl Revocation {
    /// When the last token that it can concern has expired.
    pub fn expires_at(&self) -> Timestamp {
        self.since.plus(REVOCATION_LIFE)
    }
}

/// How far a copy of the feed goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeedMark {
    /// Counts how often the copy was replaced.
    pub history: u64,
    /// The last sequence number in it.
    pub position: i64,
}

/// What an access token names, and a revocation may.
#[derive(Clone, Copy, Debug)]
pub struct TokenNames<'a> {
    pub tenant: TenantId,
    /// The `sid`: the id of the session, or of the secret of a service.
    pub session: &'a str,
    pub subject: &'a str,
    /// In seconds.
    pub issued_at: i64,
}

impl Revocation {
    /// Whether a token is revoked by this. A token of a revoked key is none that can be read.
    pub fn covers(&self, token: &TokenNames<'_>) -> bool {
        let is_older = token.issued_at <= self.since.as_seconds();
        self.tenant == token.tenant
            && match self.kind {
                RevocationKind::Session => self.target == token.session,
                RevocationKind::Subject => is_older && self.target == token.subject,
                RevocationKind::Tenant => is_older,
                RevocationKind::Key | RevocationKind::KeySet => false,
            }
    }
}

/// Up to where a follower has read the feed: a sequence number, and the instant of that revocation. The instant reveals
/// a feed that continued from an older backup, with the same numbers for other revocations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeedCursor {
    pub position: i64,
    pub since: Timestamp,
}

impl FeedCursor {
    /// The beginning of the feed.
    pub const START: Self = Self { position: 0, since: Timestamp::from_micros(0) };

    /// Parses the text that `Display` of [`FeedCursor`] writes; `None` for any other.
    pub fn parse(text: &str) -> Option<Self> {
        let (position, since) = text.split_once('.')?;
        let cursor = Self { position: position.parse().ok()?, since: Timestamp::from_micros(since.parse().ok()?) };
        // Only the canonical text is accepted: not "+7" or "007".
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
    use uuid::Uuid;

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
    fn a_revocation_covers_the_tokens_that_it_names_and_of_a_subject_or_tenant_the_older_ones() {
        let (tenant, other) = (TenantId::from_uuid(Uuid::from_u128(1)), TenantId::from_uuid(Uuid::from_u128(2)));
        let token = TokenNames { tenant, session: "s", subject: "p", issued_at: 100 };
        let revocation = |tenant: TenantId, kind, target: &str, seconds| Revocation {
            tenant,
            kind,
            target: target.to_owned(),
            since: Timestamp::from_seconds(seconds),
        };
        let itself = tenant.to_string();
        for (kind, target, seconds, covers) in [
            (RevocationKind::Session, "s", 0, true),
            (RevocationKind::Session, "t", 200, false),
            (RevocationKind::Session, "p", 200, false),
            (RevocationKind::Subject, "p", 100, true),
            (RevocationKind::Subject, "p", 99, false),
            (RevocationKind::Subject, "s", 200, false),
            (RevocationKind::Tenant, &itself, 100, true),
            (RevocationKind::Tenant, &itself, 99, false),
            (RevocationKind::Key, "s", 200, false),
            (RevocationKind::KeySet, "", 200, false),
        ] {
            assert_eq!(revocation(tenant, kind, target, seconds).covers(&token), covers, "{kind:?} {target} {seconds}");
            assert!(!revocation(other, kind, target, seconds).covers(&token), "of another tenant: {kind:?} {target}");
        }
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
