//! Hashing passwords with Argon2id (RFC 9106), at a rate that this machine can bear.
//!
//! A hash is made to be expensive, so a login storm must not be able to buy more of them than there are cores for.
//! Dedicated threads own their Argon2 memory, a bounded queue stands before them, and whoever does not fit is told at
//! once when to come back. Nothing else in the service waits behind a hash.

mod arena;
mod hash;
mod hasher;
mod pace;
mod presence;
mod queue;
#[cfg(test)]
mod tests;

pub use hash::{Argon2Cost, HashCost, PasswordHash, SALT_BYTES, Unreadable};
pub use hasher::{Hasher, HasherFault, HasherSettings, Refused, Verdict};
pub use presence::{Caller, Presence};
