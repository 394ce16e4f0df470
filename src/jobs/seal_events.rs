use crate::{
    cache::WakeUps,
    runtime::{Shutdown, sleep},
    usecase::audit::SealEvents,
};
use countersign_domain::signal::Signal;
use std::time::Duration;

/// Events of processes that cannot call, such as the command line, are sealed at the latest after this.
const LOOK: Duration = Duration::from_secs(5);
/// Events that are written within this time are sealed together: a burst costs one commit and not one for each.
const GATHER: Duration = Duration::from_millis(100);
/// A database that does not answer is not asked more often than this.
const PAUSE: Duration = Duration::from_secs(5);

/// Seals the audit trail, until the service stops, and once more then: as soon as something was written here, and from
/// time to time, because other processes write, too.
pub async fn seal_events(seal: SealEvents, wakeups: WakeUps, mut shutdown: Shutdown) {
    loop {
        let pause = match seal.seal().await {
            Ok(()) => {
                let next = async {
                    tokio::select! {
                        () = wakeups.wait(Signal::EventRecorded, LOOK) => sleep(GATHER).await,
                        // Another replica sealed: whoever watches here wants to know.
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
