use crate::Backend;

/// Why there is no hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The memory is less than 8 KiB per lane (RFC 9106, section 3.1).
    Memory,
    /// There are no iterations.
    Iterations,
    /// The number of lanes is not in 1..=16.
    Lanes,
    /// The password is longer than 2^32 - 1 bytes.
    PasswordLength,
    /// The length of the salt is not in 8..=64 bytes.
    SaltLength,
    /// The secret is longer than 2^32 - 1 bytes.
    SecretLength,
    /// The associated data are longer than 2^32 - 1 bytes.
    AssociatedDataLength,
    /// The length of the tag is not in 4..=64 bytes.
    TagLength,
    /// The arena was made for less memory. [`crate::Arena::reserve`] makes it larger.
    ArenaTooSmall,
    /// The system has no address space or no memory left.
    OutOfMemory,
    /// This CPU lacks the instructions of the backend.
    BackendUnavailable,
}

impl core::fmt::Display for Error {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Memory => "Argon2 needs at least 8 KiB of memory for each lane",
            Self::Iterations => "Argon2 needs at least one iteration",
            Self::Lanes => "Argon2 takes 1 to 16 lanes here",
            Self::PasswordLength => "the password is longer than 4294967295 bytes",
            Self::SaltLength => "the salt must have 8 to 64 bytes",
            Self::SecretLength => "the secret is longer than 4294967295 bytes",
            Self::AssociatedDataLength => "the associated data are longer than 4294967295 bytes",
            Self::TagLength => "the tag must have 4 to 64 bytes",
            Self::ArenaTooSmall => "the arena is too small for these parameters",
            Self::OutOfMemory => "the system gives no memory for Argon2",
            Self::BackendUnavailable => "the CPU lacks the instructions of this backend",
        })
    }
}

impl core::error::Error for Error {}

/// A backend computed something else than the known answer. Nothing that this process hashes can be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SelfTestFailed {
    /// The backend that failed.
    pub backend: Backend,
    /// What it should have computed.
    pub case: &'static str,
}

impl core::fmt::Display for SelfTestFailed {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Argon2 on {} fails its known answer: {}", self.backend, self.case)
    }
}

impl core::error::Error for SelfTestFailed {}
