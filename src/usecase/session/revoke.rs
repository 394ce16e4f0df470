use crate::{
    store::{device, remembered_device, session},
    usecase::{
        EventSubject, Failure, Origin, UnitsOfWork,
        gate::{RecordDenial, SignedIn},
    },
};
use countersign_domain::{audit::EventKind, id::SessionId, refusal::Reason, session::EndReason};
use std::sync::Arc;

/// Revokes sessions of the caller.
#[derive(Clone, Debug)]
pub struct RevokeSessions {
    pub work: UnitsOfWork,
    pub denial: Arc<RecordDenial>,
}

impl RevokeSessions {
    /// # Errors
    /// SESSION_NOT_FOUND, also for sessions of other accounts.
    #[tracing::instrument(level = "debug", name = "session.revoke", skip_all)]
    pub async fn one(&self, origin: &Origin, caller: &SignedIn, id: SessionId) -> Result<(), Failure> {
        let (tenant, account, now) = (caller.tenant(), caller.account().id, self.work.now());
        let unit = self.work.begin(origin, tenant).await?;
        if !session::end(unit.db(), tenant, account, id, EndReason::Revoked, now).await? {
            drop(unit);
            self.deny(origin, caller, id).await?;
            return Err(Reason::SessionNotFound.into());
        }
        device::forget_of_session(unit.db(), tenant, account, id, caller.session().device).await?;
        let about = EventSubject::own(account).in_session(id);
        unit.record(EventKind::SessionRevoked, about).await?;
        unit.commit().await?;
        Ok(())
    }

    /// Records that the caller named a session of another account. The answer is the same as for a session that does
    /// not exist.
    async fn deny(&self, origin: &Origin, caller: &SignedIn, id: SessionId) -> Result<(), Failure> {
        let (tenant, account) = (caller.tenant(), caller.account().id);
        let found = session::find_holder(&self.work.store, tenant, id).await?;
        if found.is_some_and(|holder| holder.account.id != account) {
            let about = EventSubject::own(account).in_session(id);
            self.denial.record(origin, tenant, about, Reason::SessionNotFound).await;
        }
        Ok(())
    }

    /// Returns how many sessions ended.
    ///
    /// # Errors
    /// When the database does not answer.
    #[tracing::instrument(level = "debug", name = "session.revoke_others", skip_all)]
    pub async fn others(&self, origin: &Origin, caller: &SignedIn) -> Result<u64, Failure> {
        let (tenant, account, own) = (caller.tenant(), caller.account().id, caller.session().id);
        let unit = self.work.begin(origin, tenant).await?;
        let ended =
            session::end_all(unit.db(), tenant, account, Some(own), EndReason::Revoked, self.work.now()).await?;
        device::forget_all(unit.db(), tenant, account, caller.session().device).await?;
        remembered_device::forget_all(unit.db(), tenant, account).await?;
        if ended > 0 {
            let about = EventSubject::own(account).in_session(own);
            unit.record(EventKind::SessionRevoked, about).await?;
        }
        unit.commit().await?;
        Ok(ended)
    }
}
