//! Purging expired data, counting hash costs, and checking readiness.

mod count_hash_costs;
mod purge;
mod ready;

pub use count_hash_costs::CountHashCosts;
pub use purge::{Purge, Retention};
pub use ready::Ready;
