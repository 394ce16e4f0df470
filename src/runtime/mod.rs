//! The only home of the clock, of entropy and of new tasks and threads.
//!
//! **Architecture invariant:** nowhere else is the time read, a random byte drawn or a task spawned. Tests put a clock
//! they set and entropy they seeded in place of the real ones.

mod clock;
mod entropy;
mod files;
mod task;

pub use clock::{Clock, ClockHand};
pub use entropy::Entropy;
pub use files::raise_file_limit;
pub use task::{Cancelled, Shutdown, ShutdownHandle, Stopwatch, blocking, sleep, spawn, spawn_thread, timeout};
