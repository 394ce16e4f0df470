//! Tokens while the revocation feed is interrupted.

use std::time::Duration;

use countersign_verifier::{FeedState, Observer, PublicReason, Rejected, StalePolicy, Verifier};
use tonic::Status;

use crate::support::{Connected, Fake, Warnings, connected, generated::revocation::Target, revoked, token, token_of};

const AFTER: Duration = Duration::from_secs(60);

/// A verifier long after its service stopped.
async fn cut_off(policy: StalePolicy) -> Connected {
    let connected = connected(Verifier::builder().stale_policy(policy)).await;
    connected.fake.state().token_fault = Some(Status::unavailable("gone"));
    connected.fake.state().refuse_tokens_up_to = 1;
    connected.watcher.fail(Status::unavailable("gone"));
    tokio::time::sleep(Duration::from_secs(61)).await;
    connected
}

#[tokio::test(start_paused = true)]
async fn by_default_tokens_are_refused_after_a_minute_and_not_before() {
    let Connected { verifier, fake, watcher, mut events } = connected(Verifier::builder()).await;
    fake.state().keys_fault = Some(Status::unavailable("gone"));
    let token = token("a");
    watcher.fail(Status::unavailable("gone"));
    let again = fake.watcher().await;
    tokio::time::advance(Duration::from_secs(59)).await;
    verifier.verify(&token).unwrap();
    tokio::time::advance(Duration::from_secs(2)).await;
    assert_eq!(verifier.verify(&token), Err(Rejected::FeedStale));
    assert_eq!(verifier.check(&token).await, Err(Rejected::FeedStale));
    assert!(verifier.status().stale);
    assert_eq!(Rejected::FeedStale.public_reason(), PublicReason::Unavailable);
    again.heartbeat(5);
    // The verifier may have closed this stream already: in both cases the next message arrives.
    tokio::select! {
        () = events.until("connected") => {}
        next = fake.watcher() => {
            next.heartbeat(5);
            events.until("connected").await;
        }
    }
    verifier.verify(&token).unwrap();
}

/// An observer that panics at revocations.
struct Clumsy;

impl Observer for Clumsy {
    fn revocations_applied(&self, arrived: usize, _: usize) {
        assert_eq!(arrived, 0, "a fault of the observer");
    }
}

#[tokio::test(start_paused = true)]
async fn an_observer_that_panics_loses_the_feed_and_everybody_sees_it() {
    let fake = Fake::new();
    let (verifier, watcher) = tokio::join!(fake.connect(Verifier::builder().observer(Clumsy)), async {
        let watcher = fake.watcher().await;
        watcher.snapshot("1", Vec::new());
        watcher
    });
    let verifier = verifier.unwrap();
    assert_eq!(verifier.status().feed, FeedState::Live);
    watcher.changes("2", vec![revoked(Target::SessionId("session-a".to_owned()))]);
    watcher.closed().await;
    assert_eq!(verifier.status().feed, FeedState::Lost);
    verifier.verify(&token("b")).unwrap();
    tokio::time::advance(Duration::from_secs(61)).await;
    assert_eq!(verifier.verify(&token("b")), Err(Rejected::FeedStale));
}

#[test]
fn with_the_runtime_the_feed_ends_too() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    let Connected { verifier, .. } = runtime.block_on(connected(Verifier::builder()));
    assert_eq!(verifier.status().feed, FeedState::Live);
    drop(runtime);
    assert_eq!(verifier.status().feed, FeedState::Lost);
}

#[tokio::test(start_paused = true)]
async fn who_fails_open_goes_on_with_what_is_known() {
    let Connected { verifier, .. } = cut_off(StalePolicy::FailOpen).await;
    verifier.verify(&token("a")).unwrap();
    assert!(!verifier.status().stale);
    assert!(verifier.status().last_message_age.unwrap() >= AFTER);
}

#[tokio::test(start_paused = true)]
async fn who_introspects_asks_about_good_tokens_only() {
    let Connected { verifier, fake, .. } = cut_off(StalePolicy::Introspect { after: AFTER }).await;
    let token = token("a");
    assert_eq!(verifier.verify(&token), Err(Rejected::FeedStale), "verify never waits");
    assert_eq!(verifier.check(&token).await, Err(Rejected::FeedStale), "the service cannot be asked");

    fake.state().token_fault = None;
    fake.state().active = true;
    verifier.check(&token).await.unwrap();
    fake.state().active = false;
    assert_eq!(verifier.check(&token).await, Err(Rejected::Inactive));
    assert_eq!(fake.state().introspected, [token.clone(), token.clone()]);
    fake.state().introspect_fault = Some(Status::internal("broken"));
    assert_eq!(verifier.check(&token).await, Err(Rejected::FeedStale));

    // The last character of a tag carries two bits: it is one of A, Q, g and w.
    let (start, last) = token.split_at(token.len() - 1);
    let forged = format!("{start}{}", if last == "A" { "Q" } else { "A" });
    let strange = token_of(&crate::support::claims("a"), 9);
    for text in ["", "x", &forged, &strange] {
        verifier.check(text).await.unwrap_err();
    }
    assert_eq!(fake.state().introspected.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_service_that_is_silent_for_longer_than_the_policy_bears_is_warned_of_once() {
    const WARNING: &str = "may refuse valid tokens";
    for (policy, seconds, expected) in [
        (StalePolicy::default(), 20, 0),
        (StalePolicy::default(), 21, 1),
        (StalePolicy::Introspect { after: Duration::from_secs(10) }, 5, 1),
        (StalePolicy::FailOpen, 300, 0),
    ] {
        let warnings = Warnings::listen();
        let Connected { watcher, fake, verifier: _verifier, .. } =
            connected(Verifier::builder().stale_policy(policy)).await;
        watcher.heartbeat(seconds);
        watcher.heartbeat(seconds);
        watcher.fail(Status::unavailable("restart"));
        fake.watcher().await.heartbeat(seconds);
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(warnings.of(WARNING), expected, "{policy:?}, every {seconds} s");
    }
}
