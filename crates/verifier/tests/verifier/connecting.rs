//! From an address and credentials to a verifier.

use std::time::Duration;

use countersign_verifier::{ConnectError, Credentials, Fault, Rejected, StalePolicy, Verifier};
use tonic::{Code, Status};

use crate::support::{AUDIENCE, Connected, Fake, connected, generated::revocation::Target, revoked, token};

async fn refused(fake: &Fake) -> ConnectError {
    fake.connect(Verifier::builder()).await.unwrap_err()
}

#[tokio::test(start_paused = true)]
async fn a_verifier_is_there_when_keys_and_revocations_are() {
    let Connected { verifier, fake, watcher, .. } = connected(Verifier::builder()).await;
    assert_eq!(watcher.cursor, "");
    assert_eq!(verifier.verify(&token("a")).unwrap().subject(), "account-of-a");
    let status = verifier.status();
    assert_eq!((status.signing_keys, status.encryption_keys, status.revocations), (1, 1, 0));
    assert_eq!(fake.state().tokens, 1, "one service token serves all calls");
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_of_which_a_part_is_missing_is_waited_for() {
    let fake = Fake::new();
    let (outcome, ()) = tokio::join!(fake.connect(Verifier::builder()), async {
        let watcher = fake.watcher().await;
        let part = crate::support::generated::RevocationSnapshot { revocations: Vec::new(), complete: false };
        watcher.send("", crate::support::generated::watch_revocations_response::Event::Snapshot(part));
        watcher.closed().await;
    });
    assert!(matches!(outcome, Err(ConnectError::TimedOut(None))), "{outcome:?}");
}

#[tokio::test(start_paused = true)]
async fn credentials_that_are_refused_are_named_at_once() {
    let fake = Fake::new();
    fake.state().token_fault = Some(Status::unauthenticated("no"));
    let error = refused(&fake).await;
    assert!(matches!(error, ConnectError::CredentialsRefused(Fault::Refused(Code::Unauthenticated))), "{error:?}");
    assert_eq!(tokio::time::Instant::now().elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn an_audience_that_is_refused_is_named_at_once() {
    let fake = Fake::new();
    fake.state().keys_fault = Some(Status::permission_denied("no"));
    let error = refused(&fake).await;
    assert!(matches!(error, ConnectError::AudienceRefused(Fault::Refused(Code::PermissionDenied))), "{error:?}");
    let fake = Fake::new();
    fake.state().token_fault = Some(Status::not_found("no"));
    let error = refused(&fake).await;
    assert!(matches!(error, ConnectError::AudienceRefused(Fault::Refused(Code::NotFound))), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn a_service_that_comes_up_late_is_waited_for() {
    let fake = Fake::new();
    fake.state().token_fault = Some(Status::unavailable("starting"));
    let (verifier, ()) = tokio::join!(fake.connect(Verifier::builder()), async {
        tokio::time::sleep(Duration::from_secs(2)).await;
        fake.state().token_fault = None;
        fake.watcher().await.snapshot("1", Vec::new());
    });
    verifier.unwrap().verify(&token("a")).unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_service_that_stays_away_is_given_up_with_the_last_cause() {
    let fake = Fake::new();
    fake.state().token_fault = Some(Status::unavailable("down"));
    let error = refused(&fake).await;
    assert!(matches!(error, ConnectError::TimedOut(Some(Fault::Unavailable(Code::Unavailable)))), "{error:?}");
}

#[tokio::test]
async fn an_address_has_to_be_one_and_to_be_safe() {
    let connect = |address: &'static str| Verifier::connect(address, Credentials::new("a", "b"), AUDIENCE);
    for address in ["", "localhost:50051", "ftp://localhost", "http://", "/", "https://a b"] {
        let error = connect(address).await.unwrap_err();
        assert!(matches!(error, ConnectError::BadAddress), "{address}: {error:?}");
    }
    for address in
        ["http://10.0.0.1:1", "http://id.example.test", "http://localhost.example.test", "http://[2001:db8::1]"]
    {
        let error = connect(address).await.unwrap_err();
        assert!(matches!(error, ConnectError::Plaintext), "{address}: {error:?}");
    }
    let hasty = Verifier::builder().connect_timeout(Duration::ZERO);
    for address in ["http://localhost:1", "http://127.0.0.1:1", "http://[::1]:1", "https://localhost:1"] {
        let error = hasty.clone().connect(address, Credentials::new("a", "b"), AUDIENCE).await.unwrap_err();
        assert!(matches!(error, ConnectError::TimedOut(_)), "{address}: {error:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn settings_without_sense_are_refused() {
    let fake = Fake::new();
    let hasty = StalePolicy::FailClosed { after: Duration::from_millis(999) };
    let error = fake.connect(Verifier::builder().stale_policy(hasty)).await.unwrap_err();
    assert!(matches!(error, ConnectError::BadSetting(_)), "{error:?}");
    let error = Verifier::builder().connect_over(fake.channel(), Credentials::new("a", "b"), "").await.unwrap_err();
    assert!(matches!(error, ConnectError::BadSetting(_)), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn a_service_token_is_renewed_before_it_expires() {
    let Connected { fake, verifier: _verifier, watcher: _watcher, .. } = connected(Verifier::builder()).await;
    let drawn_and_fetched = || {
        let state = fake.state();
        (state.tokens, state.keys_fetched)
    };
    fake.state().token_life = 1200;
    // Keys are fetched every five minutes, each time with a token; the first token is kept for 450 of its 600 seconds.
    tokio::time::sleep(Duration::from_secs(310)).await;
    assert_eq!(drawn_and_fetched(), (1, 2));
    tokio::time::sleep(Duration::from_secs(300)).await;
    assert_eq!(drawn_and_fetched(), (2, 3));
}

#[tokio::test(start_paused = true)]
async fn a_service_token_that_is_no_longer_accepted_is_replaced() {
    let Connected { fake, watcher, mut events, verifier: _verifier } = connected(Verifier::builder()).await;
    fake.state().refuse_tokens_up_to = 1;
    watcher.fail(Status::unauthenticated("expired"));
    let again = fake.watcher().await;
    again.heartbeat(5);
    events.until("connected").await;
    assert_eq!((again.cursor.as_str(), fake.state().tokens), ("1", 2));
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_ends_with_its_token_is_opened_again_with_another() {
    let Connected { fake, watcher, verifier, mut events } = connected(Verifier::builder()).await;
    assert_eq!(watcher.token, 1);
    // The service sends a revocation of the caller itself before it ends the stream.
    let own = revoked(Target::SessionId("session-a".to_owned()));
    watcher.changes("2", vec![own]);
    watcher.fail(Status::unauthenticated("SESSION_ENDED"));
    let again = fake.watcher().await;
    assert_eq!((again.cursor.as_str(), again.token), ("2", 2));
    events.until("applied: 1 of 1").await;
    assert_eq!(verifier.verify(&token("a")), Err(Rejected::Revoked));

    // Any other end means nothing for the token.
    again.fail(Status::unavailable("restart"));
    assert_eq!(fake.watcher().await.token, 2);
}

#[tokio::test(start_paused = true)]
async fn the_task_ends_with_the_last_handle() {
    let Connected { verifier, watcher, .. } = connected(Verifier::builder()).await;
    let other = verifier.clone();
    drop(verifier);
    watcher.heartbeat(5);
    other.verify(&token("a")).unwrap();
    drop(other);
    watcher.closed().await;
}
