use super::{PasswordDesk, PasswordWhy};
use crate::{
    runtime::Clock,
    store::{Store, account},
    usecase::{
        About, Failure, Journal, Origin,
        action::{Claim, ClaimProof},
        gate::{Lookout, Repeats, RequestIds},
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
    pub lookout: Lookout,
    pub journal: Journal,
    pub clock: Clock,
}

/// What somebody filled in.
#[derive(Debug)]
pub struct Resetting {
    pub new_password: SecretText,
    pub device_token: Option<SecretText>,
    pub request_id: Option<RequestId>,
}

const METHOD: &str = "Reset";

impl Reset {
    /// Returns the token of the device from which it was done: it does not wait for what others guess when it logs in. `None` when
    /// this very call was answered before.
    ///
    /// # Errors
    /// LINK_INVALID, LINK_EXPIRED, LINK_USED, CODE_INVALID, PASSWORD_REJECTED, ACCOUNT_DISABLED,
    /// RATE_LIMITED, BREACH_CHECK_UNAVAILABLE, OVERLOADED.
    pub async fn run(
        &self,
        origin: &Origin,
        proof: ClaimProof,
        form: Resetting,
    ) -> Result<Option<SecretText>, Failure> {
        let Resetting { new_password, device_token, request_id } = form;
        // What is wrong with the form of the password costs neither a try nor a look at the link.
        let candidate = self.passwords.read("new_password", &new_password)?;
        let parts = proof.parts();
        let tenant = origin.tenant();
        let whose = (tenant, RequestIds::OfStrangers);
        let Some(ticket) = self.repeats.open(whose, METHOD, request_id.as_ref(), &parts).await? else {
            return Ok(None);
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
            let password = self.passwords.admit_for(&account, candidate).await?;
            let hash = self.passwords.hash("new_password", &password).await?;
            let device = self.lookout.device(tenant, device_token.as_ref()).await?;
            let tx = self.store.begin().await?;
            if !ticket.redeem(&tx, self.clock.now()).await? {
                return Ok(None);
            }
            account::lock(&tx, tenant, id).await?;
            self.claim.consume(&tx, &proven).await?;
            let why = PasswordWhy::Reset { from: device.arriving().id };
            let set = self.passwords.set(&tx, &account, &hash, why).await?;
            self.journal.did(&tx, tenant, origin, EventKind::PasswordReset, About::own(id)).await?;
            tx.commit().await?;
            self.passwords.was_set(&account, set).await;
            Ok(Some(device.into_token()))
        };
        match attempt.await {
            Err(_) if self.repeats.overtaken(whose, METHOD, request_id.as_ref(), &parts).await => Ok(None),
            Err(failure) => Err(self.journal.refused(tenant, origin, EventKind::ActionRefused, about, failure).await),
            done => done,
        }
    }
}
