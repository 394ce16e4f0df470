//! Wrong wall clocks.

use std::time::Duration;

use countersign_verifier::{Rejected, Verifier};
use prost_types::Timestamp;
use tonic::Status;

use crate::support::{
    Connected, NOW, TestClock, connected_by,
    generated::{Revocation, revocation::Target},
    revoked, token,
};

fn session(name: &str) -> Revocation {
    revoked(Target::SessionId(format!("session-{name}")))
}

/// Lets so many seconds pass with heartbeats. After more than 64 seconds all expired entries have been dropped.
async fn pass(connected: &Connected, seconds: u64) {
    for _ in 0..seconds / 10 {
        connected.watcher.heartbeat(10);
        tokio::time::sleep(Duration::from_secs(10)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_jumps_ahead_and_back_loses_no_revocation() {
    let clock = TestClock::new();
    let mut connected = connected_by(clock.clone(), Verifier::builder()).await;
    connected.watcher.changes("2", vec![session("a"), revoked(Target::KeyId("sig-9".to_owned()))]);
    connected.events.until("applied: 2 of 2").await;
    clock.jump(7200);
    pass(&connected, 70).await;
    assert_eq!(connected.verifier.status().revocations, 2);
    clock.jump(-7200);
    assert_eq!(connected.verifier.verify(&token("a")), Err(Rejected::Revoked));

    // The same with a snapshot that arrives in between.
    clock.jump(7200);
    connected.watcher.fail(Status::unavailable("restart"));
    connected.fake.watcher().await.snapshot("3", vec![session("a"), session("b")]);
    connected.events.until("applied: 2 of 2").await;
    clock.jump(-7200);
    for name in ["a", "b"] {
        assert_eq!(connected.verifier.verify(&token(name)), Err(Rejected::Revoked), "{name}");
    }
    connected.verifier.verify(&token("c")).unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_behind_keeps_revocations_for_as_long_as_their_tokens_hold() {
    let clock = TestClock::new();
    let mut connected = connected_by(clock.clone(), Verifier::builder()).await;
    let expire_time = Some(Timestamp { seconds: NOW + 600, nanos: 0 });
    connected.watcher.changes("2", vec![Revocation { expire_time, ..session("a") }]);
    connected.events.until("applied: 1 of 1").await;
    pass(&connected, 100).await;
    clock.jump(-100);
    pass(&connected, 590).await;
    connected.verifier.verify(&token("b")).unwrap();
    assert_eq!(connected.verifier.verify(&token("a")), Err(Rejected::Revoked));
    pass(&connected, 80).await;
    assert_eq!(connected.verifier.status().revocations, 0);
}
