use crate::{
    passwords::HashCost,
    runtime::timeout,
    store::{Store, StoreFault, account},
    usecase::gate::DecoyHashCosts,
};
use std::time::Duration;

/// Looks how many accounts have hashes of which cost, so that names which nobody has cost the same in the same
/// proportions.
#[derive(Clone, Debug)]
pub struct CountHashCosts {
    pub store: Store,
    pub costs: DecoyHashCosts,
}

/// A hundred thousand accounts are counted within it, and nobody notices it at a start.
const AT_START: Duration = Duration::from_millis(100);

impl CountHashCosts {
    /// Before the first login, so that none is answered without it. A count that takes longer is left to the job.
    #[tracing::instrument(level = "debug", name = "housekeeping.count_hash_costs_at_start", skip_all)]
    pub async fn run_at_start(&self) {
        if let Some(Err(fault)) = timeout(AT_START, self.count()).await {
            tracing::warn!(%fault, "the Argon2 parameters of stored passwords could not be counted at the start");
        }
    }

    /// # Errors
    /// When the database does not answer. What was known before goes on to hold.
    #[tracing::instrument(level = "debug", name = "housekeeping.count_hash_costs", skip_all)]
    pub async fn count(&self) -> Result<(), StoreFault> {
        let heads = account::count_hash_heads(&self.store.read()).await?;
        // What cannot be read costs nothing at a login either: it fails before it is compared.
        let cost = |(tenant, head, accounts): (_, String, _)| Some((tenant, HashCost::from_head(&head)?, accounts));
        self.costs.learn(heads.into_iter().filter_map(cost).collect());
        Ok(())
    }
}
