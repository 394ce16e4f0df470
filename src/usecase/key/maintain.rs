use super::{CountTokens, KeyFailure, ReloadKeys, RotateKeys};

/// What every replica does about keys without being asked.
#[derive(Clone, Debug)]
pub struct MaintainKeys {
    pub count: CountTokens,
    pub rotate: RotateKeys,
    pub reload: ReloadKeys,
}

impl MaintainKeys {
    /// Writes down what was made, lets successors take over, forgets what is over, and holds what there is then.
    ///
    /// # Errors
    /// When the database does not answer, or the keys make no ring; it stays as it was then.
    #[tracing::instrument(level = "debug", name = "key.maintain", skip_all)]
    pub async fn maintain(&self) -> Result<(), KeyFailure> {
        self.count.store_counts().await?;
        self.rotate.due().await?;
        self.reload.reload().await?;
        Ok(())
    }
}
