//! Test keys, as public as this file, and tokens that they sign.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use countersign_token::{AccessClaims, AccessIssuer, ContentKey, KeyId, SigningKey};
use countersign_verifier::{Clock, OfflineKeys};
use tokio::time::Instant;

pub(crate) const ISSUER: &str = "https://id.example.test";
pub(crate) const AUDIENCE: &str = "default";
/// As long as the tenant ids of the service.
pub(crate) const TENANT: &str = "01a00000-0000-7000-8000-00000000000a";
pub(crate) const NOW: i64 = 1_800_000_000;

/// The longest wait of a test: a longer one would be in vain.
pub(crate) const LONGEST_WAIT: Duration = Duration::from_secs(600);

/// Virtual time: that of tokio, which tests advance. The wall clock can be wrong.
#[derive(Clone)]
pub(crate) struct TestClock {
    origin: Instant,
    ahead: Arc<AtomicI64>,
}

impl TestClock {
    pub(crate) fn new() -> Self {
        Self { origin: Instant::now(), ahead: Arc::default() }
    }

    /// Moves the wall clock by so many seconds, forwards or backwards.
    pub(crate) fn jump(&self, seconds: i64) {
        self.ahead.fetch_add(seconds, Ordering::Relaxed);
    }
}

impl Clock for TestClock {
    fn unix_seconds(&self) -> i64 {
        NOW + i64::try_from(self.origin.elapsed().as_secs()).unwrap() + self.ahead.load(Ordering::Relaxed)
    }

    fn monotonic(&self) -> Duration {
        self.origin.elapsed()
    }
}

fn id(text: &str) -> KeyId {
    KeyId::new(text).unwrap()
}

/// The signing key `sig-<number>`.
pub(crate) fn signing_key(number: u8) -> SigningKey {
    SigningKey::from_seed(id(&format!("sig-{number}")), [number; 32])
}

/// The content key `enc-<number>`.
pub(crate) fn content_key(number: u8) -> ContentKey {
    ContentKey::new(id(&format!("enc-{number}")), [number + 100; 32])
}

/// Makes tokens with the signing key and the content key of this number.
pub(crate) fn issuer(number: u8) -> AccessIssuer {
    AccessIssuer::new(ISSUER, signing_key(number), content_key(number).into(), AUDIENCE).unwrap()
}

/// Claims of the session `name` and its account that are valid for ten minutes.
pub(crate) fn claims(name: &str) -> AccessClaims {
    AccessClaims {
        issuer: ISSUER.to_owned(),
        audience: AUDIENCE.to_owned(),
        subject: format!("account-of-{name}"),
        issued_at: NOW,
        expires_at: NOW + 600,
        token_id: format!("token-of-{name}"),
        session_id: format!("session-{name}"),
        tenant_id: TENANT.to_owned(),
        roles: vec!["editor".to_owned(), "billing".to_owned()],
        methods: vec!["pwd".to_owned()],
        level: "1".to_owned(),
        authenticated_at: NOW - 3600,
    }
}

/// A token of the session `name`, under the first keys.
pub(crate) fn token(name: &str) -> String {
    token_of(&claims(name), 1)
}

/// A token under the keys of this number.
pub(crate) fn token_of(claims: &AccessClaims, keys: u8) -> String {
    issuer(keys).issue(claims).unwrap()
}

/// The first keys.
pub(crate) fn offline_keys() -> OfflineKeys {
    OfflineKeys {
        issuer: ISSUER.to_owned(),
        audience: AUDIENCE.to_owned(),
        tenant_id: Some(TENANT.to_owned()),
        verifying: vec![signing_key(1).verifying_key()],
        decryption: vec![content_key(1).into()],
    }
}
