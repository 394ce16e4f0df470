use crate::{
    cache::WakeUps,
    runtime::{Shutdown, Stopwatch},
    usecase::key::MaintainKeys,
};
use countersign_domain::signal::Signal;
use std::time::Duration;

/// How often keys are maintained.
const EVERY: Duration = Duration::from_secs(30);
/// How often a replica checks for changes by another one, or by an operator, when it receives no signal.
const LOOK: Duration = Duration::from_secs(5);

/// Maintains the keys until the service stops.
pub async fn rotate_keys(maintain: MaintainKeys, wakeups: WakeUps, mut shutdown: Shutdown) {
    let mut since: Option<Stopwatch> = None;
    loop {
        let is_time = since.is_none_or(|since| since.elapsed() >= EVERY);
        let done = if is_time { maintain.maintain().await } else { maintain.reload.reload().await.map(drop) };
        match done {
            Ok(()) if is_time => since = Some(Stopwatch::start()),
            Ok(()) => {}
            Err(failure) => tracing::error!(%failure, "keys could not be rotated; trying again"),
        }
        if shutdown.unless(wakeups.wait(Signal::KeysChanged, LOOK)).await.is_err() {
            break;
        }
    }
    if let Err(fault) = maintain.count.store_counts().await {
        tracing::warn!(%fault, "the last tokens were not counted for key rotation");
    }
}
