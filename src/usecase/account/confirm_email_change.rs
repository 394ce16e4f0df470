use crate::{
    runtime::Clock,
    store::{Store, Tx, account, account::Account, action, registration},
    usecase::{
        About, Failure, Journal, Letter, Origin, Post,
        action::{Claim, ClaimProof, ClaimProven},
        gate::{Repeats, RequestIds},
    },
};
use countersign_domain::{
    action::ActionPurpose, audit::EventKind, id::AccountId, mail::MailTemplate, refusal::Reason, request_id::RequestId,
};

/// The new address answers: the account moves there, and the old address is told.
#[derive(Clone, Debug)]
pub struct ConfirmEmailChange {
    pub store: Store,
    pub claim: Claim,
    pub repeats: Repeats,
    pub post: Post,
    pub journal: Journal,
    pub clock: Clock,
}

const METHOD: &str = "ConfirmEmailChange";
const PURPOSE: ActionPurpose = ActionPurpose::ConfirmNewAddress;

impl ConfirmEmailChange {
    /// # Errors
    /// LINK_INVALID, LINK_EXPIRED, LINK_USED, CODE_INVALID, EMAIL_TAKEN, ACCOUNT_DISABLED.
    pub async fn run(&self, origin: &Origin, proof: ClaimProof, request_id: Option<RequestId>) -> Result<(), Failure> {
        let tenant = origin.tenant();
        let parts = proof.parts();
        let whose = (tenant, RequestIds::OfStrangers);
        let Some(ticket) = self.repeats.open(whose, METHOD, request_id.as_ref(), &parts).await? else {
            return Ok(());
        };
        let mut about = About::default();
        let attempt = async {
            let proven = self.claim.prove(origin, PURPOSE, &proof, &ticket).await?;
            about = About::target(Some(AccountId::from_uuid(proven.subject())));
            let tx = self.store.begin().await?;
            if !ticket.redeem(&tx, self.clock.now()).await? {
                return Ok(());
            }
            let id = AccountId::from_uuid(proven.subject());
            let before = account::lock(&tx, proven.tenant(), id).await?.ok_or(Reason::LinkInvalid)?;
            self.claim.consume(&tx, &proven).await?;
            self.move_account(&tx, origin, &proven, before).await?;
            tx.commit().await?;
            self.post.collect();
            Ok(())
        };
        match attempt.await {
            Err(_) if self.repeats.overtaken(whose, METHOD, request_id.as_ref(), &parts).await => Ok(()),
            Err(failure) => Err(self.journal.refused(tenant, origin, EventKind::ActionRefused, about, failure).await),
            done => done,
        }
    }

    async fn move_account(
        &self,
        tx: &Tx,
        origin: &Origin,
        proven: &ClaimProven,
        before: Account,
    ) -> Result<(), Failure> {
        let (tenant, subject, now) = (proven.tenant(), proven.subject(), self.clock.now());
        let id = before.id;
        let moved = account::set_email(tx, tenant, id, proven.email(), now).await.map_err(|fault| {
            if fault.is_conflict_on("email_normalised") { Reason::EmailTaken.into() } else { Failure::from(fault) }
        })?;
        if !moved {
            return Err(Reason::AccountDisabled.into());
        }
        // What was mailed to the old address must not work any more, nor what waits for the new one.
        action::void(tx, tenant, ActionPurpose::ResetPassword, subject, now).await?;
        action::void(tx, tenant, PURPOSE, subject, now).await?;
        registration::delete_for_address(tx, tenant, proven.email()).await?;
        let letter = Letter::new(MailTemplate::AddressChanged, before.locale, before.email)
            .about(subject)
            .with("new_address", proven.email().as_str());
        self.post.queue(tx, tenant, letter, now).await?;
        self.journal.did(tx, tenant, origin, EventKind::EmailChanged, About::own(id)).await?;
        Ok(())
    }
}
