use crate::{
    cache::WakeUps,
    runtime::{Shutdown, sleep},
    usecase::audit::SealEvents,
};
use countersign_domain::signal::Signal;
use std::time::Duration;

/// Events of processes without signals, such as the command line, are sealed at the latest after this time.
const LOOK: Duration = Duration::from_secs(5);
/// Events within this time are sealed in one batch: a burst costs one commit instead of one for each event.
const GATHER: Duration = Duration::from_millis(100);
/// How long to wait before a database that did not answer is queried again.
const PAUSE: Duration = Duration::from_secs(5);

/// Seals the audit log until the service stops, and once more at its end: after every event recorded here, and from
/// time to time, because other processes record events too.
pub async fn seal_events(seal: SealEvents, wakeups: WakeUps, mut shutdown: Shutdown) {
    loop {
        let pause = match seal.seal().await {
            Ok(()) => {
                let next = async {
                    tokio::select! {
                        () = wakeups.wait(Signal::EventRecorded, LOOK) => sleep(GATHER).await,
                        // Another replica has sealed events, so the watchers here are notified.
                        () = wakeups.wait(Signal::EventsSealed, LOOK) => seal.watchers.rise(),
                    }
                };
                shutdown.unless(next).await
            }
            Err(fault) => {
                tracing::error!(%fault, "audit events could not be sealed; trying again");
                shutdown.unless(sleep(PAUSE)).await
            }
        };
        if pause.is_err() {
            break;
        }
    }
    if let Err(fault) = seal.seal().await {
        tracing::warn!(%fault, "the last audit events could not be sealed; the next start seals them");
    }
}
