use crate::{
    runtime::Clock,
    store::{Store, session},
    usecase::{About, Failure, Journal, Origin},
};
use countersign_domain::{audit::EventKind, session::EndReason};

/// An operator signs everybody out.
#[derive(Clone, Debug)]
pub struct EndSessions {
    pub store: Store,
    pub journal: Journal,
    pub clock: Clock,
}

impl EndSessions {
    /// Ends every session of the tenant. Returns how many were live.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn run(&self, origin: &Origin) -> Result<u64, Failure> {
        let tenant = origin.tenant();
        let tx = self.store.begin_upkeep().await?;
        let ended = session::end_everybodys(&tx, tenant, EndReason::EndedByOperator, || self.clock.now()).await?;
        self.journal.did(&tx, tenant, origin, EventKind::SessionsEndedByOperator, About::default()).await?;
        tx.commit().await?;
        Ok(ended)
    }
}
