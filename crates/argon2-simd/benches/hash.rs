//! Counts hashes per second: the `argon2` crate, then each backend. Rounds alternate, so
//! that other work on the machine meets all of them alike; the median round counts.
//!
//! `cargo bench --bench hash -- [rounds] [seconds per round]`

#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a measurement prints, and stops at what cannot be")]

use std::{
    sync::Barrier,
    time::{Duration, Instant},
};

use countersign_argon2_simd::{Arena, Backend, Input, Params, Wipe, backend, hash_on, self_test};

const MEMORY_KIB: u32 = 19_456;
const ITERATIONS: u32 = 2;
const LANES: u32 = 1;
const SALT: &[u8] = b"sixteen bytes ok";

#[derive(Clone, Copy)]
enum Contender {
    /// The `argon2` crate as it comes: it allocates for every hash.
    Crate,
    /// The `argon2` crate with memory that is kept.
    CrateKeepingMemory,
    Ours(Backend, Wipe),
}

impl Contender {
    fn all() -> Vec<Self> {
        let mut all = vec![Self::Crate, Self::CrateKeepingMemory];
        for backend in Backend::ALL.into_iter().filter(|backend| backend.is_available()) {
            all.push(Self::Ours(backend, Wipe::OnRelease));
        }
        all.push(Self::Ours(backend(), Wipe::EveryHash));
        all
    }

    fn name(self) -> String {
        let wiped = |wipe| if wipe == Wipe::EveryHash { ", wiped every time" } else { "" };
        match self {
            Self::Crate => "argon2 crate".into(),
            Self::CrateKeepingMemory => "argon2 crate, memory kept".into(),
            Self::Ours(backend, wipe) => format!("{backend}{}", wiped(wipe)),
        }
    }

    /// Returns what computes some hashes and says how many.
    fn worker(self) -> Box<dyn FnMut() -> u64> {
        let params = Params::new(MEMORY_KIB, ITERATIONS, LANES).unwrap();
        let reference = argon2::Argon2::new(
            argon2::Algorithm::Argon2id,
            argon2::Version::V0x13,
            argon2::Params::new(MEMORY_KIB, ITERATIONS, LANES, Some(32)).unwrap(),
        );
        let mut out = [0; 32];
        match self {
            Self::Crate => Box::new(move || {
                reference.hash_password_into(b"password", SALT, &mut out).unwrap();
                1
            }),
            Self::CrateKeepingMemory => {
                let mut memory = vec![argon2::Block::new(); MEMORY_KIB as usize];
                Box::new(move || {
                    reference.hash_password_into_with_memory(b"password", SALT, &mut out, &mut memory).unwrap();
                    1
                })
            }
            Self::Ours(backend, wipe) => {
                let mut arena = Arena::new(&params, wipe).unwrap();
                let input = Input::new(b"password", SALT).unwrap();
                Box::new(move || {
                    hash_on(backend, &mut arena, &params, &input, &mut out).unwrap();
                    1
                })
            }
        }
    }

    /// Hashes per second of `threads` threads together, in a round of about `length`.
    fn measure(self, threads: usize, length: Duration) -> f64 {
        let start = Barrier::new(threads);
        let round = || {
            let mut work = self.worker();
            work();
            start.wait();
            let (begin, on_core) = (Instant::now(), time_on_core());
            let mut count = 0;
            while begin.elapsed() < length {
                count += work();
            }
            count as f64 / (time_on_core() - on_core).as_secs_f64()
        };
        std::thread::scope(|scope| {
            let rounds: Vec<_> = (0..threads).map(|_| scope.spawn(round)).collect();
            rounds.into_iter().map(|round| round.join().unwrap()).sum()
        })
    }
}

/// How long this thread has had a core.
#[cfg(target_os = "linux")]
fn time_on_core() -> Duration {
    rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime).try_into().unwrap()
}

/// How long this thread has been there, where nobody knows better.
#[cfg(not(target_os = "linux"))]
fn time_on_core() -> Duration {
    thread_local!(static BEGIN: Instant = Instant::now());
    BEGIN.with(Instant::elapsed)
}

fn main() {
    let mut numbers = std::env::args().skip(1).filter_map(|argument| argument.parse::<f64>().ok());
    let rounds = numbers.next().unwrap_or(5.0) as usize;
    let length = Duration::from_secs_f64(numbers.next().unwrap_or(0.5));
    self_test().unwrap();
    println!("m={MEMORY_KIB} KiB, t={ITERATIONS}, p={LANES}; backend of this CPU: {}", backend());
    for threads in [1, 2] {
        let contenders = Contender::all();
        let mut rates = vec![Vec::new(); contenders.len()];
        for _ in 0..rounds.max(1) {
            for (contender, rates) in contenders.iter().zip(&mut rates) {
                rates.push(contender.measure(threads, length));
            }
        }
        println!("\n{:40} hashes/s     ratio  (worst and best round)", format!("threads: {threads}"));
        let mut base = None;
        for (contender, rates) in contenders.iter().zip(&mut rates) {
            rates.sort_by(f64::total_cmp);
            let median = rates[rates.len() / 2];
            let base = *base.get_or_insert(median);
            let (worst, best) = (rates[0], rates[rates.len() - 1]);
            println!("{:40} {median:10.1} {:9.2}  ({worst:.1} to {best:.1})", contender.name(), median / base);
        }
    }
}
