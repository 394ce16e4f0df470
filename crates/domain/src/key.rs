//! The life of a key: staged, active, retiring, gone.
//!
//! A key is published as soon as its predecessor begins to work, long before its own first use, so that nobody meets a
//! token made with a key they have not heard of. It makes tokens while it is active, and reads them until the last one
//! is over.

use crate::{
    action::LONGEST_LINK_LIFE, audience::is_audience_name, audit::LONGEST_RETENTION, closed_list::closed_list,
    id::TenantId, request_id::REQUEST_ID_LIFE, session::LONGEST_ACCESS_LIFE, tenant::DEFAULT_TENANT, time::Timestamp,
};
use std::time::Duration;

closed_list! {
    /// What a key is for. The name stands in its rows.
    pub enum KeyPurpose {
        /// Signs access tokens (Ed25519 seed).
        AccessSigning = "access_signing",
        /// Encrypts the access tokens of one audience (AES-256-GCM, or what ephemeral X25519 keys are derived from).
        AccessEncryption = "access_encryption",
        /// Seals refresh tokens (PASETO v4.local).
        Refresh = "refresh",
        /// Seals the tokens of mailed links (PASETO v4.local).
        Action = "action",
        /// Authenticates codes and request ids (HMAC-SHA-256).
        Mac = "mac",
        /// Seals the audit trail (HMAC-SHA-256).
        Audit = "audit",
    }
}

impl KeyPurpose {
    /// Whether verifiers elsewhere hold keys of this purpose.
    pub fn is_shared_with_verifiers(self) -> bool {
        matches!(self, Self::AccessSigning | Self::AccessEncryption)
    }

    /// Whether a key that is taken out of use at once goes on to read what it made. Nobody presents a link of the audit
    /// trail: a key that leaked seals nothing more, and erasing it would only make the past unprovable.
    pub fn outlives_its_retirement(self) -> bool {
        self == Self::Audit
    }
}

/// Where a key belongs: of the keys of one slot one is active and one is staged.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeySlot {
    pub tenant: TenantId,
    pub purpose: KeyPurpose,
    /// Empty for keys that belong to no audience.
    pub audience: String,
}

impl KeySlot {
    /// The slot of a purpose that the whole service shares.
    pub fn shared(purpose: KeyPurpose) -> Self {
        Self { tenant: DEFAULT_TENANT, purpose, audience: String::new() }
    }

    /// The slot of what encrypts the access tokens of an audience.
    pub fn of_audience(tenant: TenantId, audience: &str) -> Self {
        Self { tenant, purpose: KeyPurpose::AccessEncryption, audience: audience.to_owned() }
    }

    /// Whether a key can belong here: encryption keys have an audience, and no other key has one.
    pub fn is_sound(&self) -> bool {
        match self.purpose {
            KeyPurpose::AccessEncryption => is_audience_name(&self.audience),
            _ => self.audience.is_empty() && self.tenant == DEFAULT_TENANT,
        }
    }
}

closed_list! {
    /// Where a key is in its life. The name stands in its row.
    pub enum KeyState {
        /// The next one: published and accepted, not used yet.
        Staged = "staged",
        /// What tokens are made with.
        Active = "active",
        /// Reads what it made; makes nothing any more.
        Retiring = "retiring",
        /// Reads nothing. Its secret is erased.
        Gone = "gone",
    }
}

/// How the content key of an access token comes about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyAlgorithm {
    /// Shared with every backend of the audience (`dir`, RFC 7518 section 4.5).
    Direct,
    /// Agreed with the public key that the audience registered (`ECDH-ES`, RFC 7518 section 4.6).
    Agreed,
}

impl KeyAlgorithm {
    /// As in the `alg` of a token, and what its row says.
    pub fn name(self) -> &'static str {
        match self {
            Self::Direct => "dir",
            Self::Agreed => "ECDH-ES",
        }
    }

    /// A row from before there was a choice says nothing.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "" | "dir" => Some(Self::Direct),
            "ECDH-ES" => Some(Self::Agreed),
            _ => None,
        }
    }
}

/// Replicas and verifiers that heard of a rotation late still make and read tokens with the old key for this long, at
/// most.
pub const LATE: Duration = Duration::from_secs(5 * 60);

/// How long a key is published at least before it takes over from one that would work for longer, because the backends
/// of an audience want another kind: time for replicas and backends to hear of it.
pub const PUBLISHED: Duration = Duration::from_secs(15);

/// For how long the JWK set may be kept by whoever fetched it (`Cache-Control: max-age`). A signing key takes over once
/// every copy that does not hold it is too old. Keys of encryption are in no such copy: backends ask for them by RPC,
/// and the feed calls them.
pub const KEY_SET_CACHE_LIFE: Duration = Duration::from_secs(5 * 60);

/// When the two keys of a slot came about.
#[derive(Clone, Copy, Debug)]
pub struct Publication {
    /// When the active key was made.
    pub active_made: Timestamp,
    /// Since when it has made tokens.
    pub active_since: Timestamp,
    /// When the key that is to follow it was made, and published.
    pub staged_made: Timestamp,
}

/// How long the key that is to take over waits until everybody who checks tokens can have it; `None` when it need not.
pub fn wait_until_known(purpose: KeyPurpose, keys: &Publication, now: Timestamp) -> Option<Duration> {
    // The first keys of a slot are made together: whoever has one has the other.
    let is_first = keys.active_since <= keys.active_made && keys.staged_made.since(keys.active_made) < PUBLISHED;
    let known_at = keys.staged_made.plus(KEY_SET_CACHE_LIFE);
    (purpose == KeyPurpose::AccessSigning && !is_first && now < known_at).then(|| known_at.since(now))
}

/// Nonces are random, so a key must not make 2^32 tokens (NIST SP 800-38D section 8.3). Half of that leaves 2^31 for
/// the counts that replicas lost when they crashed.
pub const MOST_TOKENS: u64 = 1 << 31;

/// How long the row of a key that is gone is kept to be looked at.
pub const TOMBSTONE_LIFE: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// How long keys work, and how long what they made may be around.
#[derive(Clone, Copy, Debug)]
pub struct KeySchedule {
    /// Keys that sign access tokens, and those of refresh tokens and links.
    pub signing_rotation: Duration,
    /// Keys that encrypt access tokens.
    pub encryption_rotation: Duration,
    /// The longest life of a session.
    pub session_life: Duration,
}

impl KeySchedule {
    /// How long a key of this purpose is active. `None`: until somebody rotates it.
    pub fn rotation(&self, purpose: KeyPurpose) -> Option<Duration> {
        match purpose {
            KeyPurpose::AccessSigning | KeyPurpose::Refresh | KeyPurpose::Action => Some(self.signing_rotation),
            KeyPurpose::AccessEncryption => Some(self.encryption_rotation),
            KeyPurpose::Mac | KeyPurpose::Audit => None,
        }
    }

    /// When a key that stops working now may go: when nothing it made can be good any more.
    ///
    /// The longest lives that settings allow count where there are such, so that lowering a setting does not strand
    /// what was made before. A refresh token is sealed anew at each refresh, so an idle life would do to keep people
    /// signed in; but one that was replaced and comes back is a theft, and has to be recognised for as long as its
    /// session may live.
    pub fn forget_at(&self, purpose: KeyPurpose, now: Timestamp) -> Timestamp {
        let life = match purpose {
            KeyPurpose::AccessSigning | KeyPurpose::AccessEncryption => LONGEST_ACCESS_LIFE,
            KeyPurpose::Refresh => self.session_life,
            KeyPurpose::Action => LONGEST_LINK_LIFE,
            // Codes live for an hour at most; request ids live longer.
            KeyPurpose::Mac => REQUEST_ID_LIFE,
            KeyPurpose::Audit => LONGEST_RETENTION,
        };
        now.plus(life).plus(LATE)
    }
}

/// What is known of a key when it is judged.
#[derive(Clone, Copy, Debug)]
pub struct KeyFacts {
    pub purpose: KeyPurpose,
    pub state: KeyState,
    /// Since when it has made tokens.
    pub active_since: Option<Timestamp>,
    /// Since when the key that is to follow it is one of another kind.
    pub superseded_since: Option<Timestamp>,
    /// How many tokens were made with it.
    pub issued: u64,
    /// When a retiring key may go.
    pub forget_at: Option<Timestamp>,
    /// Since when it is gone.
    pub gone_since: Option<Timestamp>,
}

/// What is to be done with a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Its successor takes over.
    Rotate,
    /// Its secret is erased.
    Forget,
    /// Its row is deleted.
    Purge,
}

/// What is due for a key now. An instant that is missing where there must be one counts as long ago: a key of which
/// nobody knows how long it may stay does not stay.
pub fn due(key: &KeyFacts, now: Timestamp, schedule: &KeySchedule) -> Option<Step> {
    let since = |instant: Option<Timestamp>| instant.map_or(Duration::MAX, |instant| now.since(instant));
    match key.state {
        KeyState::Staged => None,
        KeyState::Active => {
            let rotation = schedule.rotation(key.purpose);
            let is_old = rotation.is_some_and(|rotation| since(key.active_since) >= rotation);
            let is_superseded = key.superseded_since.is_some_and(|at| now.since(at) >= PUBLISHED);
            let is_worn = key.purpose == KeyPurpose::AccessEncryption && key.issued >= MOST_TOKENS;
            (is_old || is_worn || is_superseded).then_some(Step::Rotate)
        }
        KeyState::Retiring => key.forget_at.is_none_or(|at| at <= now).then_some(Step::Forget),
        KeyState::Gone => (since(key.gone_since) >= TOMBSTONE_LIFE).then_some(Step::Purge),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const DAY: Duration = Duration::from_secs(24 * 60 * 60);
    const SCHEDULE: KeySchedule = KeySchedule {
        signing_rotation: Duration::from_secs(30 * 24 * 60 * 60),
        encryption_rotation: Duration::from_secs(7 * 24 * 60 * 60),
        session_life: Duration::from_secs(90 * 24 * 60 * 60),
    };
    const START: Timestamp = Timestamp::from_seconds(1_800_000_000);

    fn active(purpose: KeyPurpose) -> KeyFacts {
        KeyFacts {
            purpose,
            state: KeyState::Active,
            active_since: Some(START),
            superseded_since: None,
            issued: 0,
            forget_at: None,
            gone_since: None,
        }
    }

    #[test]
    fn a_signing_key_takes_over_once_no_copy_of_the_set_is_without_it() {
        let keys = Publication { active_made: START.minus(DAY), active_since: START, staged_made: START };
        let wait = |keys, seconds| {
            wait_until_known(KeyPurpose::AccessSigning, &keys, START.plus(Duration::from_secs(seconds)))
        };
        assert_eq!(wait(keys, 0), Some(KEY_SET_CACHE_LIFE));
        assert_eq!(wait(keys, 299), Some(Duration::from_secs(1)));
        assert_eq!(wait(keys, 300), None);
        let first = Publication { active_made: START, ..keys };
        assert_eq!(wait(first, 0), None, "nobody has one without the other");
        // A rotation just after the first start, and the successor that an earlier release had none of.
        let second = Publication { active_since: START.plus(Duration::from_secs(1)), ..first };
        let upgraded = Publication { active_since: START.minus(DAY), ..keys };
        for keys in [second, upgraded] {
            assert_eq!(wait(keys, 0), Some(KEY_SET_CACHE_LIFE));
        }
        for purpose in KeyPurpose::ALL.into_iter().filter(|purpose| *purpose != KeyPurpose::AccessSigning) {
            assert_eq!(wait_until_known(purpose, &keys, START), None, "{purpose:?} is in no copy");
        }
    }

    #[test]
    fn names_are_read_as_they_were_written() {
        for purpose in KeyPurpose::ALL {
            assert_eq!(KeyPurpose::from_name(purpose.name()), Some(purpose));
        }
        for state in KeyState::ALL {
            assert_eq!(KeyState::from_name(state.name()), Some(state));
        }
        for algorithm in [KeyAlgorithm::Direct, KeyAlgorithm::Agreed] {
            assert_eq!(KeyAlgorithm::from_name(algorithm.name()), Some(algorithm));
        }
        assert_eq!(KeyAlgorithm::from_name(""), Some(KeyAlgorithm::Direct), "a row of the release before");
        for unknown in ["Active", "active ", "none", "ecdh-es", "ECDH-ES+A256KW"] {
            assert_eq!(KeyPurpose::from_name(unknown), None);
            assert_eq!(KeyState::from_name(unknown), None);
            assert_eq!(KeyAlgorithm::from_name(unknown), None);
        }
    }

    #[test]
    fn a_key_rotates_at_the_moment_its_time_is_over_and_not_before() {
        for (purpose, days) in [
            (KeyPurpose::AccessSigning, 30),
            (KeyPurpose::Refresh, 30),
            (KeyPurpose::Action, 30),
            (KeyPurpose::AccessEncryption, 7),
        ] {
            let moment = START.plus(days * DAY);
            assert_eq!(due(&active(purpose), moment.minus(Duration::from_micros(1)), &SCHEDULE), None);
            assert_eq!(due(&active(purpose), moment, &SCHEDULE), Some(Step::Rotate), "{purpose:?}");
        }
    }

    #[test]
    fn an_encryption_key_rotates_when_it_has_made_half_the_tokens_it_may() {
        let worn = |purpose, issued| due(&KeyFacts { issued, ..active(purpose) }, START, &SCHEDULE);
        assert_eq!(worn(KeyPurpose::AccessEncryption, MOST_TOKENS - 1), None);
        assert_eq!(worn(KeyPurpose::AccessEncryption, MOST_TOKENS), Some(Step::Rotate));
        assert_eq!(worn(KeyPurpose::AccessSigning, u64::MAX), None, "a signature has no nonce to repeat");
    }

    #[test]
    fn a_retiring_key_goes_when_the_last_thing_it_made_is_over() {
        for (purpose, life) in [
            (KeyPurpose::AccessSigning, LONGEST_ACCESS_LIFE),
            (KeyPurpose::AccessEncryption, LONGEST_ACCESS_LIFE),
            (KeyPurpose::Refresh, 90 * DAY),
            (KeyPurpose::Action, LONGEST_LINK_LIFE),
            (KeyPurpose::Mac, DAY),
            (KeyPurpose::Audit, LONGEST_RETENTION),
        ] {
            let forget_at = SCHEDULE.forget_at(purpose, START);
            assert_eq!(forget_at, START.plus(life).plus(LATE), "{purpose:?}");
            let key = KeyFacts { state: KeyState::Retiring, forget_at: Some(forget_at), ..active(purpose) };
            assert_eq!(due(&key, forget_at.minus(Duration::from_micros(1)), &SCHEDULE), None);
            assert_eq!(due(&key, forget_at, &SCHEDULE), Some(Step::Forget));
        }
    }

    #[test]
    fn a_key_without_the_instant_it_must_have_does_not_stay() {
        let lost = |state| KeyFacts { state, active_since: None, ..active(KeyPurpose::Refresh) };
        assert_eq!(due(&lost(KeyState::Active), START, &SCHEDULE), Some(Step::Rotate));
        assert_eq!(due(&lost(KeyState::Retiring), START, &SCHEDULE), Some(Step::Forget));
        assert_eq!(due(&lost(KeyState::Gone), START, &SCHEDULE), Some(Step::Purge));
    }

    #[test]
    fn a_key_that_is_followed_by_one_of_another_kind_goes_when_that_has_been_published_for_a_while() {
        let key = KeyFacts { superseded_since: Some(START), ..active(KeyPurpose::AccessEncryption) };
        let second = Duration::from_secs(1);
        assert_eq!(due(&key, START.plus(PUBLISHED - second), &SCHEDULE), None);
        assert_eq!(due(&key, START.plus(PUBLISHED), &SCHEDULE), Some(Step::Rotate));
    }

    fn any_key() -> impl Strategy<Value = KeyFacts> {
        let instant = || proptest::option::of(any::<i64>().prop_map(Timestamp::from_micros));
        let state = prop::sample::select(KeyState::ALL.to_vec());
        let purpose = prop::sample::select(KeyPurpose::ALL.to_vec());
        (purpose, state, instant(), instant(), any::<u64>(), instant(), instant()).prop_map(
            |(purpose, state, active_since, superseded_since, issued, forget_at, gone_since)| KeyFacts {
                purpose,
                state,
                active_since,
                superseded_since,
                issued,
                forget_at,
                gone_since,
            },
        )
    }

    proptest! {
        #[test]
        fn a_key_takes_only_the_step_that_its_state_allows(key in any_key(), now in any::<i64>()) {
            let allowed = match key.state {
                KeyState::Staged => None,
                KeyState::Active => Some(Step::Rotate),
                KeyState::Retiring => Some(Step::Forget),
                KeyState::Gone => Some(Step::Purge),
            };
            let step = due(&key, Timestamp::from_micros(now), &SCHEDULE);
            prop_assert!(step.is_none() || step == allowed);
        }

        #[test]
        fn what_is_due_stays_due(key in any_key(), now in any::<i64>(), later in any::<u32>()) {
            let now = Timestamp::from_micros(now);
            let step = due(&key, now, &SCHEDULE);
            if step.is_some() {
                prop_assert_eq!(due(&key, now.plus(Duration::from_secs(later.into())), &SCHEDULE), step);
            }
        }

        #[test]
        fn keys_of_codes_and_of_the_audit_trail_never_rotate_by_themselves(
            since in any::<i64>(),
            issued in any::<u64>(),
            now in any::<i64>(),
        ) {
            for purpose in [KeyPurpose::Mac, KeyPurpose::Audit] {
                let key = KeyFacts { active_since: Some(Timestamp::from_micros(since)), issued, ..active(purpose) };
                prop_assert_eq!(due(&key, Timestamp::from_micros(now), &SCHEDULE), None);
            }
        }
    }
}
