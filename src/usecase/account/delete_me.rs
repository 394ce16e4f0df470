use crate::{
    store::{account, action, audit, audit_chain, outbox, revocation, session},
    usecase::{
        EventSubject, Failure, Mail, Origin, UnitsOfWork,
        gate::{OwnerGate, SignedIn},
    },
};
use countersign_domain::{
    audit::EventKind, mail::MailTemplate, revocation::RevocationKind, secret::SecretText, session::EndReason,
};

/// Deletes the account of the caller.
#[derive(Clone, Debug)]
pub struct DeleteMe {
    pub work: UnitsOfWork,
    pub proof: OwnerGate,
}

impl DeleteMe {
    /// # Errors
    /// STEP_UP_REQUIRED, CURRENT_PASSWORD_WRONG, SESSION_ENDED, OVERLOADED.
    #[tracing::instrument(level = "debug", name = "account.delete_me", skip_all)]
    pub async fn delete(&self, origin: &Origin, caller: &SignedIn, current: &SecretText) -> Result<(), Failure> {
        let proven = self.proof.prove(origin, caller, current).await?;
        let account = proven.account();
        let (tenant, id, now) = (account.tenant, account.id, self.work.now());
        let mail = Mail::new(MailTemplate::AccountDeleted, account.locale, account.email.clone());
        let unit = self.work.begin(origin, tenant).await?;
        self.proof.hold(unit.db(), caller, &proven).await?;
        session::end_all(unit.db(), tenant, id, None, EndReason::AccountDeleted, now).await?;
        revocation::append(unit.db(), tenant, RevocationKind::Subject, &id.to_string(), now).await?;
        outbox::delete_waiting_for(unit.db(), tenant, id.as_uuid()).await?;
        action::delete_for(unit.db(), tenant, id.as_uuid()).await?;
        unit.queue_mail(mail).await?;
        unit.record(EventKind::AccountDeleted, EventSubject::own(id)).await?;
        // The event of the deletion is made pseudonymous as well. The lock on the head comes first: sealing locks the
        // same rows, and another order would deadlock.
        audit_chain::lock_head(unit.db(), tenant).await?;
        audit::pseudonymise(unit.db(), tenant, id).await?;
        account::delete(unit.db(), tenant, id).await?;
        unit.commit().await?;
        Ok(())
    }
}
