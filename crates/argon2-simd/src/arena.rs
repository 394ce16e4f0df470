use crate::{
    Error, Params,
    block::Block,
    region::{self, Region},
};

/// When an [`Arena`] overwrites with zeros what a hash leaves in it.
///
/// What a hash leaves is as good as the tag: whoever reads it can compute the tag, or try passwords for less work than
/// the parameters ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wipe {
    /// At the end of every hash, which costs a pass over the memory.
    EveryHash,
    /// In [`Arena::wipe`] and [`Arena::release`], and when the arena is dropped. Until then the next hash overwrites
    /// what the last one left.
    OnRelease,
}

/// The memory of one hash at a time. Gets its addresses once and its pages when they are first needed.
///
/// A core dump does not contain it, on Linux.
///
/// An arena serves one thread at a time.
pub struct Arena {
    region: Region,
    wipe: Wipe,
    /// How many blocks at the start are perhaps not zero.
    used: usize,
}

impl Arena {
    /// Makes an arena for `params`, and for all parameters that need no more memory.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfMemory`] if the system has no room.
    pub fn new(params: &Params, wipe: Wipe) -> Result<Self, Error> {
        Ok(Self { region: Region::new(params.blocks())?, wipe, used: 0 })
    }

    /// Makes the arena large enough for `params`. Does nothing if it is.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfMemory`] if the system has no room. The arena is then as it was.
    pub fn reserve(&mut self, params: &Params) -> Result<(), Error> {
        if params.blocks() > self.region.blocks().len() {
            *self = Self::new(params, self.wipe)?;
        }
        Ok(())
    }

    /// The most memory that one hash may need here, in KiB.
    #[must_use]
    pub fn capacity_kib(&self) -> usize {
        self.region.blocks().len()
    }

    /// Overwrites with zeros what hashes have left.
    pub fn wipe(&mut self) {
        let used = core::mem::take(&mut self.used);
        region::wipe(&mut self.region.blocks_mut()[..used]);
    }

    /// Wipes the arena and gives its pages back to the system, after a storm of hashes for instance. The arena stays
    /// usable: the next hash gets pages again and is slower for it.
    ///
    /// Only Linux takes the pages back. Elsewhere they stay until the arena is dropped.
    pub fn release(&mut self) {
        self.wipe();
        self.region.release();
    }

    /// Whether there is nothing of a hash in the arena. Reads all that was ever used; for tests.
    #[must_use]
    pub fn is_wiped(&self) -> bool {
        self.used == 0 && self.region.blocks().iter().all(|block| block.0 == Block::ZERO.0)
    }

    /// The blocks for a hash. [`Self::end`] says that it is computed.
    pub(crate) fn memory(&mut self, params: &Params) -> Result<&mut [Block], Error> {
        let blocks = params.blocks();
        let memory = self.region.blocks_mut().get_mut(..blocks).ok_or(Error::ArenaTooSmall)?;
        self.used = self.used.max(blocks);
        Ok(memory)
    }

    pub(crate) fn end(&mut self) {
        if self.wipe == Wipe::EveryHash {
            self.wipe();
        }
    }
}

impl Drop for Arena {
    fn drop(&mut self) {
        self.wipe();
    }
}

/// Shows nothing of the contents.
impl core::fmt::Debug for Arena {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Arena")
            .field("capacity_kib", &self.capacity_kib())
            .field("wipe", &self.wipe)
            .finish_non_exhaustive()
    }
}
