//! The two hash functions around the memory: `H0` and `H'` (RFC 9106, sections 3.2 and 3.3).

use blake2::{
    Blake2b512, Blake2bVarCore,
    digest::{
        Digest as _, FixedOutput as _,
        block_api::{UpdateCore as _, VariableOutputCore as _},
        block_buffer::LazyBuffer,
    },
};
use zeroize::Zeroize as _;

use crate::{Input, Params, block::BYTES};

/// `y` for Argon2id.
const TYPE: u32 = 2;

/// `v`.
const VERSION: u32 = 0x13;

/// `H0` with room for the two numbers that follow it: 64 bytes, then the index of the block, then that of the lane.
pub(crate) type Seed = [u8; 72];

/// Computes `H0` for a tag of `tag_length` bytes.
pub(crate) fn seed(params: &Params, input: &Input<'_>, tag_length: usize) -> Seed {
    let mut hasher = Blake2b512::new();
    for number in [params.lanes(), length(tag_length), params.memory_kib(), params.iterations(), VERSION, TYPE] {
        hasher.update(number.to_le_bytes());
    }
    for bytes in [input.password, input.salt, input.secret, input.associated_data] {
        hasher.update(length(bytes.len()).to_le_bytes());
        hasher.update(bytes);
    }
    let mut seed = [0; 72];
    finish(hasher, &mut seed[..64]);
    seed
}

/// Computes `H'^1024`, the first two blocks of each lane.
pub(crate) fn long(seed: &Seed, out: &mut [u8; BYTES]) {
    let mut hasher = Blake2b512::new();
    hasher.update(length(BYTES).to_le_bytes());
    hasher.update(seed);
    let mut hash = [0; 64];
    finish(hasher, &mut hash);
    // All hashes but the last give their first half. The last gives both.
    let (halves, last) = out.split_at_mut(BYTES - 64);
    for half in halves.chunks_exact_mut(32) {
        half.copy_from_slice(&hash[..32]);
        let mut hasher = Blake2b512::new();
        hasher.update(hash);
        finish(hasher, &mut hash);
    }
    last.copy_from_slice(&hash);
    hash.zeroize();
}

/// Computes `H'` for a tag of at most 64 bytes.
pub(crate) fn short(block: &[u8; BYTES], out: &mut [u8]) {
    // The length is in `TAG_LENGTH`, which every length of BLAKE2b contains.
    let Ok(mut hasher) = Blake2bVarCore::new(out.len()) else { return };
    let mut buffer = LazyBuffer::new(&length(out.len()).to_le_bytes());
    buffer.digest_blocks(block, |blocks| hasher.update_blocks(blocks));
    let mut hash = Default::default();
    hasher.finalize_variable_core(&mut buffer, &mut hash);
    out.copy_from_slice(&hash[..out.len()]);
    hash.as_mut_slice().zeroize();
}

/// Writes the hash without a copy that stays behind.
fn finish(hasher: Blake2b512, out: &mut [u8]) {
    let mut hash = hasher.finalize_fixed();
    out.copy_from_slice(&hash);
    hash.as_mut_slice().zeroize();
}

/// A length as Argon2 writes it. Every caller has checked that it fits.
fn length(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
