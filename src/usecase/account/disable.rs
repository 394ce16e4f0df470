use crate::{
    store::{account, action, challenge, outbox, revocation, session},
    usecase::{EventSubject, Failure, Origin, UnitsOfWork},
};
use countersign_domain::{
    action::ActionPurpose, audit::EventKind, id::AccountId, mail::MailTemplate, revocation::RevocationKind,
    session::EndReason,
};

/// An operator disables an account: it can no longer do anything.
#[derive(Clone, Debug)]
pub struct DisableAccount {
    pub work: UnitsOfWork,
}

impl DisableAccount {
    /// Disables an account and ends its sessions. Returns whether it was enabled before.
    ///
    /// # Errors
    /// When the database does not answer.
    #[tracing::instrument(level = "debug", name = "account.disable", skip_all)]
    pub async fn disable(&self, origin: &Origin, id: AccountId) -> Result<bool, Failure> {
        let (tenant, now) = (origin.tenant(), self.work.now());
        let unit = self.work.begin(origin, tenant).await?;
        if !account::disable(unit.db(), tenant, id, now).await? {
            return Ok(false);
        }
        session::end_all(unit.db(), tenant, id, None, EndReason::AccountDisabled, now).await?;
        revocation::append(unit.db(), tenant, RevocationKind::Subject, &id.to_string(), now).await?;
        // Links and codes mailed before must not work when the account is enabled again.
        challenge::delete_all(unit.db(), tenant, id).await?;
        outbox::drop_waiting(unit.db(), tenant, MailTemplate::ConfirmNewAddress, id.as_uuid()).await?;
        for purpose in ActionPurpose::ALL {
            action::void(unit.db(), tenant, purpose, id.as_uuid(), now).await?;
        }
        unit.record(EventKind::AccountDisabled, EventSubject::target(Some(id))).await?;
        unit.commit().await?;
        Ok(true)
    }
}
