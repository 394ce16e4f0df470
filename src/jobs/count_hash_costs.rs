use crate::{
    runtime::{Shutdown, sleep},
    usecase::housekeeping::CountHashCosts,
};
use std::time::Duration;

/// The shares move as fast as people log in again, over weeks; the count looks at every account.
const EVERY: Duration = Duration::from_secs(6 * 60 * 60);

/// Counts what the hashes of accounts cost, at once and then a few times a day, until the service stops.
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
