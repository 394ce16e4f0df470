use super::hash::Recipe;
use argon2::{Algorithm, Argon2, Block, Version};

/// The memory in which one thread hashes, kept from hash to hash: allocating it again costs about as much as the hash.
///
/// It is reserved at start, so that a machine without enough memory fails then, and becomes resident with the first
/// hash, so that an idle service stays small. It is not wiped between hashes: the next hash overwrites it, and its
/// content is no closer to the password than the stored hash is.
pub(super) struct Arena {
    blocks: Vec<Block>,
    /// Blocks that the current parameters need. If a job needed more, the rest is freed after it.
    usual: usize,
}

/// The machine has too little memory for this hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct OutOfMemory;

impl Arena {
    pub(super) fn reserve(usual: usize) -> Result<Self, OutOfMemory> {
        let mut blocks = Vec::new();
        blocks.try_reserve_exact(usual).map_err(|_| OutOfMemory)?;
        Ok(Self { blocks, usual })
    }

    /// Computes Argon2id version 19 of the password.
    pub(super) fn hash(&mut self, password: &[u8], recipe: &Recipe) -> Result<Vec<u8>, OutOfMemory> {
        let needed = recipe.params.block_count();
        if self.blocks.len() < needed {
            self.blocks.try_reserve_exact(needed - self.blocks.len()).map_err(|_| OutOfMemory)?;
            self.blocks.resize(needed, Block::new());
        }
        let mut output = vec![0; recipe.output_bytes()];
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, recipe.params.clone());
        let hashed =
            argon2.hash_password_into_with_memory(password, &recipe.salt, &mut output, &mut self.blocks[..needed]);
        self.blocks.truncate(self.usual);
        self.blocks.shrink_to(self.usual);
        // All other errors concern lengths, and a recipe has only valid lengths.
        hashed.map(|()| output).map_err(|_| OutOfMemory)
    }

    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.blocks.capacity()
    }
}
