use argon2::ARGON2ID_IDENT;
use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use countersign_argon2_simd::Params;
use std::{fmt, ops::RangeInclusive};

/// Bytes of salt and of output in hashes that are computed here (RFC 9106 section 4).
pub const SALT_BYTES: usize = 16;
pub(super) const OUTPUT_BYTES: usize = 32;

// Bounds of a stored hash. Its parameters decide how much work a login costs, so an attacker who can write one row of
// the database must not be able to stop the service with it.
const MAX_PHC_BYTES: usize = 256;
const MAX_MEMORY_KIB: u32 = 1024 * 1024;
const MAX_ITERATIONS: u32 = 16;
const MAX_PARALLELISM: u32 = 16;
/// The PHC string format allows at most 48 bytes of salt.
const READABLE_SALT_BYTES: RangeInclusive<usize> = 8..=48;
const READABLE_OUTPUT_BYTES: RangeInclusive<usize> = 16..=64;
const VERSION: u32 = 0x13;

/// A hashed password as it is stored: a PHC string, `$argon2id$v=19$m=19456,t=2,p=1$<salt>$<output>`.
#[derive(Clone)]
pub struct PasswordHash {
    phc: String,
    recipe: Recipe,
    output: Vec<u8>,
}

/// The cost of comparing a password with a stored hash, which the response time of a login reveals. One variant for
/// each kind of hash that accounts may have.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum HashCost {
    Argon2id(Argon2Cost),
}

/// Memory in KiB, passes over it, and lanes; within the bounds of what is computed here.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Argon2Cost {
    memory_kib: u32,
    iterations: u32,
    parallelism: u32,
}

/// A stored text that is not an Argon2id hash within bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unreadable;

/// Everything a hash depends on except the password.
#[derive(Clone, Debug)]
pub(super) struct Recipe {
    pub(super) params: Params,
    pub(super) salt: Vec<u8>,
    pub(super) output_bytes: usize,
}

impl PasswordHash {
    /// Reads the text of [`PasswordHash::as_str`], or a canonical PHC string of another program.
    ///
    /// # Errors
    /// [`Unreadable`] for anything but Argon2id version 19 with at most 1 GiB, 16 iterations and 16 lanes, 8 to 48
    /// bytes of salt and 16 to 64 bytes of output. No work is done for such a text.
    pub fn from_stored(phc: String) -> Result<Self, Unreadable> {
        if phc.len() > MAX_PHC_BYTES {
            return Err(Unreadable);
        }
        let read = argon2::PasswordHash::new(&phc).map_err(|_| Unreadable)?;
        let params = argon2::Params::try_from(&read).map_err(|_| Unreadable)?;
        let params = Params::new(params.m_cost(), params.t_cost(), params.p_cost()).map_err(|_| Unreadable)?;
        let (Some(salt), Some(output)) = (read.salt, read.hash) else { return Err(Unreadable) };
        let known = read.algorithm == ARGON2ID_IDENT && read.version == Some(VERSION);
        let readable = READABLE_SALT_BYTES.contains(&salt.len()) && READABLE_OUTPUT_BYTES.contains(&output.len());
        if !known || !readable || !is_bearable(&params) {
            return Err(Unreadable);
        }
        let recipe = Recipe { params, salt: salt.to_vec(), output_bytes: output.len() };
        let hash = Self::new(recipe, output.as_bytes().to_vec());
        // One hash has one spelling. This also refuses parameters that Argon2 would use and the string would not show.
        if hash.phc == phc { Ok(hash) } else { Err(Unreadable) }
    }

    pub(super) fn new(recipe: Recipe, output: Vec<u8>) -> Self {
        let Recipe { params, salt, .. } = &recipe;
        let (m, t, p) = (params.memory_kib(), params.iterations(), params.lanes());
        let (salt, shown) = (STANDARD_NO_PAD.encode(salt), STANDARD_NO_PAD.encode(&output));
        let phc = format!("$argon2id$v={VERSION}$m={m},t={t},p={p}${salt}${shown}");
        Self { phc, recipe, output }
    }

    /// The PHC string, to be stored. It allows offline brute force, so it belongs only in the database.
    pub fn as_str(&self) -> &str {
        &self.phc
    }

    /// The cost of comparing a password with this hash.
    pub fn cost(&self) -> HashCost {
        HashCost::of(&self.recipe.params)
    }

    pub(super) fn recipe(&self) -> &Recipe {
        &self.recipe
    }

    pub(super) fn output(&self) -> &[u8] {
        &self.output
    }
}

impl HashCost {
    pub(super) fn of(params: &Params) -> Self {
        let (memory_kib, iterations, parallelism) = (params.memory_kib(), params.iterations(), params.lanes());
        Self::Argon2id(Argon2Cost { memory_kib, iterations, parallelism })
    }

    /// Reads the part of a stored hash before the salt: `$argon2id$v=19$m=19456,t=2,p=1`. `None` where
    /// [`PasswordHash::from_stored`] would fail.
    pub fn from_head(head: &str) -> Option<Self> {
        // Any salt and output will do.
        let (salt, output) = (STANDARD_NO_PAD.encode([0; SALT_BYTES]), STANDARD_NO_PAD.encode([0; OUTPUT_BYTES]));
        PasswordHash::from_stored(format!("{head}${salt}${output}")).ok().map(|hash| hash.cost())
    }

    /// A recipe of the same cost.
    pub(super) fn recipe(&self, salt: &[u8]) -> Option<Recipe> {
        let Self::Argon2id(Argon2Cost { memory_kib, iterations, parallelism }) = self;
        let params = Params::new(*memory_kib, *iterations, *parallelism).ok()?;
        Some(Recipe::new(params, salt))
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[password hash]")
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a stored password hash is not Argon2id with valid parameters")
    }
}

impl std::error::Error for Unreadable {}

impl Recipe {
    /// For a hash that is made here.
    pub(super) fn new(params: Params, salt: &[u8]) -> Self {
        Self { params, salt: salt.to_vec(), output_bytes: OUTPUT_BYTES }
    }
}

/// Whether a hash with these parameters may be computed here.
pub(super) fn is_bearable(params: &Params) -> bool {
    params.memory_kib() <= MAX_MEMORY_KIB && params.iterations() <= MAX_ITERATIONS && params.lanes() <= MAX_PARALLELISM
}
