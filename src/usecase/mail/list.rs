use crate::{
    store::{Store, outbox_report, outbox_report::OutboxLine},
    usecase::Failure,
};

/// Lists the outbox, for an operator.
#[derive(Clone, Debug)]
pub struct ListOutbox {
    pub store: Store,
}

impl ListOutbox {
    /// Returns the newest mails; only those that were given up when `dead`.
    ///
    /// # Errors
    /// When the database does not answer.
    #[tracing::instrument(level = "debug", name = "mail.list", skip_all)]
    pub async fn list(&self, dead: bool, limit: u64) -> Result<Vec<OutboxLine>, Failure> {
        Ok(outbox_report::lines(&self.store.read(), dead, limit).await?)
    }
}
