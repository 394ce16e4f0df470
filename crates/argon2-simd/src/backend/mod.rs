//! The compression function `G` (RFC 9106, sections 3.5 and 3.6) in the instructions of the CPU.

use std::sync::LazyLock;

use crate::{Error, block::Block};

mod portable;
#[cfg(target_arch = "x86_64")]
mod x86;

/// The instructions that a hash is computed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Backend {
    /// AVX-512F: a block in 16 registers.
    Avx512,
    /// AVX2: a quarter of a block in 8 registers.
    Avx2,
    /// What every CPU has.
    Portable,
}

impl Backend {
    /// All backends, the fastest first.
    pub const ALL: [Self; 3] = [Self::Avx512, Self::Avx2, Self::Portable];

    /// Whether this CPU can run it.
    #[must_use]
    pub fn is_available(self) -> bool {
        #[cfg(all(target_arch = "x86_64", not(miri)))]
        match self {
            Self::Avx512 => std::arch::is_x86_feature_detected!("avx512f"),
            Self::Avx2 => std::arch::is_x86_feature_detected!("avx2"),
            Self::Portable => true,
        }
        #[cfg(not(all(target_arch = "x86_64", not(miri))))]
        matches!(self, Self::Portable)
    }
}

impl core::fmt::Display for Backend {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Avx512 => "AVX-512",
            Self::Avx2 => "AVX2",
            Self::Portable => "portable",
        })
    }
}

/// The fastest backend of this CPU: the one that [`crate::hash`] uses.
#[must_use]
pub fn backend() -> Backend {
    static BEST: LazyLock<Backend> =
        LazyLock::new(|| Backend::ALL.into_iter().find(|backend| backend.is_available()).unwrap_or(Backend::Portable));
    *BEST
}

/// A backend that this CPU can run. Only this module makes one, after a look at the CPU.
#[derive(Clone, Copy)]
pub(crate) struct Kernel(Backend);

impl Kernel {
    pub(crate) fn best() -> Self {
        Self(backend())
    }

    pub(crate) fn of(backend: Backend) -> Result<Self, Error> {
        if backend.is_available() { Ok(Self(backend)) } else { Err(Error::BackendUnavailable) }
    }

    /// Where in a block this backend keeps `word`, 0 to 127. Word 0 is at 0.
    #[inline]
    pub(crate) fn place(self, word: usize) -> usize {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Backend::Avx512 => x86::avx512::place(word),
            _ => word,
        }
    }

    /// Sets `target` to `G(previous, reference)`, or adds that to it (exclusive or) if `add`. `scratch` may contain
    /// anything.
    #[inline]
    #[cfg_attr(target_arch = "x86_64", allow(unsafe_code, reason = "the CPU must have the instructions"))]
    pub(crate) fn compress(
        self,
        add: bool,
        target: &mut Block,
        previous: &Block,
        reference: &Block,
        scratch: &mut Block,
    ) {
        #[cfg(target_arch = "x86_64")]
        match (self.0, add) {
            // SAFETY: There is such a kernel only where the CPU has AVX-512F.
            (Backend::Avx512, false) => unsafe { x86::avx512::compress::<false>(target, previous, reference) },
            // SAFETY: As above.
            (Backend::Avx512, true) => unsafe { x86::avx512::compress::<true>(target, previous, reference) },
            // SAFETY: There is such a kernel only where the CPU has AVX2.
            (Backend::Avx2, false) => unsafe { x86::avx2::compress::<false>(target, previous, reference, scratch) },
            // SAFETY: As above.
            (Backend::Avx2, true) => unsafe { x86::avx2::compress::<true>(target, previous, reference, scratch) },
            (Backend::Portable, _) => portable::compress(add, target, previous, reference, scratch),
        }
        #[cfg(not(target_arch = "x86_64"))]
        portable::compress(add, target, previous, reference, scratch);
    }
}

/// Has the CPU bring `block` close. Does nothing where there is no stable way to say so.
#[inline(always)]
pub(crate) fn prefetch(block: &Block) {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    x86::prefetch(block);
    #[cfg(not(all(target_arch = "x86_64", not(miri))))]
    let _ = block;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::block::WORDS;

    fn kernels() -> impl Iterator<Item = Kernel> {
        Backend::ALL.into_iter().filter_map(|backend| Kernel::of(backend).ok())
    }

    /// A block in the order of `kernel`, of words that depend on `seed`. Half of their bits are set.
    fn block(kernel: Kernel, seed: u64) -> Block {
        let mut block = Block::ZERO;
        for word in 0..WORDS {
            let mixed = (seed + word as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            block.0[kernel.place(word)] = (mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        }
        block
    }

    #[test]
    fn has_a_place_for_every_word() {
        // Also those that this CPU cannot run.
        for kernel in Backend::ALL.map(Kernel) {
            let mut places: Vec<_> = (0..WORDS).map(|word| kernel.place(word)).collect();
            assert_eq!(places[0], 0);
            places.sort_unstable();
            assert!(places.into_iter().eq(0..WORDS));
        }
    }

    #[test]
    fn compresses_alike_everywhere() {
        for (add, seed) in [(false, 0), (true, 1000), (false, 2000), (true, 3000)] {
            let results: Vec<_> = kernels()
                .map(|kernel| {
                    let (mut target, mut scratch) = (block(kernel, seed), block(kernel, seed + 200));
                    let (previous, reference) = (block(kernel, seed + 400), block(kernel, seed + 600));
                    kernel.compress(add, &mut target, &previous, &reference, &mut scratch);
                    (0..WORDS).map(|word| target.0[kernel.place(word)]).collect::<Vec<_>>()
                })
                .collect();
            assert!(results.windows(2).all(|two| two[0] == two[1]), "{add} {seed}");
        }
    }
}
