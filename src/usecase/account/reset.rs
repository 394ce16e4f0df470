use super::{PasswordDesk, PasswordWhy};
use crate::{
    runtime::Clock,
    store::{Store, account},
    usecase::{
        About, Failure, Journal, Origin,
        action::{Claim, ClaimProof},
        gate::Repeats,
    },
};
use countersign_domain::{
    action::ActionPurpose, audit::EventKind, id::AccountId, refusal::Reason, request_id::RequestId, secret::SecretText,
};

/// Somebody brings back what was mailed to them, and a new password.
#[derive(Clone, Debug)]
pub struct Reset {
    pub store: Store,
    pub claim: Claim,
    pub passwords: PasswordDesk,
    pub repeats: Repeats,
    pub journal: Journal,
    pub clock: Clock,
}

const METHOD: &str = "Reset";

impl Reset {
    /// # Errors
    /// LINK_INVALID, LINK_EXPIRED, LINK_USED, CODE_INVALID, PASSWORD_REJECTED, ACCOUNT_DISABLED, REQUEST_ID_REUSED,
    /// OVERLOADED.
    pub async fn run(
        &self,
        origin: &Origin,
        proof: ClaimProof,
        new_password: &SecretText,
        request_id: Option<RequestId>,
    ) -> Result<(), Failure> {
        // What is wrong with the password itself costs neither a try nor a look at the link.
        self.passwords.admit("new_password", new_password, &[])?;
        let parts = proof.parts();
        let tenant = origin.tenant();
        let Some(ticket) = self.repeats.open(tenant, METHOD, request_id.clone(), &parts).await? else {
            return Ok(());
        };
        let mut about = About::default();
        let attempt = async {
            let proven = self.claim.prove(origin, ActionPurpose::ResetPassword, &proof, &ticket).await?;
            let (tenant, id) = (proven.tenant(), AccountId::from_uuid(proven.subject()));
            about = About::target(Some(id));
            let account = account::find(&self.store.read(), tenant, id).await?.ok_or(Reason::LinkInvalid)?;
            if account.is_disabled() {
                return Err(Failure::from(Reason::AccountDisabled));
            }
            // The address has moved on since the link was mailed.
            if account.email.normalised() != proven.email().normalised() {
                return Err(Reason::LinkInvalid.into());
            }
            let password = self.passwords.admit_for(&account, new_password).await?;
            let hash = self.passwords.hash(&password).await?;
            let tx = self.store.begin().await?;
            if !ticket.redeem(&tx, self.clock.now()).await? {
                return Ok(());
            }
            account::lock(&tx, tenant, id).await?;
            self.claim.consume(&tx, &proven).await?;
            self.passwords.set(&tx, &account, &hash, PasswordWhy::Reset).await?;
            self.journal.did(&tx, tenant, origin, EventKind::PasswordReset, About::own(id)).await?;
            tx.commit().await?;
            self.passwords.post.collect();
            Ok(())
        };
        match attempt.await {
            Err(_) if self.repeats.overtaken(tenant, METHOD, request_id, &parts).await => Ok(()),
            Err(failure) => Err(self.journal.refused(tenant, origin, EventKind::ActionRefused, about, failure).await),
            done => done,
        }
    }
}
