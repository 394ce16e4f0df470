/// The number of 64-bit words of a block.
pub(crate) const WORDS: usize = 128;

/// The number of bytes of a block (RFC 9106, section 3.2).
pub(crate) const BYTES: usize = 8 * WORDS;

/// A block of the memory.
///
/// The order of its words is the business of the backend, because one order suits the registers better than another.
/// Word 0 is first in every order: the choice of the next reference block reads it.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub(crate) struct Block(pub(crate) [u64; WORDS]);

impl Block {
    pub(crate) const ZERO: Self = Self([0; WORDS]);
}
