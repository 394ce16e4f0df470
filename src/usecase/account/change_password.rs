use super::{PasswordDesk, PasswordWhy};
use crate::{
    runtime::Clock,
    store::Store,
    usecase::{
        About, Failure, Journal, Origin,
        gate::{Repeats, RequestIds, SessionPasswordGate, SignedIn, Throttle},
    },
};
use countersign_domain::{audit::EventKind, request_id::RequestId, secret::SecretText};

/// Somebody who knows their password sets another one.
#[derive(Clone, Debug)]
pub struct ChangePassword {
    pub store: Store,
    pub proof: SessionPasswordGate,
    pub passwords: PasswordDesk,
    pub repeats: Repeats,
    pub throttle: Throttle,
    pub journal: Journal,
    pub clock: Clock,
}

impl ChangePassword {
    /// # Errors
    /// CURRENT_PASSWORD_WRONG, PASSWORD_REJECTED, SESSION_ENDED, REQUEST_ID_REUSED, RATE_LIMITED,
    /// BREACH_CHECK_UNAVAILABLE, OVERLOADED.
    pub async fn run(
        &self,
        origin: &Origin,
        caller: &SignedIn,
        current: &SecretText,
        new: &SecretText,
        request_id: Option<RequestId>,
    ) -> Result<(), Failure> {
        // What is wrong with the form of the new one costs no hash, and no try at the current one.
        let candidate = self.passwords.read("new_password", new)?;
        let (tenant, session) = (caller.tenant(), caller.session().id);
        let whose = (tenant, RequestIds::Of(caller.account().id));
        let parts = [session.to_string()];
        let Some(ticket) = self.repeats.open(whose, "ChangePassword", request_id.as_ref(), &[&parts[0]]).await? else {
            return Ok(());
        };
        self.throttle.password_change(caller.account().id).await?;
        // Only who knows the current password learns anything about past ones.
        let proven = self.proof.prove(origin, caller, current).await?;
        let account = proven.account();
        let password = self.passwords.admit_for(account, candidate).await?;
        let hash = self.passwords.hash("new_password", &password).await?;
        let tx = self.store.begin().await?;
        if !ticket.redeem(&tx, self.clock.now()).await? {
            return Ok(());
        }
        self.proof.hold(&tx, caller, &proven).await?;
        let set = self.passwords.set(&tx, account, &hash, PasswordWhy::Changed { kept: caller.session() }).await?;
        let about = About::own(account.id).in_session(session);
        self.journal.did(&tx, tenant, origin, EventKind::PasswordChanged, about).await?;
        tx.commit().await?;
        self.passwords.was_set(account, set).await;
        Ok(())
    }
}
