use super::{
    arena::{Arena, Engine},
    hash::{HashCost, PasswordHash, Recipe, Unreadable},
    hasher::{Hasher, HasherFault, HasherSettings, Refused, Verdict},
    presence::Caller,
    queue::{Job, Next, Queue, WorkerSlot},
};
use crate::runtime::{Entropy, spawn};
use countersign_argon2_simd::Params;
use countersign_domain::{
    password::{NewPassword, Password, PasswordPolicy, PasswordPurpose::Alone},
    secret::SecretText,
};
use futures_util::FutureExt;
use std::{collections::HashSet, time::Duration};
use tokio::sync::oneshot;

const SMALL: HasherSettings = HasherSettings { memory_kib: 64, iterations: 1, parallelism: 1, workers: 2, queue: 64 };
const RIGHT: &str = "blue kettle over nine hills";

/// Keeps a worker busy for longer than any of these tests takes.
const LARGE: &str =
    "$argon2id$v=19$m=65536,t=16,p=1$c2FsdHNhbHRzYWx0c2FsdA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

fn hasher(settings: HasherSettings) -> Hasher {
    Hasher::start(settings, Entropy::seeded(7)).expect("the hasher starts")
}

fn new(text: &str) -> NewPassword {
    let policy = PasswordPolicy::default();
    let candidate = policy.read(&SecretText::new(text.to_owned()), Alone).expect("it has the form of a password");
    policy.accept(candidate, Alone, &[]).expect("the policy admits it")
}

fn typed(text: &str) -> Password {
    Password::presented(&SecretText::new(text.to_owned()), 1024).expect("short enough")
}

fn stored(phc: &str) -> PasswordHash {
    PasswordHash::from_stored(phc.to_owned()).expect("readable")
}

/// A hasher whose only worker has just begun a large job, and the call that waits for it.
async fn busy(queue: usize) -> (Hasher, tokio::task::JoinHandle<Result<Verdict, Refused>>) {
    let hasher = hasher(HasherSettings { workers: 1, queue, ..SMALL });
    let call = spawn({
        let hasher = hasher.clone();
        async move { hasher.verify(typed("anything"), &stored(LARGE)).await }
    });
    tokio::task::yield_now().await;
    while hasher.queue_depth() > 0 {
        tokio::task::yield_now().await;
    }
    (hasher, call)
}

#[tokio::test]
async fn a_hashed_password_is_right_and_any_other_wrong() {
    let hasher = hasher(SMALL);
    let hash = hasher.hash(&new(RIGHT)).await.expect("hashed");
    let again = stored(hash.as_str());
    assert_eq!(hasher.verify(typed(RIGHT), &again).await, Ok(Verdict::Right { outdated: false }));
    for wrong in ["", "blue kettle over nine hill", "Blue kettle over nine hills", "blue kettle over nine hills\0"] {
        assert_eq!(hasher.verify(typed(wrong), &hash).await, Ok(Verdict::Wrong), "{wrong:?}");
    }
}

#[tokio::test]
async fn the_same_password_typed_on_another_keyboard_is_right() {
    let hasher = hasher(SMALL);
    let hash = hasher.hash(&new("caf\u{E9} over nine hills")).await.expect("hashed");
    let verdict = hasher.verify(typed("cafe\u{301} over nine hills"), &hash).await;
    assert_eq!(verdict, Ok(Verdict::Right { outdated: false }));
}

#[tokio::test]
async fn hashes_agree_with_the_plain_use_of_the_library() {
    let hash = hasher(SMALL).hash(&new(RIGHT)).await.expect("hashed");
    let verified =
        argon2::PasswordVerifier::<str>::verify_password(&argon2::Argon2::default(), RIGHT.as_bytes(), hash.as_str());
    assert_eq!(verified, Ok(()));
}

#[tokio::test]
async fn every_hash_has_its_own_salt() {
    let hasher = hasher(SMALL);
    let mut hashes = HashSet::new();
    for _ in 0..10 {
        hashes.insert(hasher.hash(&new(RIGHT)).await.expect("hashed").as_str().to_owned());
    }
    assert_eq!(hashes.len(), 10);
}

#[tokio::test]
async fn pretending_costs_a_hash_like_any_other() {
    let hasher = hasher(SMALL);
    let hash = hasher.hash(&new(RIGHT)).await.expect("hashed");
    assert_eq!((hasher.computed(), hash.cost()), (1, hasher.current_cost()));
    let caller = Caller::default();
    assert_eq!(hasher.pretend_for(&caller.presence(), typed(RIGHT), &hash.cost()).await, Ok(()));
    assert_eq!(hasher.computed(), 2);
}

#[test]
fn the_cost_of_a_hash_is_read_from_what_stands_before_its_salt() {
    let stored =
        |head: &str| PasswordHash::from_stored(format!("{head}$c2FsdHNhbHRzYWx0c2FsdA$AAAAAAAAAAAAAAAAAAAAAAAAAAA"));
    for head in ["$argon2id$v=19$m=64,t=1,p=1", "$argon2id$v=19$m=19456,t=2,p=1", "$argon2id$v=19$m=65536,t=3,p=4"] {
        let cost = HashCost::from_head(head).expect("it is one");
        assert_eq!(cost, stored(head).expect("readable").cost(), "the lengths of salt and output cost nothing");
        let recipe = cost.recipe(b"saltsaltsaltsalt").expect("in bounds");
        assert_eq!(HashCost::of(&recipe.params), cost);
    }
    for head in [
        "",
        "$",
        "$argon2id$v=19$m=4194304,t=1,p=1",
        "$argon2id$v=19$m=64,t=1,p=1$",
        "$2b$12",
        "$argon2i$v=19$m=64,t=1,p=1",
    ] {
        assert_eq!(HashCost::from_head(head), None, "{head}");
    }
}

#[tokio::test]
async fn a_hash_with_other_parameters_is_right_and_outdated() {
    let before = hasher(SMALL).hash(&new(RIGHT)).await.expect("hashed");
    for settings in [
        HasherSettings { memory_kib: 128, ..SMALL },
        HasherSettings { memory_kib: 32, ..SMALL },
        HasherSettings { iterations: 2, ..SMALL },
        HasherSettings { parallelism: 2, ..SMALL },
    ] {
        let hasher = hasher(settings);
        assert_eq!(hasher.verify(typed(RIGHT), &before).await, Ok(Verdict::Right { outdated: true }));
        let after = hasher.hash(&new(RIGHT)).await.expect("hashed");
        assert_eq!(hasher.verify(typed(RIGHT), &after).await, Ok(Verdict::Right { outdated: false }));
    }
}

#[test]
fn a_hostile_stored_hash_is_refused_before_any_work() {
    let salt = "c2FsdHNhbHRzYWx0c2FsdA";
    let output = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let with = |head: &str| format!("{head}${salt}${output}");
    assert!(PasswordHash::from_stored(with("$argon2id$v=19$m=1048576,t=16,p=16")).is_ok());
    for phc in [
        with("$argon2id$v=19$m=4194304,t=1,p=1"),
        with("$argon2id$v=19$m=1048577,t=1,p=1"),
        with("$argon2id$v=19$m=64,t=4294967295,p=1"),
        with("$argon2id$v=19$m=64,t=17,p=1"),
        with("$argon2id$v=19$m=64,t=0,p=1"),
        with("$argon2id$v=19$m=4096,t=1,p=17"),
        with("$argon2id$v=19$m=64,t=1,p=16777216"),
        with("$argon2id$v=19$m=8,t=1,p=4"),
        with("$argon2id$v=19$m=99999999999,t=1,p=1"),
        with("$argon2id$v=19$m=064,t=1,p=1"),
        with("$argon2id$v=19$t=1,m=64,p=1"),
        with("$argon2id$v=19$m=64,t=1,p=1,data=c2VjcmV0"),
        with("$argon2id$v=19$m=64,t=1,p=1,keyid=c2VjcmV0"),
        with("$argon2id$v=16$m=64,t=1,p=1"),
        with("$argon2id$m=64,t=1,p=1"),
        with("$argon2i$v=19$m=64,t=1,p=1"),
        with("$argon2d$v=19$m=64,t=1,p=1"),
        with("$scrypt$ln=15,r=8,p=1"),
        "$2b$12$abcdefghijklmnopqrstuuC7yZ4CqX3fO9b4bW2i0mCw6tP3Xn3Hm".to_owned(),
        format!("$argon2id$v=19$m=64,t=1,p=1${salt}"),
        format!("$argon2id$v=19$m=64,t=1,p=1${salt}$"),
        format!("$argon2id$v=19$m=64,t=1,p=1$c2Fs${output}"),
        format!("$argon2id$v=19$m=64,t=1,p=1${salt}$AAAAAAAAAAAAAAAA"),
        format!("$argon2id$v=19$m=64,t=1,p=1${salt}${output}="),
        format!("$argon2id$v=19$m=64,t=1,p=1${salt}${output}$more"),
        format!("$argon2id$v=19$m=64,t=1,p=1${salt}${output}\n"),
        String::new(),
        "$".to_owned(),
        "$$$$$".to_owned(),
        "password".to_owned(),
        "\u{1F511}".repeat(20),
        with(&"$argon2id".repeat(1_000_000)),
    ] {
        let shown: String = phc.chars().take(80).collect();
        assert_eq!(PasswordHash::from_stored(phc).err(), Some(Unreadable), "{shown}");
    }
}

#[test]
fn parameters_out_of_bounds_do_not_start() {
    for settings in [
        HasherSettings { memory_kib: 2 * 1024 * 1024, ..SMALL },
        HasherSettings { memory_kib: 0, ..SMALL },
        HasherSettings { iterations: 0, ..SMALL },
        HasherSettings { iterations: 17, ..SMALL },
        HasherSettings { parallelism: u32::MAX, ..SMALL },
        HasherSettings { parallelism: 16, ..SMALL },
    ] {
        let fault = Hasher::start(settings, Entropy::seeded(7)).err();
        assert!(matches!(fault, Some(HasherFault::Parameters)), "{settings:?}");
    }
    assert!(Hasher::start(HasherSettings { workers: 0, queue: 0, ..SMALL }, Entropy::seeded(7)).is_ok());
}

#[tokio::test]
async fn a_full_queue_refuses_at_once_and_says_when_to_come_back() {
    let (hasher, _call) = busy(2).await;
    let password = new(RIGHT);
    let (mut first, mut second) = (Box::pin(hasher.hash(&password)), Box::pin(hasher.hash(&password)));
    assert!((&mut first).now_or_never().is_none());
    assert!((&mut second).now_or_never().is_none());
    assert_eq!(hasher.queue_depth(), 2);
    let (caller, cost) = (Caller::default(), hasher.current_cost());
    // `now_or_never` polls once: an answer means that the call did not wait.
    for _ in 0..100 {
        let refused = hasher.hash(&password).now_or_never().expect("answered at once").err();
        assert!(matches!(refused, Some(Refused::Busy { retry_after }) if retry_after > Duration::ZERO), "{refused:?}");
        let refused =
            hasher.pretend_for(&caller.presence(), typed(RIGHT), &cost).now_or_never().expect("answered at once").err();
        assert!(matches!(refused, Some(Refused::Busy { retry_after }) if retry_after > Duration::ZERO), "{refused:?}");
    }
}

#[tokio::test]
async fn a_cancelled_call_never_reaches_argon2_and_makes_room() {
    let (hasher, call) = busy(1).await;
    let password = new(RIGHT);
    for _ in 0..10 {
        // Queued, then dropped: the next call finds its slot free.
        assert!(hasher.hash(&password).now_or_never().is_none());
        assert_eq!(hasher.queue_depth(), 0);
    }
    let last = hasher.hash(&password);
    assert_eq!(call.await.expect("no panic"), Ok(Verdict::Wrong));
    assert!(last.await.is_ok());
    assert_eq!(hasher.computed(), 2, "the large job and the last one");
}

#[tokio::test]
async fn many_concurrent_calls_are_all_answered() {
    let hasher = hasher(HasherSettings { workers: 4, queue: 200, ..SMALL });
    let hash = hasher.hash(&new(RIGHT)).await.expect("hashed");
    let calls = (0..100).map(|i| {
        let (hasher, hash) = (hasher.clone(), hash.clone());
        spawn(async move {
            let text = if i % 2 == 0 { RIGHT } else { "something else" };
            (i, hasher.verify(typed(text), &hash).await)
        })
    });
    for call in calls.collect::<Vec<_>>() {
        let (i, verdict) = call.await.expect("no panic");
        let expected = if i % 2 == 0 { Verdict::Right { outdated: false } } else { Verdict::Wrong };
        assert_eq!(verdict, Ok(expected));
    }
    assert_eq!(hasher.computed(), 101);
    assert_eq!(hasher.queue_depth(), 0);
}

#[test]
fn a_worker_without_jobs_learns_of_the_pause() {
    let queue = Queue::new(8, 1);
    let slot = WorkerSlot::take(&queue);
    let job = || {
        let (answer, answered) = oneshot::channel();
        let recipe = Recipe::new(Params::new(64, 1, 1).expect("in bounds"), b"saltsaltsaltsalt");
        (Job { password: typed(RIGHT), recipe, presence: None, answer }, answered)
    };
    let (awaited, _caller) = job();
    let (abandoned, caller) = job();
    drop(caller);
    queue.push(awaited).expect("there is room");
    queue.push(abandoned).expect("there is room");
    assert!(matches!(slot.next(Some(Duration::ZERO)), Next::Hash(_)));
    assert!(matches!(slot.next(Some(Duration::ZERO)), Next::Pause));
    queue.close();
    assert!(matches!(slot.next(Some(Duration::ZERO)), Next::End));
}

#[test]
fn an_arena_hashes_with_more_and_less_memory_than_usual_on_both_engines() {
    let recipe = |memory| Recipe::new(Params::new(memory, 2, 1).expect("in bounds"), b"saltsaltsaltsalt");
    let [fast, plain] = [Engine::Fast, Engine::Plain].map(|engine| {
        let mut arena = Arena::reserve(engine, recipe(64).params).expect("reserved");
        let usual = arena.hash(b"password", &recipe(64)).expect("hashed");
        let larger = arena.hash(b"password", &recipe(1024)).expect("hashed");
        let smaller = arena.hash(b"password", &recipe(8)).expect("hashed");
        assert_eq!(arena.hash(b"password", &recipe(64)).expect("hashed"), usual, "what lay in the memory is forgotten");
        arena.release();
        assert_eq!(arena.hash(b"password", &recipe(64)).expect("hashed"), usual);
        [usual, larger, smaller]
    });
    assert_eq!(fast, plain);
    assert_eq!(HashSet::from(fast).len(), 3);
}

#[test]
fn the_length_of_the_output_is_that_of_the_stored_hash() {
    let params = Params::new(64, 2, 1).expect("in bounds");
    for output_bytes in [16, 32, 64] {
        let recipe = Recipe { output_bytes, ..Recipe::new(params, b"saltsaltsaltsalt") };
        let [fast, plain] = [Engine::Fast, Engine::Plain].map(|engine| {
            Arena::reserve(engine, params).expect("reserved").hash(b"password", &recipe).expect("hashed")
        });
        assert_eq!((fast.len(), &fast), (output_bytes, &plain));
    }
}

#[tokio::test]
async fn dropping_the_last_clone_ends_the_threads() {
    let (hasher, threads) = Hasher::start_joinable(SMALL, Entropy::seeded(7)).expect("the hasher starts");
    let clone = hasher.clone();
    drop(hasher);
    assert!(clone.hash(&new(RIGHT)).await.is_ok(), "a clone is left");
    assert!(threads.iter().all(|thread| !thread.is_finished()));
    drop(clone);
    for thread in threads {
        thread.join().expect("no panic");
    }
}

#[tokio::test]
async fn a_hasher_without_workers_refuses_instead_of_waiting() {
    let (hasher, call) = busy(8).await;
    let password = new(RIGHT);
    let mut waiting = Box::pin(hasher.hash(&password));
    assert!((&mut waiting).now_or_never().is_none());
    hasher.lose_all_workers();
    assert_eq!(waiting.await.err(), Some(Refused::Stopped));
    let caller = Caller::default();
    let refused = hasher.pretend_for(&caller.presence(), typed(RIGHT), &hasher.current_cost()).await;
    assert_eq!(refused, Err(Refused::Stopped));
    assert_eq!(call.await.expect("no panic"), Ok(Verdict::Wrong), "what was begun is finished");
}

#[tokio::test]
async fn debug_shows_neither_passwords_nor_hashes() {
    let hasher = hasher(SMALL);
    let hash = hasher.hash(&new(RIGHT)).await.expect("hashed");
    assert_eq!(format!("{hash:?}"), "[password hash]");
    assert!(!format!("{hasher:?}").contains("argon2id$"));
}
