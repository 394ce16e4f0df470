//! What has to go when its time is over, and whether all is well.

mod purge;
mod ready;

pub use purge::{Purge, Retention};
pub use ready::Ready;
