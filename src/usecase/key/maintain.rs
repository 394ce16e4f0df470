use super::{CountTokens, KeyFailure, ReloadKeys, RotateKeys};
use crate::usecase::factor::ResealFactors;

/// The periodic work on keys that every replica does.
#[derive(Clone, Debug)]
pub struct MaintainKeys {
    pub count: CountTokens,
    pub rotate: RotateKeys,
    pub reload: ReloadKeys,
    pub reseal: ResealFactors,
}

impl MaintainKeys {
    /// Stores the counts of tokens, rotates keys that are due, erases expired keys, and reloads the ring. Seals the
    /// secrets of factors again after their key was replaced. Forgets opened tokens that have expired.
    ///
    /// # Errors
    /// When the database does not answer, or the keys make no ring; the ring stays as it was.
    #[tracing::instrument(level = "debug", name = "key.maintain", skip_all)]
    pub async fn maintain(&self) -> Result<(), KeyFailure> {
        self.count.store_counts().await?;
        self.rotate.due().await?;
        self.reload.reload().await?;
        self.reload.ring.forget_expired(self.rotate.work.now());
        self.reseal.reseal().await?;
        Ok(())
    }
}
