use crate::{
    runtime::Clock,
    store::{
        Store, outbox_report,
        outbox_report::{Dead, OutboxLine},
    },
    usecase::Failure,
};

/// What an operator does to the outbox from a terminal.
#[derive(Clone, Debug)]
pub struct OperateOutbox {
    pub store: Store,
    pub clock: Clock,
}

/// What came of asking for mails to be tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Requeued {
    pub mails: u64,
    /// Mails that stay as they are: what they were for is over.
    pub over: u64,
}

impl OperateOutbox {
    /// The newest mails; only those that were given up when `dead`.
    ///
    /// # Errors
    /// When the database does not answer.
    #[tracing::instrument(level = "debug", name = "mail.list", skip_all)]
    pub async fn list(&self, dead: bool, limit: u64) -> Result<Vec<OutboxLine>, Failure> {
        Ok(outbox_report::lines(&self.store.read(), dead, limit).await?)
    }

    /// Sends mails that were given up after all.
    ///
    /// # Errors
    /// When the database does not answer.
    #[tracing::instrument(level = "debug", name = "mail.requeue", skip_all)]
    pub async fn requeue(&self, which: Dead<'_>) -> Result<Requeued, Failure> {
        let mails = outbox_report::requeue(&self.store.write(), which, self.clock.now()).await?;
        let over = outbox_report::count_dead(&self.store.write(), which).await?;
        Ok(Requeued { mails, over })
    }
}
