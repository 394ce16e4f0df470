//! The vectors of x86-64, and the few casts that they need.

#![allow(unsafe_code, reason = "a block is also an array of vectors")]

use core::arch::x86_64::{__m256i, __m512i};

use crate::block::Block;

pub(super) mod avx2;
pub(super) mod avx512;

/// A block as whole vectors `V`.
trait Vectors<V> {
    fn vectors(&self) -> &V;
    fn vectors_mut(&mut self) -> &mut V;
}

macro_rules! vectors {
    ($vectors:ty) => {
        const _: () = assert!(size_of::<$vectors>() == size_of::<Block>());
        const _: () = assert!(align_of::<$vectors>() <= align_of::<Block>());

        impl Vectors<$vectors> for Block {
            #[inline(always)]
            fn vectors(&self) -> &$vectors {
                // SAFETY: The sizes are equal, the alignment suffices, and all bits are valid in both types.
                unsafe { &*core::ptr::from_ref(self).cast() }
            }

            #[inline(always)]
            fn vectors_mut(&mut self) -> &mut $vectors {
                // SAFETY: As above.
                unsafe { &mut *core::ptr::from_mut(self).cast() }
            }
        }
    };
}

vectors!([__m512i; 16]);
vectors!([[__m256i; 4]; 8]);

/// Has the CPU bring the 16 cache lines of `block`.
#[cfg(not(miri))]
#[inline(always)]
pub(super) fn prefetch(block: &Block) {
    use core::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};

    for line in block.0.as_chunks::<8>().0 {
        // SAFETY: Every x86-64 has the instruction, and it may be given any address.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(line.as_ptr().cast()) };
    }
}
