use crate::{
    runtime::{Shutdown, sleep},
    usecase::housekeeping::CountHashCosts,
};
use std::time::Duration;

/// The shares change over weeks, as people log in again; the count reads every account.
const EVERY: Duration = Duration::from_secs(6 * 60 * 60);

/// Counts the accounts by the cost of their hashes, at once and then every few hours, until the service stops.
pub async fn count_hash_costs(count: CountHashCosts, mut shutdown: Shutdown) {
    loop {
        match shutdown.unless(count.count()).await {
            Ok(Ok(())) => {}
            Ok(Err(fault)) => {
                tracing::warn!(
                    %fault,
                    "the Argon2 parameters of stored passwords could not be counted; trying again later"
                )
            }
            Err(_) => return,
        }
        if shutdown.unless(sleep(EVERY)).await.is_err() {
            return;
        }
    }
}
