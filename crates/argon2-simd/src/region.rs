//! Memory from the system. All that is unsafe about it is in this module.

#![allow(unsafe_code, reason = "the system hands out memory as addresses")]

use core::ptr::NonNull;

use crate::{Error, block::Block};

/// Huge pages start at a multiple of this many bytes.
const HUGE: usize = 2 << 20;

/// Zeroed blocks that belong to this value alone, at an address that suits huge pages.
pub(crate) struct Region {
    blocks: NonNull<Block>,
    length: usize,
    source: Source,
}

// SAFETY: The region owns its memory as a `Box<[Block]>` would, and a `Block` is plain data.
unsafe impl Send for Region {}

// SAFETY: A shared reference to the region only reads.
unsafe impl Sync for Region {}

impl Region {
    /// Gets `length` blocks.
    pub(crate) fn new(length: usize) -> Result<Self, Error> {
        let bytes = length.checked_mul(size_of::<Block>()).ok_or(Error::OutOfMemory)?;
        let (blocks, source) = Source::get(bytes.max(size_of::<Block>()))?;
        Ok(Self { blocks, length, source })
    }

    pub(crate) fn blocks(&self) -> &[Block] {
        // SAFETY: `blocks` points to `length` blocks that `new` got zeroed and aligned and that live as long as `self`.
        unsafe { core::slice::from_raw_parts(self.blocks.as_ptr(), self.length) }
    }

    pub(crate) fn blocks_mut(&mut self) -> &mut [Block] {
        // SAFETY: As for `blocks`; `&mut self` makes this the only reference.
        unsafe { core::slice::from_raw_parts_mut(self.blocks.as_ptr(), self.length) }
    }

    /// Gives the pages back to the system and keeps the addresses. The blocks are zero afterwards if they were zero
    /// before: where the system cannot take pages back, nothing changes.
    pub(crate) fn release(&mut self) {
        self.source.release(self.blocks, self.length * size_of::<Block>());
    }
}

/// Overwrites `blocks` with zeros, even if nobody reads them again.
///
/// Writes them as one piece of memory: the system library knows the fastest way to do that, where `zeroize` would write
/// word by word.
pub(crate) fn wipe(blocks: &mut [Block]) {
    // SAFETY: The range is that of `blocks`, and a block of zero bytes is valid.
    unsafe { blocks.as_mut_ptr().write_bytes(0, blocks.len()) };
    zeroize::optimization_barrier(blocks);
}

impl Drop for Region {
    fn drop(&mut self) {
        self.source.free();
    }
}

#[cfg(all(target_os = "linux", not(miri)))]
use mapped::Source;

#[cfg(all(target_os = "linux", not(miri)))]
mod mapped {
    use core::{ffi::c_void, ptr::NonNull};

    use rustix::mm::{Advice, MapFlags, ProtFlags, madvise, mmap_anonymous, munmap};

    use super::{Block, Error, HUGE};

    /// The mapping around the blocks.
    pub(super) struct Source {
        start: *mut c_void,
        bytes: usize,
    }

    impl Source {
        /// Maps more than `bytes`, so that a multiple of [`HUGE`] is among the addresses. Pages that nobody touches
        /// cost nothing.
        pub(super) fn get(bytes: usize) -> Result<(NonNull<Block>, Self), Error> {
            let bytes = bytes.checked_next_multiple_of(HUGE).ok_or(Error::OutOfMemory)?;
            let mapped = bytes.checked_add(HUGE).ok_or(Error::OutOfMemory)?;
            let access = ProtFlags::READ | ProtFlags::WRITE;
            // SAFETY: The address is null, so that the kernel chooses one where nothing is.
            let start = unsafe { mmap_anonymous(core::ptr::null_mut(), mapped, access, MapFlags::PRIVATE) }
                .map_err(|_| Error::OutOfMemory)?;
            let source = Self { start, bytes: mapped };
            let aligned = start.map_addr(|address| address.next_multiple_of(HUGE));
            // A kernel without huge pages refuses the first, an old one the second. Both are only to the good.
            for advice in [Advice::LinuxHugepage, Advice::LinuxDontDump] {
                // SAFETY: The range is inside the mapping. Neither advice changes what the memory contains.
                let _ = unsafe { madvise(aligned, bytes, advice) };
            }
            match NonNull::new(aligned.cast()) {
                Some(blocks) => Ok((blocks, source)),
                None => Err(Error::OutOfMemory),
            }
        }

        pub(super) fn release(&self, blocks: NonNull<Block>, bytes: usize) {
            // SAFETY: The range is inside the mapping, which is private and anonymous: its pages read as zero
            // afterwards, which is a valid `Block`.
            let _ = unsafe { madvise(blocks.as_ptr().cast(), bytes, Advice::LinuxDontNeed) };
        }

        pub(super) fn free(&self) {
            // SAFETY: `start` and `bytes` are those of the mapping, and its only owner goes away.
            let _ = unsafe { munmap(self.start, self.bytes) };
        }
    }
}

#[cfg(not(all(target_os = "linux", not(miri))))]
use allocated::Source;

#[cfg(not(all(target_os = "linux", not(miri))))]
mod allocated {
    use core::{alloc::Layout, ptr::NonNull};
    use std::alloc::{alloc_zeroed, dealloc};

    use super::{Block, Error, HUGE};

    /// An allocation.
    pub(super) struct Source {
        start: *mut u8,
        layout: Layout,
    }

    impl Source {
        pub(super) fn get(bytes: usize) -> Result<(NonNull<Block>, Self), Error> {
            let align = if bytes < HUGE { align_of::<Block>() } else { HUGE };
            let layout = Layout::from_size_align(bytes, align).map_err(|_| Error::OutOfMemory)?;
            // SAFETY: The caller asks for at least one block, so the size is not zero.
            let start = unsafe { alloc_zeroed(layout) };
            match NonNull::new(start.cast()) {
                Some(blocks) => Ok((blocks, Self { start, layout })),
                None => Err(Error::OutOfMemory),
            }
        }

        pub(super) fn release(&self, _: NonNull<Block>, _: usize) {}

        pub(super) fn free(&self) {
            // SAFETY: `start` comes from the allocator with this layout, and its only owner goes away.
            unsafe { dealloc(self.start, self.layout) };
        }
    }
}
