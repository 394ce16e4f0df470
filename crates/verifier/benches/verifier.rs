//! The cost of a check, compared with the signature in it alone.
//!
//! `cargo bench -p countersign-verifier`. Compare figures of one run only. Those of several threads are the elapsed
//! time per check over all threads: with two threads, half the time of one thread is perfect.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench that cannot go on fails; what it finds is printed"
)]

#[allow(dead_code, unused_imports, reason = "made for the tests; a part of it is used here")]
#[path = "../tests/verifier/support/mod.rs"]
mod support;

use std::{
    fs,
    hint::black_box,
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use countersign_token::AccessClaims;
use countersign_verifier::{Verifier, VerifierBuilder};
use criterion::{BenchmarkId, Criterion};
use ed25519_dalek::{Signer as _, SigningKey};
use support::{Fake, claims, generated::revocation::Target, offline_keys, revoked, token_of};
use tokio::runtime::Runtime;

/// How many tokens the memory is measured with.
const MANY: usize = 32_768;

/// A token of the session `name` that is valid for an hour.
fn token(name: &str) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let now = i64::try_from(now).unwrap();
    // Ids of the same length as those of the service.
    let id = |kind: &str| format!("{kind}{name:0>32}");
    let claims = AccessClaims {
        issued_at: now,
        expires_at: now + 3600,
        authenticated_at: now,
        subject: id("acc-"),
        session_id: id("ses-"),
        token_id: id("tok-"),
        ..claims(name)
    };
    token_of(&claims, 1)
}

/// A connected verifier with this number of revocations, of other tokens.
fn holding(runtime: &Runtime, builder: VerifierBuilder, revocations: usize) -> Verifier {
    runtime.block_on(async {
        let fake = Fake::new();
        let (verifier, watcher) = tokio::join!(fake.connect_with_its_clock(builder), async {
            let watcher = fake.watcher().await;
            let revoked = (0..revocations).map(|number| revoked(Target::SessionId(format!("other-{number}"))));
            watcher.snapshot("1", revoked.collect());
            watcher
        });
        // Lives as long as the runtime: after the end of the feed, the verifier would be stale before the bench ends.
        tokio::spawn(async move {
            loop {
                watcher.heartbeat(5);
                tokio::time::sleep(Duration::from_secs(5)).await;
            }
        });
        let verifier = verifier.unwrap();
        assert_eq!(verifier.status().revocations, revocations);
        verifier
    })
}

fn checks(bench: &mut Criterion, runtime: &Runtime) {
    let token = token("a");
    let mut group = bench.benchmark_group("one check");

    let key = SigningKey::from_bytes(&[1; 32]);
    // As long as the signed text within the token: without the base64 of the encryption and the signature.
    let message = vec![b'm'; token.len() * 3 / 4 - 170];
    let (public, signature) = (key.verifying_key(), key.sign(&message));
    group.bench_function("bare Ed25519", |b| b.iter(|| public.verify_strict(black_box(&message), &signature).unwrap()));

    for revocations in [0, 100_000] {
        let uncached = holding(runtime, Verifier::builder().cached_tokens(0), revocations);
        let id = BenchmarkId::new("uncached", revocations);
        group.bench_function(id, |b| b.iter(|| uncached.verify(black_box(&token)).unwrap()));
    }
    for revocations in [0, 100_000] {
        let cached = holding(runtime, Verifier::builder(), revocations);
        let id = BenchmarkId::new("cached", revocations);
        group.bench_function(id, |b| b.iter(|| cached.verify(black_box(&token)).unwrap()));
    }
    let verifier = Verifier::offline(offline_keys()).unwrap();
    let forged = format!("{}AAAA{}", &token[..400], &token[404..]);
    group.bench_function("forged", |b| b.iter(|| verifier.verify(black_box(&forged)).unwrap_err()));
    group.finish();
}

/// `iterations` checks, shared by this number of threads; each has its own token, or all have the same.
fn together(verifier: &Verifier, tokens: &[String], threads: usize, iterations: u64) -> Duration {
    let each = iterations / u64::try_from(threads).unwrap() + 1;
    let begun = Instant::now();
    thread::scope(|scope| {
        for number in 0..threads {
            let token = &tokens[number % tokens.len()];
            scope.spawn(move || {
                for _ in 0..each {
                    black_box(verifier.verify(black_box(token)).unwrap());
                }
            });
        }
    });
    begun.elapsed()
}

fn threads(bench: &mut Criterion, runtime: &Runtime) {
    let most = thread::available_parallelism().unwrap().get();
    let mut group = bench.benchmark_group("cached, 100000 revocations, threads");
    let verifier = holding(runtime, Verifier::builder(), 100_000);
    let distinct: Vec<_> = (0..most).map(|number| token(&number.to_string())).collect();
    for threads in [1, most] {
        for (name, tokens) in [("one token", &distinct[..1]), ("distinct tokens", &distinct[..])] {
            let id = BenchmarkId::new(name, threads);
            group.bench_function(id, |b| b.iter_custom(|count| together(&verifier, tokens, threads, count)));
        }
    }
    group.finish();
}

/// Resident memory of this process, in bytes, as Linux counts it.
fn resident() -> Option<usize> {
    let pages: usize = fs::read_to_string("/proc/self/statm").ok()?.split(' ').nth(1)?.parse().ok()?;
    Some(pages * 4096)
}

fn memory() {
    let tokens: Vec<_> = (0..MANY).map(|number| token(&number.to_string())).collect();
    // Twice as many slots, so that hardly any token evicts another.
    let verifier = Verifier::builder().cached_tokens(MANY * 2).offline(offline_keys()).unwrap();
    let before = resident();
    for token in &tokens {
        verifier.verify(token).unwrap();
    }
    let held = verifier.status().cached_tokens;
    if let (Some(before), Some(after)) = (before, resident()) {
        println!(
            "memory: {} bytes for each of {held} cached tokens of {} bytes",
            (after - before) / held,
            tokens[0].len()
        );
    }
}

fn main() {
    let runtime = Runtime::new().unwrap();
    let mut bench = Criterion::default().configure_from_args();
    memory();
    checks(&mut bench, &runtime);
    threads(&mut bench, &runtime);
    bench.final_summary();
}
