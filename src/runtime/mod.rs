//! The clock, randomness, and new tasks and threads.
//!
//! **Architecture invariant:** no other code reads the time, draws a random byte or spawns a task. Tests replace the
//! clock and the randomness.

mod clock;
mod entropy;
mod files;
mod task;

pub use clock::{Clock, ClockHand};
pub use entropy::Entropy;
pub use files::raise_file_limit;
pub use task::{Cancelled, Shutdown, ShutdownHandle, Stopwatch, blocking, sleep, spawn, spawn_thread, timeout};
