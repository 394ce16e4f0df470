//! Hashing passwords with Argon2id (RFC 9106), at a rate that this machine can sustain.
//!
//! A hash is expensive on purpose, so a login storm must not cause more of them than the cores can compute. Dedicated
//! threads own their Argon2 memory, the queue is bounded, and a call that finds it full is refused at once with
//! `retry_after`. Nothing else in the service waits behind a hash.

mod arena;
mod hash;
mod hasher;
mod pace;
mod presence;
mod queue;
#[cfg(test)]
mod tests;
mod worker;

pub use hash::{Argon2Cost, HashCost, PasswordHash, SALT_BYTES, Unreadable};
pub use hasher::{Hasher, HasherFault, HasherSettings, Refused, Verdict};
pub use presence::{Caller, Presence};
