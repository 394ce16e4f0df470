use crate::{
    cache::FirstUses,
    store::{Store, StoreFault, session},
};

/// Writes down which generations of sessions have been used. Whoever called waits for none of it.
#[derive(Clone, Debug)]
pub struct NoteUses {
    pub store: Store,
    pub uses: FirstUses,
}

impl NoteUses {
    /// Resolves when there is something to write.
    pub async fn noted(&self) {
        self.uses.noted().await;
    }

    /// # Errors
    /// When the database does not answer. What was not written is noted again at the next use.
    #[tracing::instrument(level = "debug", name = "session.note_uses", skip_all)]
    pub async fn store_uses(&self) -> Result<(), StoreFault> {
        // One by one: several rows in one transaction could wait for somebody who ends those sessions, and that one for
        // us.
        let db = self.store.write();
        for (tenant, session, generation) in self.uses.take() {
            session::note_seen(&db, tenant, session, generation).await?;
        }
        Ok(())
    }
}
