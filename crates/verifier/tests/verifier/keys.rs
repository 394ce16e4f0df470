//! Keys that are added and removed.

use std::time::Duration;

use countersign_token::AccessClaims;
use countersign_verifier::{ConnectError, Fault, Rejected, Verifier};
use tonic::Status;

use crate::support::{
    Connected, Fake, NOW, claims, connected,
    generated::{KeyAlgorithm, KeyState, revocation::Target},
    revoked, token, token_of,
};

fn made_with(keys: u8) -> String {
    token_of(&claims("a"), keys)
}

#[tokio::test(start_paused = true)]
async fn an_unknown_key_is_fetched_and_waited_for() {
    let Connected { verifier, fake, mut events, .. } = connected(Verifier::builder()).await;
    let new = made_with(2);
    fake.hold(&[1, 2], &[1, 2]);
    assert_eq!(verifier.verify(&new), Err(Rejected::UnknownKey), "no waiting");
    events.until("keys: 2 2").await;
    verifier.verify(&new).unwrap();

    let newer = made_with(3);
    fake.hold(&[1, 2, 3], &[1, 2, 3]);
    tokio::time::advance(Duration::from_secs(5)).await;
    verifier.check(&newer).await.unwrap();
    assert_eq!(fake.state().keys_fetched, 3);
}

#[tokio::test(start_paused = true)]
async fn an_unknown_signing_key_is_fetched_too() {
    let Connected { verifier, fake, .. } = connected(Verifier::builder()).await;
    let issuer = countersign_token::AccessIssuer::new(
        crate::support::ISSUER,
        crate::support::signing_key(2),
        crate::support::content_key(1).into(),
        crate::support::AUDIENCE,
    );
    let token = issuer.unwrap().issue(&claims("a")).unwrap();
    fake.hold(&[1, 2], &[1]);
    verifier.check(&token).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_unknown_keys_costs_a_fetch_every_five_seconds_and_no_waiting() {
    let Connected { verifier, fake, .. } = connected(Verifier::builder()).await;
    let unknown = made_with(2);
    assert_eq!(verifier.check(&unknown).await, Err(Rejected::UnknownKey));
    assert_eq!(fake.state().keys_fetched, 2);
    let begun = tokio::time::Instant::now();
    for keys in 3..100 {
        assert_eq!(verifier.check(&made_with(keys)).await, Err(Rejected::UnknownKey));
    }
    assert_eq!((fake.state().keys_fetched, begun.elapsed()), (2, Duration::ZERO));
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(verifier.check(&unknown).await, Err(Rejected::UnknownKey));
    assert_eq!(fake.state().keys_fetched, 2, "the service does not have it either");
    assert_eq!(verifier.check(&made_with(3)).await, Err(Rejected::UnknownKey));
    assert_eq!(fake.state().keys_fetched, 3);
    // A text that can name no key causes no fetch.
    tokio::time::sleep(Duration::from_secs(5)).await;
    for text in ["....", "a.b.c.d.e", &unknown[1..]] {
        verifier.check(text).await.unwrap_err();
    }
    assert_eq!(fake.state().keys_fetched, 3);
}

#[tokio::test(start_paused = true)]
async fn the_wait_for_keys_has_an_end() {
    let Connected { verifier, fake, .. } = connected(Verifier::builder()).await;
    let fault = Status::unavailable("down");
    fake.state().keys_fault = Some(fault);
    let begun = tokio::time::Instant::now();
    assert_eq!(verifier.check(&made_with(2)).await, Err(Rejected::UnknownKey));
    assert!(begun.elapsed() <= Duration::from_secs(2));
    // It is unknown whether the service has that key, so the next check fetches again.
    fake.state().keys_fault = None;
    fake.hold(&[1, 2], &[1, 2]);
    tokio::time::sleep(Duration::from_secs(5)).await;
    verifier.check(&made_with(2)).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn announced_keys_are_fetched_before_anybody_needs_them() {
    let Connected { verifier, fake, watcher, mut events } = connected(Verifier::builder()).await;
    fake.hold(&[1, 2], &[1, 2]);
    watcher.changes("2", vec![revoked(Target::KeySet("7".to_owned()))]);
    events.until("keys: 2 2").await;
    verifier.verify(&made_with(2)).unwrap();
    verifier.verify(&made_with(1)).unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_key_that_is_gone_takes_its_tokens_along_cached_or_not() {
    let Connected { verifier, fake, watcher, mut events } = connected(Verifier::builder()).await;
    let old = made_with(1);
    verifier.verify(&old).unwrap();
    fake.hold(&[2], &[2]);
    watcher.changes("2", vec![revoked(Target::KeySet("7".to_owned()))]);
    events.until("keys: 1 1").await;
    assert_eq!(verifier.verify(&old), Err(Rejected::UnknownKey));
}

#[tokio::test(start_paused = true)]
async fn a_revoked_key_is_dropped_at_once_and_not_taken_back() {
    for kid in ["sig-1", "enc-1"] {
        let Connected { verifier, fake, watcher, mut events } = connected(Verifier::builder()).await;
        let cached = made_with(1);
        verifier.verify(&cached).unwrap();
        let fetched = fake.state().keys_fetched;
        watcher.changes("2", vec![revoked(Target::KeyId(kid.to_owned()))]);
        events.until("applied: 1 of 1").await;
        assert_eq!(fake.state().keys_fetched, fetched, "before any fetch");
        assert_eq!(verifier.verify(&cached), Err(Rejected::UnknownKey));
        // An answer that was already on its way still contains it.
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert!(fake.state().keys_fetched > fetched);
        assert_eq!(verifier.verify(&cached), Err(Rejected::UnknownKey));
        assert_eq!(verifier.verify(&token("b")), Err(Rejected::UnknownKey));
    }
}

#[tokio::test(start_paused = true)]
async fn a_revoked_key_stays_away_when_that_is_over_and_keys_cannot_be_fetched() {
    for kid in ["sig-1", "enc-1"] {
        let builder = Verifier::builder().longest_token_life(Duration::from_secs(7200));
        let Connected { verifier, fake, watcher, mut events } = connected(builder).await;
        let later = AccessClaims { expires_at: NOW + 7200, ..claims("a") };
        let leaked = token_of(&later, 1);
        verifier.verify(&leaked).unwrap();
        watcher.changes("2", vec![revoked(Target::KeyId(kid.to_owned()))]);
        events.until("applied: 1 of 1").await;
        // An answer that still contains it arrives after that.
        tokio::time::sleep(Duration::from_secs(2)).await;
        let down = Status::unavailable("down");
        fake.state().keys_fault = Some(down);
        for _ in 0..61 {
            watcher.heartbeat(60);
            tokio::time::sleep(Duration::from_secs(60)).await;
        }
        assert_eq!((verifier.status().revocations, verifier.status().stale), (0, false));
        assert_eq!(verifier.verify(&leaked), Err(Rejected::UnknownKey), "forgotten");
        watcher.fail(Status::unavailable("restart"));
        fake.watcher().await.snapshot("3", Vec::new());
        events.until("connected").await;
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert_eq!(verifier.verify(&leaked), Err(Rejected::UnknownKey), "not in the snapshot");
        // Only the service can make it valid again.
        fake.state().keys_fault = None;
        tokio::time::sleep(Duration::from_secs(16)).await;
        verifier.verify(&leaked).unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_revoked_in_the_snapshot_is_never_used() {
    let fake = Fake::new();
    let (verifier, ()) = tokio::join!(fake.connect(Verifier::builder()), async {
        fake.watcher().await.snapshot("1", vec![revoked(Target::KeyId("sig-1".to_owned()))]);
    });
    assert_eq!(verifier.unwrap().verify(&token("a")), Err(Rejected::UnknownKey));
}

#[tokio::test(start_paused = true)]
async fn keys_that_cannot_be_used_are_left_out() {
    let fake = Fake::new();
    fake.hold(&[1, 2, 3, 4, 5], &[1, 2, 3, 4]);
    {
        let keys = &mut fake.state().keys;
        // A point of order one: anybody can sign under it.
        keys.signing_keys[1].public_key = [[1].as_slice(), &[0; 31]].concat();
        keys.signing_keys[2].state = KeyState::Unspecified.into();
        keys.signing_keys[3].state = 99;
        keys.signing_keys[4].key_id = "not a key id".to_owned();
        keys.encryption_keys[1].secret_key.pop();
        keys.encryption_keys[2].algorithm = 99;
        keys.encryption_keys[3].algorithm = KeyAlgorithm::EcdhEs.into();
    }
    let (verifier, ()) = tokio::join!(fake.connect(Verifier::builder()), async {
        fake.watcher().await.snapshot("1", Vec::new());
    });
    let status = verifier.unwrap().status();
    assert_eq!((status.signing_keys, status.encryption_keys), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn answers_without_sense_are_no_keys() {
    let change: [fn(&mut crate::support::generated::GetVerificationKeysResponse); 9] = [
        |keys| keys.audience = "another".to_owned(),
        |keys| keys.issuer.clear(),
        |keys| keys.issuer = "i".repeat(257),
        |keys| keys.tenant_id.clear(),
        |keys| keys.tenant_id = "t".repeat(65),
        |keys| keys.signing_keys.clear(),
        |keys| keys.encryption_keys.clear(),
        |keys| keys.signing_keys = vec![keys.signing_keys[0].clone(); 65],
        |keys| keys.encryption_keys.push(keys.encryption_keys[0].clone()),
    ];
    for change in change {
        let fake = Fake::new();
        change(&mut fake.state().keys);
        let (outcome, _) = tokio::join!(fake.connect(Verifier::builder()), async {
            let watcher = fake.watcher().await;
            watcher.snapshot("1", Vec::new());
            watcher
        });
        assert!(matches!(outcome, Err(ConnectError::TimedOut(Some(Fault::Unreadable(_))))), "{outcome:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_of_another_tenant_is_refused_although_its_keys_are_held() {
    let Connected { verifier, fake, watcher, .. } = connected(Verifier::builder()).await;
    let (own, strange) = (token("a"), token_of(&AccessClaims { tenant_id: "another".to_owned(), ..claims("a") }, 1));
    verifier.verify(&own).unwrap();
    assert_eq!(verifier.verify(&strange), Err(Rejected::WrongTenant));
    assert_eq!(verifier.check(&strange).await, Err(Rejected::WrongTenant));
    assert_eq!(verifier.status().cached_tokens, 1);

    // The same keys under another tenant: cached tokens were checked for the previous tenant.
    fake.state().keys.tenant_id = "another".to_owned();
    watcher.changes("2", vec![revoked(Target::KeySet("7".to_owned()))]);
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(verifier.verify(&own), Err(Rejected::WrongTenant));
    verifier.verify(&strange).unwrap();
}
