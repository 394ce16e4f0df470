//! What has to go when its time is over, what has to be counted, and whether all is well.

mod count_hash_costs;
mod purge;
mod ready;

pub use count_hash_costs::CountHashCosts;
pub use purge::{Purge, Retention};
pub use ready::Ready;
