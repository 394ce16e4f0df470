use crate::{
    runtime::{Shutdown, sleep},
    usecase::housekeeping::Purge,
};
use std::time::Duration;

const EVERY: Duration = Duration::from_secs(60 * 60);

/// Deletes expired data once an hour, until the service stops.
pub async fn purge(purge: Purge, mut shutdown: Shutdown) {
    loop {
        if let Err(fault) = purge.purge().await {
            tracing::warn!(%fault, "expired rows could not be deleted; trying again later");
        }
        if shutdown.unless(sleep(EVERY)).await.is_err() {
            return;
        }
    }
}
