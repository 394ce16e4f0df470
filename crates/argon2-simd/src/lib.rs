//! Argon2id (RFC 9106, version 0x13) for a service that computes it all day with the same parameters.
//!
//! Three things make it fast:
//!
//! * The compression function `G` (RFC 9106, section 3.5) works in the registers of AVX-512 or AVX2. The crate looks
//!   once which of them the CPU has; see [`backend()`].
//! * The memory that a block refers to is fetched before the block is computed.
//! * An [`Arena`] keeps its memory, in huge pages where the system gives them. A hash causes no page faults.
//!
//! ```
//! use countersign_argon2_simd::{Arena, Input, Params, Wipe, hash};
//!
//! # fn main() -> Result<(), countersign_argon2_simd::Error> {
//! let params = Params::new(64, 2, 1)?;
//! let mut arena = Arena::new(&params, Wipe::EveryHash)?;
//! let mut tag = [0; 32];
//! hash(&mut arena, &params, &Input::new(b"correct horse", b"battery staple")?, &mut tag)?;
//! # Ok(())
//! # }
//! ```

#![deny(unsafe_op_in_unsafe_fn)]
#![warn(missing_docs, clippy::undocumented_unsafe_blocks, clippy::multiple_unsafe_ops_per_block)]

mod arena;
mod backend;
mod blake;
mod block;
mod error;
mod fill;
mod input;
mod params;
mod region;
mod self_test;

pub use arena::{Arena, Wipe};
pub use backend::{Backend, backend};
pub use error::{Error, SelfTestFailed};
pub use input::Input;
pub use params::Params;
pub use self_test::self_test;

use backend::Kernel;
use zeroize::Zeroize as _;

/// How long a tag may be, in bytes. RFC 9106, section 3.1 allows more; a password hash needs no more than the output
/// of BLAKE2b.
pub const TAG_LENGTH: core::ops::RangeInclusive<usize> = 4..=64;

/// Computes one hash on the calling thread and writes the tag to all of `out` (RFC 9106, section 3.2).
///
/// # Errors
///
/// [`Error::TagLength`] if the length of `out` is not in [`TAG_LENGTH`]; [`Error::ArenaTooSmall`] if `params` need
/// more memory than `arena` has (see [`Arena::reserve`]). `out` is then as it was.
pub fn hash(arena: &mut Arena, params: &Params, input: &Input<'_>, out: &mut [u8]) -> Result<(), Error> {
    run(Kernel::best(), arena, params, input, out)
}

/// Does what [`hash`] does on a chosen backend. For tests and measurements.
///
/// # Errors
///
/// As for [`hash`]; [`Error::BackendUnavailable`] if this CPU cannot run `backend`.
pub fn hash_on(
    backend: Backend,
    arena: &mut Arena,
    params: &Params,
    input: &Input<'_>,
    out: &mut [u8],
) -> Result<(), Error> {
    run(Kernel::of(backend)?, arena, params, input, out)
}

fn run(kernel: Kernel, arena: &mut Arena, params: &Params, input: &Input<'_>, out: &mut [u8]) -> Result<(), Error> {
    if !TAG_LENGTH.contains(&out.len()) {
        return Err(Error::TagLength);
    }
    let memory = arena.memory(params)?;
    fill::first_blocks(kernel, params, input, out.len(), memory);
    fill::other_blocks(kernel, params, memory);
    let mut last = fill::last_block(kernel, params, memory);
    blake::short(&last, out);
    last.zeroize();
    arena.end();
    Ok(())
}
