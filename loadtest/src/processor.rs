//! What the processor could do: hashes and signatures, with no network and no database. One thread for each core, in
//! this process.

use crate::{
    drive::{Counted, Seen},
    usage::{Usage, Watched},
    work::Work,
};
use aws_lc_rs::signature::Ed25519KeyPair;
use countersign_argon2_simd::{Arena, Input, Params, Wipe};
use std::{
    hint::black_box,
    process,
    thread::{self, available_parallelism},
    time::{Duration, Instant},
};

/// The defaults of the service.
const MEMORY_KIB: u32 = 19_456;
const ITERATIONS: u32 = 2;
const LANES: u32 = 1;
const PASSWORD: &[u8] = b"seven quiet herons at dusk";
const SALT: &[u8] = b"sixteen bytes ok";
/// About as long as what the signature of an access token covers.
const SIGNED: [u8; 600] = [7; 600];

/// A fault, as text: threads pass it on.
type Fault = String;
/// What a thread repeats.
type Step = Box<dyn FnMut() -> Result<(), Fault>>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bare {
    /// A hash as the service computes it.
    Argon2id,
    /// The same hash by the crate `argon2`, which also keeps its memory.
    Argon2idByCrate,
    /// A signature as the service makes it.
    Ed25519,
}

impl Bare {
    /// What bounds these calls.
    pub(crate) fn of(works: &[Work]) -> Vec<Self> {
        let mut all = Vec::new();
        if works.iter().any(|work| work.hashes()) {
            all.extend([Self::Argon2id, Self::Argon2idByCrate]);
        }
        if works.iter().any(|work| work.signs()) {
            all.push(Self::Ed25519);
        }
        all
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Argon2id => "Argon2id",
            Self::Argon2idByCrate => "Argon2id: crate argon2",
            Self::Ed25519 => "Ed25519",
        }
    }

    /// Repeats it on every core for so long.
    pub(crate) fn measure(self, lasting: Duration) -> Result<Seen, Fault> {
        let watched = Watched { service: Some(process::id()) };
        let threads = available_parallelism().map_or(1, usize::from);
        let (before, begun) = (watched.look(), Instant::now());
        let counted: Result<Vec<Counted>, Fault> = thread::scope(|scope| {
            let working: Vec<_> = (0..threads).map(|_| scope.spawn(|| self.repeat(lasting))).collect();
            let ended = working.into_iter().map(|thread| thread.join().map_err(|_| "a thread panicked".to_owned()));
            ended.map(Result::flatten).collect()
        });
        let mut sum = Counted::default();
        counted?.into_iter().for_each(|counted| sum.add(counted));
        // Whatever a database does meanwhile, it is not for these.
        let usage = Usage { database: 0, ..watched.look().since(&before) };
        Ok(sum.seen(begun.elapsed(), usage))
    }

    fn repeat(self, lasting: Duration) -> Result<Counted, Fault> {
        let mut step = self.step()?;
        let (mut counted, begun) = (Counted::default(), Instant::now());
        while begun.elapsed() < lasting {
            let step_begun = Instant::now();
            step()?;
            counted.count(Ok(()), step_begun.elapsed());
        }
        Ok(counted)
    }

    /// Takes its memory, and returns what is to be repeated.
    fn step(self) -> Result<Step, Fault> {
        let mut out = [0; 32];
        Ok(match self {
            Self::Argon2id => {
                let params = Params::new(MEMORY_KIB, ITERATIONS, LANES).map_err(|error| error.to_string())?;
                let mut arena = Arena::new(&params, Wipe::OnRelease).map_err(|error| error.to_string())?;
                let input = Input::new(PASSWORD, SALT).map_err(|error| error.to_string())?;
                Box::new(move || {
                    countersign_argon2_simd::hash(&mut arena, &params, &input, black_box(&mut out))
                        .map_err(|error| error.to_string())
                })
            }
            Self::Argon2idByCrate => {
                let params = argon2::Params::new(MEMORY_KIB, ITERATIONS, LANES, Some(out.len()));
                let params = params.map_err(|error| error.to_string())?;
                let argon2 = argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params);
                let mut memory = vec![argon2::Block::new(); MEMORY_KIB as usize];
                Box::new(move || {
                    argon2
                        .hash_password_into_with_memory(PASSWORD, SALT, black_box(&mut out), &mut memory)
                        .map_err(|error| error.to_string())
                })
            }
            Self::Ed25519 => {
                let key = Ed25519KeyPair::generate().map_err(|error| error.to_string())?;
                Box::new(move || {
                    black_box(key.sign(black_box(&SIGNED)));
                    Ok(())
                })
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_bounds_a_call_is_measured_and_nothing_else() {
        assert_eq!(Bare::of(&[Work::GetMe, Work::Introspect]), []);
        assert_eq!(Bare::of(&[Work::GetMe, Work::Refresh]), [Bare::Ed25519]);
        assert_eq!(Bare::of(&[Work::Register]), [Bare::Argon2id, Bare::Argon2idByCrate]);
        assert_eq!(Bare::of(&[Work::Login]).len(), 3);
    }

    #[test]
    fn each_of_them_runs() {
        for bare in [Bare::Argon2id, Bare::Argon2idByCrate, Bare::Ed25519] {
            let seen = bare.measure(Duration::from_millis(1)).expect("it runs");
            assert!(seen.calls > 0 && seen.errors.is_empty(), "{}", bare.name());
        }
    }
}
