use crate::{
    runtime::Clock,
    store::{Store, device, session},
    usecase::{
        About, Failure, Journal, Origin,
        gate::{RecordDenial, SignedIn},
    },
};
use countersign_domain::{audit::EventKind, id::SessionId, refusal::Reason, session::EndReason};
use std::sync::Arc;

/// Somebody signs a device of theirs out.
#[derive(Clone, Debug)]
pub struct RevokeSessions {
    pub store: Store,
    pub journal: Journal,
    pub denial: Arc<RecordDenial>,
    pub clock: Clock,
}

impl RevokeSessions {
    /// # Errors
    /// SESSION_NOT_FOUND, also for other people's sessions.
    pub async fn one(&self, origin: &Origin, caller: &SignedIn, id: SessionId) -> Result<(), Failure> {
        let (tenant, account, now) = (caller.tenant(), caller.account().id, self.clock.now());
        let tx = self.store.begin().await?;
        if !session::end(&tx, tenant, account, id, EndReason::Revoked, now).await? {
            drop(tx);
            self.deny(origin, caller, id).await?;
            return Err(Reason::SessionNotFound.into());
        }
        device::forget_of_session(&tx, tenant, account, id, caller.session().device).await?;
        let about = About::own(account).in_session(id);
        self.journal.did(&tx, tenant, origin, EventKind::SessionRevoked, about).await?;
        tx.commit().await?;
        Ok(())
    }

    /// That somebody asked for a session of another is recorded. The answer is the same as for one that nobody has.
    async fn deny(&self, origin: &Origin, caller: &SignedIn, id: SessionId) -> Result<(), Failure> {
        let (tenant, account) = (caller.tenant(), caller.account().id);
        let found = session::find_with_account(&self.store.read(), tenant, id).await?;
        if found.is_some_and(|(_, owner)| owner.id != account) {
            let about = About::own(account).in_session(id);
            self.denial.run(origin, tenant, about, Reason::SessionNotFound).await;
        }
        Ok(())
    }

    /// Returns how many sessions ended.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn others(&self, origin: &Origin, caller: &SignedIn) -> Result<u64, Failure> {
        let (tenant, account, own) = (caller.tenant(), caller.account().id, caller.session().id);
        let tx = self.store.begin().await?;
        let ended = session::end_all(&tx, tenant, account, Some(own), EndReason::Revoked, self.clock.now()).await?;
        device::forget_all(&tx, tenant, account, caller.session().device).await?;
        if ended > 0 {
            let about = About::own(account).in_session(own);
            self.journal.did(&tx, tenant, origin, EventKind::SessionRevoked, about).await?;
        }
        tx.commit().await?;
        Ok(ended)
    }
}
