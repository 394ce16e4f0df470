//! The life of a key: staged, active, retiring, gone.
//!
//! A key is published when its predecessor becomes active, long before its own first use, so that no replica or
//! verifier meets a token of a key it does not have. An active key makes tokens. It reads them until the last of them
//! has expired.

use crate::{
    action::LONGEST_LINK_LIFE, audience::is_audience_name, audit::LONGEST_RETENTION, closed_list::closed_list,
    id::TenantId, request_id::REQUEST_ID_LIFE, session::LONGEST_ACCESS_LIFE, tenant::DEFAULT_TENANT, time::Timestamp,
};
use std::time::Duration;

closed_list! {
    /// The use of a key. The name is stored in its row.
    pub enum KeyPurpose {
        /// Signs access tokens (Ed25519 seed).
        AccessSigning = "access_signing",
        /// Encrypts the access tokens of one audience (AES-256-GCM, or what ephemeral X25519 keys are derived from).
        AccessEncryption = "access_encryption",
        /// Seals refresh tokens (PASETO v4.local).
        Refresh = "refresh",
        /// Seals the tokens of mailed links, of challenges and of ceremonies of passkeys (PASETO v4.local).
        Action = "action",
        /// Authenticates codes and request ids (HMAC-SHA-256).
        Mac = "mac",
        /// Seals the audit log (HMAC-SHA-256).
        Audit = "audit",
        /// Seals the secrets of factors in the database (PASETO v4.local).
        Factor = "factor",
    }
}

impl KeyPurpose {
    /// Whether verifiers elsewhere hold keys of this purpose.
    pub fn is_shared_with_verifiers(self) -> bool {
        matches!(self, Self::AccessSigning | Self::AccessEncryption)
    }

    /// Whether a key that is retired at once may still read what it made. Nobody presents a link of the hash chain, or
    /// the sealed secret of a factor, as a credential: a leaked key seals nothing more, and erasing it would only make
    /// past events unverifiable, or factors unusable before they are sealed again.
    pub fn outlives_its_retirement(self) -> bool {
        matches!(self, Self::Audit | Self::Factor)
    }
}

/// The set of keys that follow each other: in one slot one key is active and one is staged.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeySlot {
    pub tenant: TenantId,
    pub purpose: KeyPurpose,
    /// Empty for keys without an audience.
    pub audience: String,
}

impl KeySlot {
    /// The slot of a purpose for the whole service.
    pub fn shared(purpose: KeyPurpose) -> Self {
        Self { tenant: DEFAULT_TENANT, purpose, audience: String::new() }
    }

    /// The slot of the encryption keys of an audience.
    pub fn of_audience(tenant: TenantId, audience: &str) -> Self {
        Self { tenant, purpose: KeyPurpose::AccessEncryption, audience: audience.to_owned() }
    }

    /// Whether the slot is valid: encryption keys have an audience, and no other key has one.
    pub fn is_sound(&self) -> bool {
        match self.purpose {
            KeyPurpose::AccessEncryption => is_audience_name(&self.audience),
            _ => self.audience.is_empty() && self.tenant == DEFAULT_TENANT,
        }
    }
}

closed_list! {
    /// The state of a key. The name is stored in its row.
    pub enum KeyState {
        /// The next key: published and accepted, not used yet.
        Staged = "staged",
        /// Makes tokens.
        Active = "active",
        /// Reads what it made, and makes nothing more.
        Retiring = "retiring",
        /// Reads nothing. Its secret is erased.
        Gone = "gone",
    }
}

/// How the content encryption key of an access token is derived.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyAlgorithm {
    /// Shared with every backend of the audience (`dir`, RFC 7518 section 4.5).
    Direct,
    /// Agreed with the public key that the audience registered (`ECDH-ES`, RFC 7518 section 4.6).
    Agreed,
}

impl KeyAlgorithm {
    /// The `alg` of a token, which is also stored in the row of the key.
    pub fn name(self) -> &'static str {
        match self {
            Self::Direct => "dir",
            Self::Agreed => "ECDH-ES",
        }
    }

    /// A row that was written before there was a choice is empty, and means `Direct`.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "" | "dir" => Some(Self::Direct),
            "ECDH-ES" => Some(Self::Agreed),
            _ => None,
        }
    }
}

/// Replicas and verifiers that learn late of a rotation still make and read tokens with the old key: for this long at
/// most.
pub const LATE: Duration = Duration::from_secs(5 * 60);

/// How long a key is published before it replaces a key that has not reached the end of its rotation period, because
/// the backends of an audience want another algorithm: time for replicas and backends to load it.
pub const PUBLISHED: Duration = Duration::from_secs(15);

/// How long a client may cache the JWK set (`Cache-Control: max-age`). A signing key becomes active once every cached
/// copy without it has expired. The JWK set has no encryption keys: backends load them by RPC when the revocation feed
/// says that they changed.
pub const KEY_SET_CACHE_LIFE: Duration = Duration::from_secs(5 * 60);

/// When the two keys of a slot were made.
#[derive(Clone, Copy, Debug)]
pub struct Publication {
    /// When the active key was made.
    pub active_made: Timestamp,
    /// When it became active.
    pub active_since: Timestamp,
    /// When the staged key was made and published.
    pub staged_made: Timestamp,
}

/// How long the staged key waits before it may become active, so that all verifiers have it; `None` when it need not
/// wait.
pub fn wait_until_known(purpose: KeyPurpose, keys: &Publication, now: Timestamp) -> Option<Duration> {
    // The first two keys of a slot are made at the same time: a verifier that has one has the other.
    let is_first = keys.active_since <= keys.active_made && keys.staged_made.since(keys.active_made) < PUBLISHED;
    let known_at = keys.staged_made.plus(KEY_SET_CACHE_LIFE);
    (purpose == KeyPurpose::AccessSigning && !is_first && now < known_at).then(|| known_at.since(now))
}

/// The most tokens for one key. Nonces are random, so a key must make fewer than 2^32 tokens (NIST SP 800-38D section
/// 8.3). Half of that leaves 2^31 for tokens that a replica made and did not count before it crashed.
pub const MOST_TOKENS: u64 = 1 << 31;

/// How long a key of factors is kept at least, so that every replica has sealed its last secret with it.
const RESEALED: Duration = Duration::from_secs(24 * 60 * 60);

/// How long the row of a key that is gone is kept for inspection.
pub const TOMBSTONE_LIFE: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// How long keys are active, and how long their tokens live.
#[derive(Clone, Copy, Debug)]
pub struct KeySchedule {
    /// For keys that sign access tokens, and keys of refresh tokens and links.
    pub signing_rotation: Duration,
    /// For keys that encrypt access tokens.
    pub encryption_rotation: Duration,
    /// The longest life of a session.
    pub session_life: Duration,
}

impl KeySchedule {
    /// How long a key of this purpose is active. `None`: until an operator rotates it.
    pub fn rotation(&self, purpose: KeyPurpose) -> Option<Duration> {
        match purpose {
            KeyPurpose::AccessSigning | KeyPurpose::Refresh | KeyPurpose::Action => Some(self.signing_rotation),
            KeyPurpose::AccessEncryption => Some(self.encryption_rotation),
            KeyPurpose::Mac | KeyPurpose::Audit | KeyPurpose::Factor => None,
        }
    }

    /// When a key that retires now may be erased: when nothing that it made is valid any more.
    ///
    /// Where settings limit the life, the longest life that they allow counts, so that lowering a setting does not
    /// invalidate what was made before. A refresh token is sealed again at each refresh, so an idle period would be
    /// enough to keep people logged in. But the replay of a rotated refresh token is reuse, and must be recognized for
    /// as long as its session may live.
    pub fn forget_at(&self, purpose: KeyPurpose, now: Timestamp) -> Timestamp {
        let life = match purpose {
            KeyPurpose::AccessSigning | KeyPurpose::AccessEncryption => LONGEST_ACCESS_LIFE,
            KeyPurpose::Refresh => self.session_life,
            KeyPurpose::Action => LONGEST_LINK_LIFE,
            // Codes live for an hour at most; idempotency keys live longer.
            KeyPurpose::Mac => REQUEST_ID_LIFE,
            KeyPurpose::Audit => LONGEST_RETENTION,
            // Its factors are sealed again soon after. None may be left when it is erased (`RotateKeys`).
            KeyPurpose::Factor => RESEALED,
        };
        now.plus(life).plus(LATE)
    }
}

/// The facts by which a key is judged.
#[derive(Clone, Copy, Debug)]
pub struct KeyFacts {
    pub purpose: KeyPurpose,
    pub state: KeyState,
    /// When it became active.
    pub active_since: Option<Timestamp>,
    /// Since when the staged key of its slot has another algorithm.
    pub superseded_since: Option<Timestamp>,
    /// How many tokens it made.
    pub issued: u64,
    /// When a retiring key may be erased.
    pub forget_at: Option<Timestamp>,
    /// When its secret was erased.
    pub gone_since: Option<Timestamp>,
}

/// The next change of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The successor of the key becomes active.
    Rotate,
    /// The secret of the key is erased.
    Forget,
    /// The row of the key is deleted.
    Purge,
}

/// The change that is due for a key now. A required instant that is missing counts as long ago, so that a key without a
/// known end is erased.
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
        // A rotation just after the first start; and an upgrade from a release that staged no successor.
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
            (KeyPurpose::Factor, DAY),
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
        fn keys_of_codes_factors_and_the_audit_log_never_rotate_by_themselves(
            since in any::<i64>(),
            issued in any::<u64>(),
            now in any::<i64>(),
        ) {
            for purpose in [KeyPurpose::Mac, KeyPurpose::Audit, KeyPurpose::Factor] {
                let key = KeyFacts { active_since: Some(Timestamp::from_micros(since)), issued, ..active(purpose) };
                prop_assert_eq!(due(&key, Timestamp::from_micros(now), &SCHEDULE), None);
            }
        }
    }
}
