use super::hash::Recipe;
use argon2::{Algorithm, Argon2, Block, Version};

/// The memory one thread hashes in, kept from hash to hash: allocating it afresh costs about as much as the hash.
///
/// It is reserved at start, so that a machine without it says so then, and becomes resident with the first hash, so
/// that an idle service stays small. Between hashes it is not wiped: the next one overwrites it, and what lies in it is
/// no closer to the password than the stored hash.
pub(super) struct Arena {
    blocks: Vec<Block>,
    /// What the current parameters need. More is given back after the job that needed it.
    usual: usize,
}

/// The machine has no memory for this hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct OutOfMemory;

impl Arena {
    pub(super) fn reserve(usual: usize) -> Result<Self, OutOfMemory> {
        let mut blocks = Vec::new();
        blocks.try_reserve_exact(usual).map_err(|_| OutOfMemory)?;
        Ok(Self { blocks, usual })
    }

    /// Argon2id version 19 of the password.
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
        // Every other error speaks of lengths, and a recipe is only made with lengths in bounds.
        hashed.map(|()| output).map_err(|_| OutOfMemory)
    }

    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.blocks.capacity()
    }
}
