use crate::{
    runtime::Clock,
    store::{Store, outbox, outbox::OutboxLine},
    usecase::Failure,
};
use countersign_domain::id::MailId;

/// What an operator does to the outbox from a terminal.
#[derive(Clone, Debug)]
pub struct OperateOutbox {
    pub store: Store,
    pub clock: Clock,
}

impl OperateOutbox {
    /// The newest mails; only those that were given up when `dead`.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn list(&self, dead: bool, limit: u64) -> Result<Vec<OutboxLine>, Failure> {
        Ok(outbox::lines(&self.store.read(), dead, limit).await?)
    }

    /// Sends a mail that was given up after all. Returns whether there was one.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn requeue(&self, id: MailId) -> Result<bool, Failure> {
        Ok(outbox::requeue(&self.store.write(), id, self.clock.now()).await?)
    }
}
