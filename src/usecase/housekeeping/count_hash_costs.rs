use crate::{
    passwords::HashCost,
    runtime::timeout,
    store::{Store, StoreFault, account},
    usecase::gate::DecoyHashCosts,
};
use std::time::Duration;

/// Counts the accounts by the cost of their hashes, so that names without an account have the same costs in the same
/// proportions.
#[derive(Clone, Debug)]
pub struct CountHashCosts {
    pub store: Store,
    pub costs: DecoyHashCosts,
}

/// Enough to count a hundred thousand accounts, and too short to be noticed at a start.
const AT_START: Duration = Duration::from_millis(100);

impl CountHashCosts {
    /// Counts before the first login, so that each login uses the counts. If this takes too long, the job does it
    /// later.
    #[tracing::instrument(level = "debug", name = "housekeeping.count_hash_costs_at_start", skip_all)]
    pub async fn run_at_start(&self) {
        if let Some(Err(fault)) = timeout(AT_START, self.count()).await {
            tracing::warn!(%fault, "the Argon2 parameters of stored passwords could not be counted at the start");
        }
    }

    /// # Errors
    /// When the database does not answer. The counts from before stay in use.
    #[tracing::instrument(level = "debug", name = "housekeeping.count_hash_costs", skip_all)]
    pub async fn count(&self) -> Result<(), StoreFault> {
        let heads = account::count_hash_heads(&self.store.read()).await?;
        // A hash that cannot be read costs nothing at a login either: the login fails before the comparison.
        let cost = |(tenant, head, accounts): (_, String, _)| Some((tenant, HashCost::from_head(&head)?, accounts));
        self.costs.learn(heads.into_iter().filter_map(cost).collect());
        Ok(())
    }
}
