use super::hash::Recipe;
use argon2::{Algorithm, Argon2, Block, Version};
use countersign_argon2_simd::{self as simd, Input, Params, Wipe};

/// The memory in which one thread hashes, kept from hash to hash: allocating it again costs about as much as the hash.
///
/// Its addresses are reserved at start, so that a machine without enough memory fails then. It becomes resident with
/// the first hash, so that an idle service stays small. It is not wiped between hashes: the next hash overwrites it,
/// and its content is no closer to the password than the stored hash is.
pub(super) struct Arena {
    engine: Engine,
    memory: Memory,
    /// The parameters that the memory is kept for.
    usual: Params,
}

/// What computes the hashes of this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Engine {
    /// `countersign-argon2-simd`.
    Fast,
    /// The `argon2` crate: the same hashes, at a third of the speed or less.
    Plain,
}

enum Memory {
    Fast(simd::Arena),
    Plain(Vec<Block>),
}

/// The machine has too little memory for this hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct OutOfMemory;

impl Engine {
    /// The fast one, unless this processor computes something else with it than the known answers.
    pub(super) fn tested() -> Self {
        match simd::self_test() {
            Ok(()) => Self::Fast,
            Err(fault) => {
                tracing::error!(%fault, "passwords are hashed by the argon2 crate, slowly; is this processor sound?");
                Self::Plain
            }
        }
    }
}

impl Arena {
    pub(super) fn reserve(engine: Engine, usual: Params) -> Result<Self, OutOfMemory> {
        Ok(Self { engine, memory: Memory::reserve(engine, &usual)?, usual })
    }

    /// Computes Argon2id version 19 of the password. A hash that needs more memory than usual gets its own.
    pub(super) fn hash(&mut self, password: &[u8], recipe: &Recipe) -> Result<Vec<u8>, OutOfMemory> {
        if recipe.params.memory_kib() <= self.usual.memory_kib() {
            return self.memory.hash(password, recipe);
        }
        Memory::reserve(self.engine, &recipe.params)?.hash(password, recipe)
    }

    /// Wipes the memory and gives it back to the system until the next hash.
    pub(super) fn release(&mut self) {
        match &mut self.memory {
            Memory::Fast(arena) => arena.release(),
            Memory::Plain(blocks) => *blocks = Vec::new(),
        }
    }
}

impl Memory {
    fn reserve(engine: Engine, params: &Params) -> Result<Self, OutOfMemory> {
        Ok(match engine {
            Engine::Fast => Self::Fast(simd::Arena::new(params, Wipe::OnRelease)?),
            Engine::Plain => {
                let mut blocks = Vec::new();
                blocks.try_reserve_exact(params.memory_kib() as usize).map_err(|_| OutOfMemory)?;
                Self::Plain(blocks)
            }
        })
    }

    fn hash(&mut self, password: &[u8], recipe: &Recipe) -> Result<Vec<u8>, OutOfMemory> {
        match self {
            Self::Fast(arena) => {
                let mut output = vec![0; recipe.output_bytes];
                simd::hash(arena, &recipe.params, &Input::new(password, &recipe.salt)?, &mut output)?;
                Ok(output)
            }
            Self::Plain(blocks) => hash_plainly(blocks, password, recipe),
        }
    }
}

fn hash_plainly(blocks: &mut Vec<Block>, password: &[u8], recipe: &Recipe) -> Result<Vec<u8>, OutOfMemory> {
    let Recipe { params, salt, output_bytes } = recipe;
    let params = argon2::Params::new(params.memory_kib(), params.iterations(), params.lanes(), Some(*output_bytes))?;
    let needed = params.block_count();
    blocks.try_reserve_exact(needed.saturating_sub(blocks.len())).map_err(|_| OutOfMemory)?;
    blocks.resize(needed, Block::new());
    let mut output = vec![0; *output_bytes];
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    argon2.hash_password_into_with_memory(password, salt, &mut output, blocks)?;
    Ok(output)
}

// All other errors of both concern lengths, and a recipe has only valid lengths.
impl From<simd::Error> for OutOfMemory {
    fn from(_: simd::Error) -> Self {
        Self
    }
}

impl From<argon2::Error> for OutOfMemory {
    fn from(_: argon2::Error) -> Self {
        Self
    }
}
