use crate::{
    store::{account, action, challenge, registration},
    usecase::{
        CallScope, EventSubject, Failure, Idempotency, IdempotencyKey, IdempotentCall, Mail, Origin, UnitOfWork,
        UnitsOfWork,
        action::{Claim, ClaimProof, ClaimProven},
    },
};
use countersign_domain::{
    account::Account, action::ActionPurpose, audit::EventKind, id::AccountId, mail::MailTemplate, refusal::Reason,
    request_id::RequestId,
};

/// Moves the account to the new address once the owner of that address confirms it, and notifies the old address.
#[derive(Clone, Debug)]
pub struct ConfirmEmailChange {
    pub work: UnitsOfWork,
    pub claim: Claim,
    pub idempotency: Idempotency,
}

const PURPOSE: ActionPurpose = ActionPurpose::ConfirmNewAddress;

impl ConfirmEmailChange {
    /// # Errors
    /// LINK_INVALID, LINK_EXPIRED, LINK_USED, CODE_INVALID, EMAIL_TAKEN, ACCOUNT_DISABLED.
    #[tracing::instrument(level = "debug", name = "account.confirm_email_change", skip_all)]
    pub async fn confirm(
        &self,
        origin: &Origin,
        proof: ClaimProof,
        request_id: Option<RequestId>,
    ) -> Result<(), Failure> {
        let tenant = origin.tenant();
        let call = IdempotentCall {
            tenant,
            scope: CallScope::Strangers,
            method: "ConfirmEmailChange",
            request_id: request_id.as_ref(),
            parts: &proof.parts(),
        };
        let mut about = EventSubject::default();
        let act = async |key: &IdempotencyKey| {
            let proven = self.claim.prove(origin, PURPOSE, &proof, key).await?;
            about = EventSubject::target(Some(AccountId::from_uuid(proven.subject())));
            let Some(unit) = self.work.begin_once(origin, proven.tenant(), key).await? else { return Ok(None) };
            let id = AccountId::from_uuid(proven.subject());
            let before = account::lock(unit.db(), proven.tenant(), id).await?.ok_or(Reason::LinkInvalid)?;
            self.claim.consume(unit.db(), &proven).await?;
            Self::move_account(&unit, &proven, before).await?;
            unit.commit().await?;
            Ok(Some(()))
        };
        match self.idempotency.once(call, async { Ok(()) }, act).await {
            Err(failure) => Err(self.work.refused(origin, tenant, EventKind::ActionRefused, about, failure).await),
            done => done,
        }
    }

    async fn move_account(unit: &UnitOfWork<'_>, proven: &ClaimProven, before: Account) -> Result<(), Failure> {
        let (tx, tenant, subject, now) = (unit.db(), proven.tenant(), proven.subject(), unit.now());
        let id = before.id;
        let moved = account::set_email(tx, tenant, id, proven.email(), now).await.map_err(|fault| {
            if fault.is_conflict_on("email_normalised") { Reason::EmailTaken.into() } else { Failure::from(fault) }
        })?;
        if !moved {
            return Err(Reason::AccountDisabled.into());
        }
        // Links and codes mailed to the old address must stop working, and so must other links that wait for the new
        // address.
        challenge::delete_all(tx, tenant, id).await?;
        action::void(tx, tenant, ActionPurpose::ResetPassword, subject, now).await?;
        action::void(tx, tenant, PURPOSE, subject, now).await?;
        registration::delete_for_address(tx, tenant, proven.email()).await?;
        let mail = Mail::new(MailTemplate::AddressChanged, before.locale, before.email)
            .about(subject)
            .with("new_address", proven.email().as_str());
        unit.queue_mail(mail).await?;
        unit.record(EventKind::EmailChanged, EventSubject::own(id)).await?;
        Ok(())
    }
}
