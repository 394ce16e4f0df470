//! Checks by many threads at the same time.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
};

use countersign_verifier::{Rejected, Verifier};

use crate::support::{
    Connected, claims, connected,
    generated::{Revocation, revocation::Target},
    revoked, token_of,
};

const THREADS: usize = 4;

fn session(number: usize) -> Revocation {
    revoked(Target::SessionId(format!("session-{number}")))
}

/// Makes `checks` calls of `check` by all threads, each with another number.
fn hammer(checks: usize, check: impl Fn(usize) + Sync) {
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= checks {
                        return;
                    }
                    check(number);
                }
            });
        }
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn no_answer_is_wrong_while_keys_rotate() {
    let Connected { verifier, fake, watcher, mut events } = connected(Verifier::builder()).await;
    let tokens: Vec<String> =
        (0..64).map(|number| token_of(&claims(&number.to_string()), u8::try_from(number % 2).unwrap() + 1)).collect();
    fake.hold(&[1, 2], &[1, 2]);
    watcher.changes("2", vec![revoked(Target::KeySet("1".to_owned()))]);
    events.until("keys: 2 2").await;

    let (stop, verifying) = (Arc::new(AtomicBool::new(false)), verifier.clone());
    let hammered = Arc::clone(&stop);
    let checking = tokio::task::spawn_blocking(move || {
        hammer(200_000, |number| {
            let at = number % tokens.len();
            let found = verifying.verify(&tokens[at]);
            assert_eq!(found.unwrap().session_id(), format!("session-{at}"));
        });
        hammered.store(true, Ordering::Release);
    });
    // Other keys are added and removed while two stay in use, a key at a time.
    let mut rotations = 0;
    while !stop.load(Ordering::Acquire) {
        for number in 3..6_u8 {
            fake.hold(&[1, 2, number], &[1, 2, number]);
            drop(verifier.check(&token_of(&claims("x"), number)).await);
            watcher.changes("3", vec![revoked(Target::KeySet("1".to_owned()))]);
            events.until("keys: 3 3").await;
            rotations += 1;
        }
    }
    checking.await.unwrap();
    assert!(rotations > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_accepted_after_it_was_revoked_and_nothing_else_is_refused() {
    const SESSIONS: usize = 256;
    // Space for a quarter of them, so that tokens are evicted all the time.
    let builder = Verifier::builder().cached_tokens(SESSIONS / 4);
    let Connected { verifier, watcher, mut events, .. } = connected(builder).await;
    let tokens: Arc<Vec<String>> = Arc::new((0..SESSIONS).map(|n| token_of(&claims(&n.to_string()), 1)).collect());
    // Sessions below the first number are known to be revoked; sessions from the second number on are not revoked yet.
    let (over, mentioned) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let checking = {
        let (tokens, over, mentioned) = (Arc::clone(&tokens), Arc::clone(&over), Arc::clone(&mentioned));
        let verifier = verifier.clone();
        tokio::task::spawn_blocking(move || {
            hammer(40_000, |number| {
                let at = number * 7 % SESSIONS;
                let surely_over = at < over.load(Ordering::Acquire);
                let found = verifier.verify(&tokens[at]);
                let maybe_over = at < mentioned.load(Ordering::Acquire);
                match found {
                    Ok(found) => assert!(!surely_over && found.session_id() == format!("session-{at}")),
                    Err(why) => assert!(maybe_over && why == Rejected::Revoked, "{at}: {why:?}"),
                }
            });
        })
    };
    for number in 0..SESSIONS / 2 {
        mentioned.store(number + 1, Ordering::Release);
        watcher.changes("2", vec![session(number)]);
        events.until(&format!("applied: 1 of {}", number + 1)).await;
        over.store(number + 1, Ordering::Release);
    }
    checking.await.unwrap();
    for (at, token) in tokens.iter().enumerate() {
        assert_eq!(verifier.verify(token).is_ok(), at >= SESSIONS / 2, "{at}");
    }
}
