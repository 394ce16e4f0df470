use crate::{
    cache::WakeUps,
    runtime::{Shutdown, sleep, timeout},
    usecase::mail::{DeliverMail, Delivered},
};
use countersign_domain::signal::Signal;
use std::time::Duration;

/// Retries, and mails of replicas that died, are found at the latest after this time.
const LOOK: Duration = Duration::from_secs(2);
/// How long to wait before a database that did not answer is queried again.
const PAUSE: Duration = Duration::from_secs(5);

/// Sends queued mails until the service stops. A round that has begun is finished.
pub async fn send_mail(deliver: DeliverMail, wakeups: WakeUps, mut shutdown: Shutdown) {
    loop {
        let Some(round) = timeout(deliver.limit(), deliver.deliver()).await else {
            tracing::error!("sending a batch of mails took longer than its lease and was aborted");
            continue;
        };
        match round {
            Ok(delivered) if delivered == Delivered::default() => {
                if shutdown.unless(wakeups.wait(Signal::MailQueued, LOOK)).await.is_err() {
                    return;
                }
            }
            // There may be more mails, but a service that stops begins no further round.
            Ok(_) if shutdown.is_requested() => return,
            Ok(_) => {}
            Err(fault) => {
                tracing::warn!(%fault, "the outbox cannot be read");
                if shutdown.unless(sleep(PAUSE)).await.is_err() {
                    return;
                }
            }
        }
    }
}
