use crate::{
    keys::KeyRing,
    store::{Store, StoreFault, key},
};
use std::sync::Arc;

/// Stores how many tokens this process has encrypted with each key, so that a key is rotated before it encrypts too
/// many.
#[derive(Clone, Debug)]
pub struct CountTokens {
    pub store: Store,
    pub ring: Arc<KeyRing>,
}

impl CountTokens {
    /// # Errors
    /// When the database does not answer. Nothing is lost: the counts are stored the next time.
    #[tracing::instrument(level = "debug", name = "key.count", skip_all)]
    pub async fn store_counts(&self) -> Result<(), StoreFault> {
        let mut fault = None;
        for (tenant, id, tokens) in self.ring.take_counts() {
            if let Err(why) = key::count(&self.store.write(), tenant, &id, tokens).await {
                self.ring.give_back(&id, tokens);
                fault = Some(why);
            }
        }
        fault.map_or(Ok(()), Err)
    }
}
