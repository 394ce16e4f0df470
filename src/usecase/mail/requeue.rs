use crate::{
    runtime::Clock,
    store::{Store, outbox_report, outbox_report::Dead},
    usecase::Failure,
};

/// Requeues mails that were given up, for an operator.
#[derive(Clone, Debug)]
pub struct RequeueMail {
    pub store: Store,
    pub clock: Clock,
}

/// The result of requeuing mails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Requeued {
    pub mails: u64,
    /// Mails that stay as they are, because their purpose has expired.
    pub over: u64,
}

impl RequeueMail {
    /// Puts mails that were given up back into the outbox.
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
