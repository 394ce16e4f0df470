//! Offline verifiers: tokens, time and the cache.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use countersign_verifier::{Clock, FeedState, OfflineKeys, Rejected, Verifier};

use crate::support::{AUDIENCE, Events, ISSUER, NOW, TENANT, TestClock, claims, offline_keys, token, token_of};

/// A clock that the test sets.
#[derive(Clone)]
struct Hand(Arc<AtomicI64>);

impl Clock for Hand {
    fn unix_seconds(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }

    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }
}

fn offline() -> (Verifier, Arc<AtomicI64>) {
    let now = Arc::new(AtomicI64::new(NOW));
    (Verifier::builder().clock(Hand(Arc::clone(&now))).offline(offline_keys()).unwrap(), now)
}

#[test]
fn a_token_says_what_it_says() {
    let (verifier, _) = offline();
    let found = verifier.verify(&token("a")).unwrap();
    assert_eq!(found.subject(), "account-of-a");
    assert_eq!(found.session_id(), "session-a");
    assert_eq!(found.tenant_id(), TENANT);
    assert_eq!(found.token_id(), "token-of-a");
    assert_eq!(found.roles(), ["editor", "billing"]);
    assert!(found.has_role("editor") && !found.has_role("edit") && !found.has_role(""));
    assert_eq!(found.methods(), ["pwd"]);
    assert_eq!(found.level(), "1");
    assert_eq!((found.issuer(), found.audience()), (ISSUER, AUDIENCE));
    assert_eq!((found.issued_at(), found.expires_at(), found.authenticated_at()), (NOW, NOW + 600, NOW - 3600));
    assert_eq!(found.checked_at(), NOW);
    assert!(!found.is_service());

    let service = countersign_token::AccessClaims { level: "service".to_owned(), ..claims("b") };
    assert!(verifier.verify(&token_of(&service, 1)).unwrap().is_service());
}

#[test]
fn a_cached_token_expires_to_the_second() {
    let (verifier, now) = offline();
    let token = token("a");
    let first = verifier.verify(&token).unwrap();
    now.store(NOW + 599, Ordering::Relaxed);
    let again = verifier.verify(&token).unwrap();
    assert_eq!((again.subject(), again.checked_at()), (first.subject(), NOW + 599));
    assert_eq!(verifier.status().cached_tokens, 1);
    now.store(NOW + 600, Ordering::Relaxed);
    assert_eq!(verifier.verify(&token), Err(Rejected::Expired));
}

#[test]
fn what_is_no_token_is_refused_and_never_kept() {
    let (verifier, _) = offline();
    let good = token("a");
    verifier.verify(&good).unwrap();
    let (start, end) = good.split_at(good.len() / 2);
    let mut hostile = vec![
        (String::new(), Rejected::Missing),
        (" ".to_owned(), Rejected::Malformed),
        ("....".to_owned(), Rejected::UnknownKey),
        ("a".repeat(1 << 20), Rejected::Malformed),
        ("\u{1F600}".repeat(22), Rejected::Malformed),
        ("v4.local.AAAA".to_owned(), Rejected::Malformed),
        (format!("{good} "), Rejected::Malformed),
        (token_of(&claims("a"), 2), Rejected::UnknownKey),
    ];
    // The end is that of a cached token, so both have the same slot.
    let other = if start.ends_with('A') { 'B' } else { 'A' };
    hostile.push((format!("{}{other}{end}", &start[..start.len() - 1]), Rejected::NotAuthentic));
    for (text, why) in hostile {
        assert_eq!(verifier.verify(&text), Err(why), "{} bytes", text.len());
        assert_eq!(verifier.status().cached_tokens, 1);
    }
    verifier.verify(&good).unwrap();
}

#[test]
fn tokens_of_others_are_refused() {
    let (verifier, _) = offline();
    let of = |claims| verifier.verify(&token_of(&claims, 1)).unwrap_err();
    let future = countersign_token::AccessClaims { issued_at: NOW + 60, ..claims("a") };
    assert_eq!(of(future), Rejected::NotYetValid);
    let mut keys = offline_keys();
    keys.audience = "another".to_owned();
    let another = Verifier::builder().clock(TestHand).offline(keys).unwrap();
    assert_eq!(another.verify(&token("a")), Err(Rejected::WrongAudience));
    let mut keys = offline_keys();
    keys.issuer.push('/');
    let another = Verifier::builder().clock(TestHand).offline(keys).unwrap();
    assert_eq!(another.verify(&token("a")), Err(Rejected::WrongIssuer));
}

#[test]
fn no_token_lives_longer_than_the_verifier_takes_whoever_signed_it() {
    let living =
        |seconds: i64| token_of(&countersign_token::AccessClaims { expires_at: NOW + seconds, ..claims("a") }, 1);
    let (usual, _) = offline();
    usual.verify(&living(3600)).unwrap();
    assert_eq!(usual.verify(&living(3601)), Err(Rejected::LivesTooLong));
    let strict = Verifier::builder().clock(TestHand).longest_token_life(Duration::from_secs(600));
    let strict = strict.offline(offline_keys()).unwrap();
    strict.verify(&living(600)).unwrap();
    assert_eq!(strict.verify(&living(601)), Err(Rejected::LivesTooLong));
    assert_eq!(strict.status().cached_tokens, 1);
}

#[test]
fn a_token_of_another_tenant_is_refused_unless_any_will_do() {
    let strange = token_of(&countersign_token::AccessClaims { tenant_id: "another".to_owned(), ..claims("a") }, 1);
    let verifier = |tenant_id: Option<&str>| {
        let keys = OfflineKeys { tenant_id: tenant_id.map(str::to_owned), ..offline_keys() };
        Verifier::builder().clock(TestHand).offline(keys).unwrap()
    };
    for tenant_id in [TENANT, "anothe", "another "] {
        assert_eq!(verifier(Some(tenant_id)).verify(&strange), Err(Rejected::WrongTenant), "{tenant_id}");
        assert_eq!(verifier(Some(tenant_id)).status().cached_tokens, 0);
    }
    for tenant_id in [Some("another"), None] {
        assert_eq!(verifier(tenant_id).verify(&strange).unwrap().tenant_id(), "another");
    }
    verifier(None).verify(&token("a")).unwrap();
}

struct TestHand;

impl Clock for TestHand {
    fn unix_seconds(&self) -> i64 {
        NOW
    }

    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }
}

#[test]
fn the_cache_keeps_to_its_room_and_can_be_switched_off() {
    for (asked, room) in [(0, 0), (1, 4), (64, 64), (65, 128)] {
        let verifier = Verifier::builder().clock(TestHand).cached_tokens(asked).offline(offline_keys()).unwrap();
        for number in 0..300 {
            let token = token(&number.to_string());
            for _ in 0..2 {
                assert_eq!(verifier.verify(&token).unwrap().session_id(), format!("session-{number}"));
            }
        }
        let kept = verifier.status().cached_tokens;
        assert!(kept <= room && (room == 0 || kept > room / 2), "{kept} of {room}");
    }
}

#[test]
fn an_observer_hears_of_every_token_and_of_its_cause() {
    let (observer, mut events) = Events::new();
    let verifier = Verifier::builder().clock(TestHand).observer(observer).offline(offline_keys()).unwrap();
    let token = token("a");
    verifier.verify(&token).unwrap();
    verifier.verify(&token).unwrap();
    verifier.verify("").unwrap_err();
    assert_eq!(events.so_far(), ["verified, cached: false", "verified, cached: true", "rejected: missing"]);
}

#[tokio::test(start_paused = true)]
async fn without_a_feed_nothing_is_ever_stale() {
    let verifier = Verifier::builder().clock(TestClock::new()).offline(offline_keys()).unwrap();
    tokio::time::advance(Duration::from_secs(599)).await;
    verifier.verify(&token("a")).unwrap();
    assert_eq!(verifier.check(&token_of(&claims("a"), 2)).await, Err(Rejected::UnknownKey));
    let status = verifier.status();
    assert_eq!((status.feed, status.stale, status.last_message_age), (FeedState::Offline, false, None));
}

#[test]
fn nothing_shows_a_token_or_a_secret() {
    let (verifier, _) = offline();
    let token = token("a");
    let claims = verifier.verify(&token).unwrap();
    let credentials = countersign_verifier::Credentials::new("orders", "very-secret");
    let shown = format!("{verifier:?} {claims:?} {credentials:?} {:?} {:?}", Verifier::builder(), offline_keys());
    let key = format!("{:?}", [101_u8; 4]);
    for secret in [&token[..20], "very-secret", "editor", key.trim_matches(['[', ']'])] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
}
