use crate::{
    cache::FirstUses,
    store::{Store, StoreFault, session},
};

/// Stores which generations of sessions have been used. No caller waits for it.
#[derive(Clone, Debug)]
pub struct NoteUses {
    pub store: Store,
    pub uses: FirstUses,
}

impl NoteUses {
    /// Resolves when there is something to store.
    pub async fn noted(&self) {
        self.uses.noted().await;
    }

    /// # Errors
    /// When the database does not answer. Uses that were not stored are noted again the next time.
    #[tracing::instrument(level = "debug", name = "session.note_uses", skip_all)]
    pub async fn store_uses(&self) -> Result<(), StoreFault> {
        // One row in each transaction: several rows could deadlock with a call that ends those sessions.
        let db = self.store.write();
        for (tenant, session, generation) in self.uses.take() {
            session::note_seen(&db, tenant, session, generation).await?;
        }
        Ok(())
    }
}
