use super::{
    arena::{Arena, Engine, OutOfMemory},
    hash::{HashCost, OUTPUT_BYTES, PasswordHash, Recipe, SALT_BYTES, is_bearable},
    pace::Pace,
    presence::Presence,
    queue::{Job, NotTaken, Queue},
    worker::Worker,
};
use crate::runtime::{self, Entropy};
use countersign_argon2_simd::Params;
use countersign_domain::password::{NewPassword, Password};
use std::{
    fmt, io,
    sync::Arc,
    thread::{JoinHandle, available_parallelism},
    time::Duration,
};
use subtle::ConstantTimeEq;
use tokio::sync::oneshot;

/// How passwords are hashed, and how many at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HasherSettings {
    /// Argon2 memory, in KiB. Every worker reserves it.
    pub memory_kib: u32,
    /// Argon2 passes over the memory.
    pub iterations: u32,
    /// Argon2 lanes. One worker computes them one after the other.
    pub parallelism: u32,
    /// Threads; 0 means one for every core.
    pub workers: usize,
    /// Most calls that wait for a worker, at least one. Further calls are refused at once.
    pub queue: usize,
}

/// Why the hasher could not start.
#[derive(Debug)]
pub enum HasherFault {
    /// Argon2 does not allow these parameters, or a stored hash with them could not be read.
    Parameters,
    /// Not enough memory for every worker's blocks.
    Memory,
    /// A worker's thread could not be started.
    Thread(io::Error),
}

/// Why a password was not hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The queue is full, or there is no memory for a hash with unusual parameters. Nothing was computed.
    Busy { retry_after: Duration },
    /// The [`Caller`](super::Caller) was gone before a worker took the job. Nothing was computed.
    Abandoned,
    /// The hasher has no workers any more.
    Stopped,
}

/// The result of comparing a password with a hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a password that was not found right proves nothing"]
pub enum Verdict {
    /// The password is right. When the hash is `outdated`, its parameters are not the current ones: hash the password
    /// again while it is available.
    Right { outdated: bool },
    /// The password is wrong.
    Wrong,
}

/// The threads that hash passwords, and their queue. Clones share both; the threads end with the last clone.
///
/// Dropping its future cancels a call, so a caller's deadline is met by wrapping the call in a timeout: a job without a
/// receiver is dropped before it costs anything. Where the verdict must survive its caller, another task waits for it
/// ([`Hasher::verify_for`]).
#[derive(Clone)]
pub struct Hasher(Arc<Pool>);

struct Pool {
    queue: Arc<Queue>,
    pace: Arc<Pace>,
    entropy: Entropy,
    params: Params,
    /// The salt of hashes that are computed only for their cost.
    salt_of_nobody: [u8; SALT_BYTES],
    workers: usize,
}

impl Hasher {
    /// Reserves the memory and starts the threads.
    ///
    /// # Errors
    /// [`HasherFault`] when the parameters are out of bounds, or the machine has no memory or threads for them.
    pub fn start(settings: HasherSettings, entropy: Entropy) -> Result<Self, HasherFault> {
        Self::start_joinable(settings, entropy).map(|(hasher, _)| hasher)
    }

    pub(super) fn start_joinable(
        settings: HasherSettings,
        entropy: Entropy,
    ) -> Result<(Self, Vec<JoinHandle<()>>), HasherFault> {
        let HasherSettings { memory_kib, iterations, parallelism, .. } = settings;
        let params =
            Params::new(memory_kib, iterations, parallelism).ok().filter(is_bearable).ok_or(HasherFault::Parameters)?;
        let workers = match settings.workers {
            0 => available_parallelism().map_or(1, usize::from),
            workers => workers,
        };
        let pool = Pool {
            queue: Arc::new(Queue::new(settings.queue.max(1), workers)),
            pace: Arc::new(Pace::expected(&params)),
            salt_of_nobody: entropy.bytes(),
            entropy,
            params,
            workers,
        };
        let engine = Engine::tested();
        let threads = (0..workers).map(|number| pool.start_worker(engine, number)).collect::<Result<_, _>>()?;
        Ok((Self(Arc::new(pool)), threads))
    }

    /// Hashes a password that the policy accepted, with the current parameters and a random salt.
    ///
    /// # Errors
    /// [`Refused`]; nothing was computed then.
    pub async fn hash(&self, password: &NewPassword) -> Result<PasswordHash, Refused> {
        self.rehash(password.password()).await
    }

    /// Hashes a password that the policy accepted, with the current parameters and a salt that the caller derived: two
    /// hashes with one salt are equal if their passwords are. Where passwords must not be comparable, salts must
    /// differ.
    ///
    /// # Errors
    /// [`Refused`]; nothing was computed then.
    pub async fn hash_comparably(
        &self,
        password: &NewPassword,
        salt: [u8; SALT_BYTES],
    ) -> Result<PasswordHash, Refused> {
        let recipe = Recipe::new(self.0.params, &salt);
        let output = self.0.compute(password.password().clone(), recipe.clone()).await?;
        Ok(PasswordHash::new(recipe, output))
    }

    /// Hashes a right password again, because its stored hash is outdated. The policy is not applied: it accepted the
    /// password when the password was set.
    ///
    /// # Errors
    /// [`Refused`]; nothing was computed then.
    pub async fn rehash(&self, password: &Password) -> Result<PasswordHash, Refused> {
        let recipe = Recipe::new(self.0.params, &self.0.entropy.bytes::<SALT_BYTES>());
        let output = self.0.compute(password.clone(), recipe.clone()).await?;
        Ok(PasswordHash::new(recipe, output))
    }

    /// Compares a password with the hash stored for an account.
    ///
    /// # Errors
    /// [`Refused`]; the password was not compared then.
    pub async fn verify(&self, password: Password, stored: &PasswordHash) -> Result<Verdict, Refused> {
        self.verify_if(password, stored, None).await
    }

    /// Like [`Hasher::verify`], for a caller that may disconnect while another task waits for the verdict. If the
    /// caller is gone when a worker takes the job, nothing is computed; a hash that has begun is finished and its
    /// verdict returned.
    ///
    /// # Errors
    /// [`Refused`]; the password was not compared then.
    pub async fn verify_for(
        &self,
        presence: &Presence,
        password: Password,
        stored: &PasswordHash,
    ) -> Result<Verdict, Refused> {
        self.verify_if(password, stored, Some(presence)).await
    }

    /// Computes a hash of this cost where there is no hash to compare with, for a caller that may disconnect.
    ///
    /// # Errors
    /// [`Refused`]; nothing was computed then.
    pub async fn pretend_for(&self, presence: &Presence, password: Password, cost: &HashCost) -> Result<(), Refused> {
        let salt = self.0.salt_of_nobody;
        let recipe = cost.recipe(&salt).unwrap_or_else(|| Recipe::new(self.0.params, &salt));
        self.0.compute_for(Some(presence), password, recipe).await.map(drop)
    }

    async fn verify_if(
        &self,
        password: Password,
        stored: &PasswordHash,
        presence: Option<&Presence>,
    ) -> Result<Verdict, Refused> {
        let output = self.0.compute_for(presence, password, stored.recipe().clone()).await?;
        let equal: bool = output.ct_eq(stored.output()).into();
        Ok(if equal { Verdict::Right { outdated: self.0.is_outdated(stored.recipe()) } } else { Verdict::Wrong })
    }

    /// Whether a password would be queued now. A call checks this before anything that costs more: of more logins than
    /// the cores can compute, most are refused, and a refusal must be cheap.
    ///
    /// # Errors
    /// [`Refused`] when not.
    pub fn has_room(&self) -> Result<(), Refused> {
        self.0.queue.has_room().map_err(|why| self.0.refused(why))
    }

    /// The cost of comparing a password with a hash of the current parameters.
    pub fn current_cost(&self) -> HashCost {
        HashCost::of(&self.0.params)
    }

    /// Calls that wait for a worker.
    pub fn queue_depth(&self) -> usize {
        self.0.queue.depth()
    }

    /// Hashes computed since the start.
    pub fn computed(&self) -> u64 {
        self.0.pace.computed()
    }

    /// Simulates that every worker has panicked.
    #[cfg(test)]
    pub(super) fn lose_all_workers(&self) {
        (0..self.0.workers).for_each(|_| drop(super::queue::WorkerSlot::take(&self.0.queue)));
    }
}

impl Pool {
    fn start_worker(&self, engine: Engine, number: usize) -> Result<JoinHandle<()>, HasherFault> {
        let arena = Arena::reserve(engine, self.params).map_err(|OutOfMemory| HasherFault::Memory)?;
        let worker = Worker::new(self.queue.clone(), self.pace.clone(), arena);
        runtime::spawn_thread(format!("argon2-{number}"), || worker.work()).map_err(HasherFault::Thread)
    }

    async fn compute(&self, password: Password, recipe: Recipe) -> Result<Vec<u8>, Refused> {
        self.compute_for(None, password, recipe).await
    }

    async fn compute_for(
        &self,
        presence: Option<&Presence>,
        password: Password,
        recipe: Recipe,
    ) -> Result<Vec<u8>, Refused> {
        let (answer, answered) = oneshot::channel();
        let queued = self.queue.push(Job { password, recipe, presence: presence.cloned(), answer });
        queued.map_err(|why| self.refused(why))?;
        match answered.await {
            Ok(Ok(output)) => Ok(output),
            Ok(Err(OutOfMemory)) => Err(self.busy(self.queue.depth())),
            Err(_) if presence.is_some_and(Presence::is_gone) => Err(Refused::Abandoned),
            Err(_) => Err(Refused::Stopped),
        }
    }

    fn refused(&self, why: NotTaken) -> Refused {
        match why {
            NotTaken::Full { waiting } => self.busy(waiting),
            NotTaken::Closed => Refused::Stopped,
        }
    }

    fn busy(&self, waiting: usize) -> Refused {
        Refused::Busy { retry_after: self.pace.until_served(waiting, self.workers) }
    }

    fn is_outdated(&self, recipe: &Recipe) -> bool {
        recipe.params != self.params || recipe.output_bytes != OUTPUT_BYTES || recipe.salt.len() < SALT_BYTES
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.queue.close();
    }
}

impl fmt::Debug for Hasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hasher")
            .field("params", &self.0.params)
            .field("workers", &self.0.workers)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for HasherFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Parameters => f.write_str("the Argon2 parameters are out of bounds"),
            Self::Memory => f.write_str("not enough memory for the password hasher"),
            Self::Thread(_) => f.write_str("no thread could be started for the password hasher"),
        }
    }
}

impl std::error::Error for HasherFault {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Thread(error) => Some(error),
            Self::Parameters | Self::Memory => None,
        }
    }
}
