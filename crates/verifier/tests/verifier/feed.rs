//! The revocation feed.

use std::time::Duration;

use countersign_verifier::{FeedState, Rejected, Verifier};
use prost_types::Timestamp;
use tonic::Status;

use crate::support::{
    Connected, Fake, NOW, TENANT, claims, connected,
    generated::{
        Revocation, RevocationChanges, RevocationSnapshot, revocation::Target, watch_revocations_response::Event,
    },
    revoked, token, token_of,
};

fn session(name: &str) -> Revocation {
    revoked(Target::SessionId(format!("session-{name}")))
}

#[tokio::test(start_paused = true)]
async fn a_revoked_session_is_over_at_once_cached_or_not() {
    let Connected { verifier, watcher, mut events, .. } = connected(Verifier::builder()).await;
    let (cached, fresh, other) = (token("a"), token("a"), token("b"));
    verifier.verify(&cached).unwrap();
    watcher.changes("2", vec![session("a")]);
    events.until("applied: 1 of 1").await;
    assert_eq!(verifier.verify(&cached), Err(Rejected::Revoked));
    assert_eq!(verifier.verify(&fresh), Err(Rejected::Revoked));
    verifier.verify(&other).unwrap();
}

#[tokio::test(start_paused = true)]
async fn subjects_and_tenants_are_over_up_to_a_second() {
    let Connected { verifier, watcher, mut events, .. } = connected(Verifier::builder()).await;
    let at = |name: &str, issued_at| token_of(&countersign_token::AccessClaims { issued_at, ..claims(name) }, 1);
    let (old, same, new) = (at("a", NOW - 1), at("a", NOW), at("a", NOW + 1));
    for token in [&old, &same, &new] {
        verifier.verify(token).unwrap();
    }
    watcher.changes("2", vec![revoked(Target::Subject("account-of-a".to_owned()))]);
    events.until("applied: 1 of 1").await;
    assert_eq!(verifier.verify(&old), Err(Rejected::Revoked));
    assert_eq!(verifier.verify(&same), Err(Rejected::Revoked), "issued in the second of the revocation");
    verifier.verify(&new).unwrap();
    // A tenant is no subject, and a subject is no session.
    verifier.verify(&at("c", NOW)).unwrap();
    watcher.changes("3", vec![revoked(Target::TenantId("account-of-c".to_owned()))]);
    watcher.changes("4", vec![revoked(Target::SessionId("account-of-c".to_owned()))]);
    events.until("applied: 1 of 3").await;
    verifier.verify(&at("c", NOW)).unwrap();
    watcher.changes("5", vec![revoked(Target::TenantId(TENANT.to_owned()))]);
    events.until("applied: 1 of 4").await;
    assert_eq!(verifier.verify(&at("c", NOW)), Err(Rejected::Revoked));
    verifier.verify(&at("c", NOW + 1)).unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_later_of_two_revocations_of_one_thing_holds() {
    let Connected { verifier, watcher, mut events, .. } = connected(Verifier::builder()).await;
    let subject = |seconds| Revocation {
        not_after_time: Some(Timestamp { seconds, nanos: 0 }),
        ..revoked(Target::Subject("account-of-a".to_owned()))
    };
    watcher.changes("2", vec![subject(NOW + 4), subject(NOW - 4)]);
    events.until("applied: 2 of 1").await;
    assert_eq!(verifier.verify(&token("a")), Err(Rejected::Revoked));
}

#[tokio::test(start_paused = true)]
async fn a_broken_stream_is_taken_up_where_it_broke() {
    let Connected { verifier, fake, watcher, mut events } = connected(Verifier::builder()).await;
    watcher.changes("2", vec![session("a")]);
    events.until("applied: 1 of 1").await;
    watcher.fail(Status::unavailable("restart"));
    let again = fake.watcher().await;
    assert_eq!(again.cursor, "2");
    assert_eq!(verifier.status().feed, FeedState::Lost);
    assert_eq!(verifier.verify(&token("a")), Err(Rejected::Revoked), "what was known stays known");
    again.changes("3", vec![session("b")]);
    events.until("connected").await;
    assert_eq!(verifier.verify(&token("a")), Err(Rejected::Revoked));
    assert_eq!(verifier.verify(&token("b")), Err(Rejected::Revoked));
    drop(again);
    assert_eq!(fake.watcher().await.cursor, "3");
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_takes_the_place_of_everything_but_not_before_it_is_complete() {
    let Connected { verifier, fake, watcher, mut events } = connected(Verifier::builder()).await;
    watcher.changes("2", vec![session("a"), session("b")]);
    events.until("applied: 2 of 2").await;
    watcher.fail(Status::unavailable("restart"));
    let again = fake.watcher().await;
    let part = RevocationSnapshot { revocations: vec![session("b")], complete: false };
    again.send("", Event::Snapshot(part));
    again.fail(Status::unavailable("in the middle"));
    let again = fake.watcher().await;
    assert_eq!(again.cursor, "2", "half a snapshot is none");
    assert_eq!(verifier.verify(&token("a")), Err(Rejected::Revoked));
    again.send("", Event::Snapshot(RevocationSnapshot { revocations: vec![session("b")], complete: false }));
    again.snapshot("9", vec![session("c")]);
    events.until("applied: 2 of 2").await;
    verifier.verify(&token("a")).unwrap();
    assert_eq!(verifier.verify(&token("b")), Err(Rejected::Revoked));
    assert_eq!(verifier.verify(&token("c")), Err(Rejected::Revoked));
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_read_costs_the_stream_and_brings_a_snapshot() {
    let unreadable = [
        Some(Event::Changes(RevocationChanges {
            revocations: vec![session("a"), Revocation::default(), session("b")],
        })),
        None,
        Some(Event::Snapshot(RevocationSnapshot { revocations: vec![Revocation::default()], complete: true })),
    ];
    for event in unreadable {
        let changes = matches!(event, Some(Event::Changes(_)));
        let Connected { verifier, fake, watcher, mut events } = connected(Verifier::builder()).await;
        watcher.send_raw(event, "2");
        let again = fake.watcher().await;
        assert_eq!(again.cursor, "", "only a snapshot can tell what was missed");
        assert_eq!(verifier.status().feed, FeedState::Lost);
        for name in ["a", "b"] {
            let expected = if changes { Err(Rejected::Revoked) } else { Ok(()) };
            assert_eq!(verifier.verify(&token(name)).map(drop), expected, "what could be read of it holds");
        }
        again.heartbeat(5);
        let again = fake.watcher().await;
        assert_eq!(verifier.status().feed, FeedState::Lost, "a heartbeat is no snapshot");
        again.snapshot("3", Vec::new());
        events.until("connected").await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_cursor_that_is_refused_is_given_up_for_a_snapshot() {
    let Connected { verifier, fake, watcher, mut events } = connected(Verifier::builder()).await;
    fake.state().refuse_cursors = true;
    watcher.fail(Status::unavailable("restart"));
    let again = fake.watcher().await;
    assert_eq!((again.cursor.as_str(), fake.state().cursors_refused), ("", 1), "refused when it was opened");
    again.snapshot("2", vec![session("a")]);
    events.until("connected").await;
    again.fail(Status::invalid_argument("cursor"));
    let again = fake.watcher().await;
    assert_eq!((again.cursor.as_str(), fake.state().cursors_refused), ("", 1), "refused in the stream");
    assert_eq!(verifier.verify(&token("a")), Err(Rejected::Revoked), "what was known stays known");
    again.snapshot("3", Vec::new());
    events.until("connected").await;
    verifier.verify(&token("a")).unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_message_over_the_limit_is_not_asked_for_again() {
    let Connected { verifier, fake, watcher, .. } = connected(Verifier::builder()).await;
    watcher.send(&"c".repeat(5 << 20), Event::Changes(RevocationChanges::default()));
    assert_eq!(fake.watcher().await.cursor, "");
    assert_eq!(verifier.status().feed, FeedState::Lost);
}

#[tokio::test(start_paused = true)]
async fn after_a_gap_the_keys_are_fetched_too() {
    let Connected { verifier, fake, watcher, mut events } = connected(Verifier::builder()).await;
    fake.hold(&[1, 2], &[1, 2]);
    watcher.fail(Status::unavailable("restart"));
    fake.watcher().await.snapshot("9", Vec::new());
    events.until("keys: 2 2").await;
    verifier.verify(&token_of(&claims("a"), 2)).unwrap();
}

#[tokio::test(start_paused = true)]
async fn changes_in_the_middle_of_a_snapshot_and_endless_cursors_are_refused() {
    let fake = Fake::new();
    let (verifier, ()) = tokio::join!(fake.connect(Verifier::builder()), async {
        let watcher = fake.watcher().await;
        watcher.send("", Event::Snapshot(RevocationSnapshot { revocations: Vec::new(), complete: false }));
        watcher.changes("1", vec![session("a")]);
        let watcher = fake.watcher().await;
        watcher.snapshot(&"c".repeat(1025), Vec::new());
        let watcher = fake.watcher().await;
        assert_eq!(watcher.cursor, "");
        watcher.snapshot("1", Vec::new());
    });
    verifier.unwrap().verify(&token("a")).unwrap();
}

#[tokio::test(start_paused = true)]
async fn more_revocations_than_there_is_room_for_make_the_feed_stale_and_not_the_memory_full() {
    let many = |from: u32, to| (from..to).map(|number| session(&number.to_string())).collect::<Vec<_>>();
    let Connected { verifier, fake, watcher, mut events } = connected(Verifier::builder().most_revocations(10)).await;
    watcher.changes("2", many(0, 10));
    events.until("applied: 10 of 10").await;
    watcher.changes("3", many(10, 11));
    let mut again = fake.watcher().await;
    for _ in 0..5 {
        assert_eq!(again.cursor, "");
        again.snapshot("4", many(0, 1000));
        again = fake.watcher().await;
    }
    assert_eq!(verifier.status().revocations, 11);
    tokio::time::advance(Duration::from_secs(61)).await;
    assert_eq!(verifier.verify(&token("x")), Err(Rejected::FeedStale));
    // That stream has been silent for too long by now.
    again.closed().await;
    fake.watcher().await.snapshot("5", many(0, 10));
    events.until("connected").await;
    verifier.verify(&token("x")).unwrap();
    assert_eq!(verifier.verify(&token("9")), Err(Rejected::Revoked));
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_falls_silent_is_left_after_three_heartbeats() {
    let Connected { fake, watcher, verifier: _verifier, .. } = connected(Verifier::builder()).await;
    watcher.heartbeat(5);
    // Time is virtual, so this passes exactly as long as the verifier waits.
    let begun = tokio::time::Instant::now();
    let again = fake.watcher().await;
    assert!((15..16).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
    assert_eq!(again.cursor, "1");
    watcher.closed().await;
}

#[tokio::test(start_paused = true)]
async fn revocations_are_forgotten_when_they_are_over() {
    let Connected { verifier, watcher, mut events, .. } = connected(Verifier::builder()).await;
    let until = |name: &str, seconds| Revocation {
        expire_time: Some(Timestamp { seconds, nanos: 0 }),
        ..revoked(Target::SessionId(format!("session-{name}")))
    };
    watcher.changes("2", vec![until("a", NOW + 60), until("b", NOW + 600)]);
    events.until("applied: 2 of 2").await;
    assert_eq!(verifier.status().revocations, 2);
    for _ in 0..20 {
        watcher.heartbeat(20);
        tokio::time::sleep(Duration::from_secs(10)).await;
    }
    assert_eq!(verifier.status().revocations, 1);
    assert_eq!(verifier.verify(&token("b")), Err(Rejected::Revoked));
}

#[tokio::test(start_paused = true)]
async fn the_clocks_are_compared() {
    let Connected { verifier, watcher, mut events, .. } = connected(Verifier::builder()).await;
    tokio::time::advance(Duration::from_secs(7)).await;
    watcher.changes("2", Vec::new());
    events.until("applied: 0 of 0").await;
    assert_eq!(verifier.status().clock_skew_millis, Some(-7000));
}
