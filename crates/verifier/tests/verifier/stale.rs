//! What happens to tokens while nothing is heard.

use std::time::Duration;

use countersign_verifier::{Outside, Rejected, StalePolicy, Verifier};
use tonic::Status;

use crate::support::{Connected, connected, token, token_of};

const AFTER: Duration = Duration::from_secs(60);

/// Long after the service has gone.
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
    assert_eq!(Rejected::FeedStale.outside(), Outside::Unavailable);
    again.heartbeat(5);
    // The stream was left by now, or it was not: either way the next one is heard.
    tokio::select! {
        () = events.until("connected") => {}
        next = fake.watcher() => {
            next.heartbeat(5);
            events.until("connected").await;
        }
    }
    verifier.verify(&token).unwrap();
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
