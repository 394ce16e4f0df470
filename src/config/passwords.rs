//! `[passwords]`: requirements on passwords, and the cost of a hash.

use super::breached::Breached;
use super::reader::Reader;

/// Password rules and the Argon2id hasher.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passwords {
    /// The fewest characters of a new password.
    pub min_length: usize,
    /// The same beside another factor. Never more than `min_length`.
    pub min_length_with_factor: usize,
    /// The most bytes of a password, in UTF-8 after normalisation. Never less than `min_length`.
    pub max_bytes: usize,
    /// How many former passwords must not be used again.
    pub history: usize,
    /// Memory of one hash, in KiB.
    pub argon2_memory_kib: u32,
    /// Passes over that memory.
    pub argon2_iterations: u32,
    /// Lanes of that memory.
    pub argon2_parallelism: u32,
    /// Threads that hash; 0: one per core.
    pub workers: usize,
    /// The most calls that wait for a free thread.
    pub queue: usize,
    /// Where new passwords are checked for breaches, if anywhere.
    pub breached: Option<Breached>,
}

impl Passwords {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let mut section = reader.section("passwords", "Password policy, and what hashing a password costs.");
        let passwords = Self {
            min_length: section.whole(
                "min_length",
                15,
                8..=128,
                "Fewest characters of a new password. NIST SP 800-63B-4 asks for 15 where a password is the only \
                 factor.",
            ),
            min_length_with_factor: section.whole(
                "min_length_with_factor",
                8,
                8..=128,
                "Fewest characters of a new password of an account with another factor. NIST SP 800-63B-4 asks for 8. \
                 Who removes the last factor needs a password of `min_length` characters.",
            ),
            max_bytes: section.whole(
                "max_bytes",
                1024,
                64..=4096,
                "Most bytes of a password. A longer one is refused before it is hashed.",
            ),
            history: section.whole("history", 5, 0..=24, "How many former passwords cannot be used again."),
            argon2_memory_kib: section.whole(
                "argon2_memory_kib",
                19_456,
                8192..=1_048_576,
                "Argon2id memory for one hash in KiB. Every worker has this much, from its first hash until ten seconds after its last.",
            ),
            argon2_iterations: section.whole("argon2_iterations", 2, 1..=16, "Argon2id passes."),
            argon2_parallelism: section.whole("argon2_parallelism", 1, 1..=16, "Argon2id lanes."),
            workers: section.whole("workers", 0, 0..=256, "Threads that hash passwords; `0` is one for each core."),
            queue: section.whole(
                "queue",
                64,
                1..=10_000,
                "Most passwords that wait for a free worker. Beyond that calls are refused with OVERLOADED.",
            ),
            breached: Breached::read(&mut section),
        };
        reader.require(
            &["passwords.min_length_with_factor", "passwords.min_length"],
            passwords.min_length_with_factor <= passwords.min_length,
            format!(
                "must not be more than passwords.min_length, but {} is more than {}",
                passwords.min_length_with_factor, passwords.min_length
            ),
        );
        reader.require(
            &["passwords.max_bytes", "passwords.min_length"],
            passwords.max_bytes >= passwords.min_length,
            format!(
                "must not be less than passwords.min_length, but {} is less than {}",
                passwords.max_bytes, passwords.min_length
            ),
        );
        passwords
    }
}
