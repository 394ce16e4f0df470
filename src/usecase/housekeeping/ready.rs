use crate::{
    runtime::{Clock, timeout},
    store::Store,
};
use std::time::Duration;

/// Whether the service can answer calls now.
#[derive(Clone, Debug)]
pub struct Ready {
    pub store: Store,
    pub clock: Clock,
}

const LIMIT: Duration = Duration::from_secs(2);

impl Ready {
    #[tracing::instrument(level = "debug", name = "housekeeping.ready", skip_all)]
    pub async fn is_ready(&self) -> bool {
        matches!(timeout(LIMIT, self.store.check(self.clock.now())).await, Some(Ok(())))
    }
}
