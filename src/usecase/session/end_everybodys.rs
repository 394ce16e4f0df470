use crate::{
    store::session,
    usecase::{EventSubject, Failure, Origin, UnitsOfWork},
};
use countersign_domain::{audit::EventKind, session::EndReason};

/// Ends all sessions, for an operator.
#[derive(Clone, Debug)]
pub struct EndSessions {
    pub work: UnitsOfWork,
}

impl EndSessions {
    /// Ends every session of the tenant. Returns how many were live.
    ///
    /// # Errors
    /// When the database does not answer.
    #[tracing::instrument(level = "debug", name = "session.end_all_of_tenant", skip_all)]
    pub async fn end_all(&self, origin: &Origin) -> Result<u64, Failure> {
        let tenant = origin.tenant();
        let unit = self.work.begin_upkeep(origin, tenant).await?;
        let ended = session::end_everybodys(unit.db(), tenant, EndReason::EndedByOperator, || self.work.now()).await?;
        unit.record(EventKind::SessionsEndedByOperator, EventSubject::default()).await?;
        unit.commit().await?;
        Ok(ended)
    }
}
