use crate::{
    runtime::{Shutdown, sleep},
    usecase::housekeeping::Ready,
};
use std::{future::Future, time::Duration};

const EVERY: Duration = Duration::from_secs(5);

/// Calls `report` with whether calls can be answered, now and after each change. When the service stops, it reports
/// that they cannot, so that load balancers choose other replicas before connections close.
pub async fn watch_health<F: Future<Output = ()>>(ready: Ready, report: impl Fn(bool) -> F, mut shutdown: Shutdown) {
    let mut last = None;
    loop {
        let is_ready = ready.is_ready().await;
        if last != Some(is_ready) {
            if last.is_some() {
                match is_ready {
                    true => tracing::info!("the database answers again: this process is ready"),
                    false => tracing::warn!("the database does not answer: this process is not ready"),
                }
            }
            report(is_ready).await;
            last = Some(is_ready);
        }
        if shutdown.unless(sleep(EVERY)).await.is_err() {
            report(false).await;
            return;
        }
    }
}
