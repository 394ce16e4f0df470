use crate::{
    runtime::Clock,
    store::{Store, account, action, audit, audit_chain, outbox, revocation, session},
    usecase::{
        About, Failure, Journal, Letter, Origin, Post,
        gate::{SessionPasswordGate, SignedIn},
    },
};
use countersign_domain::{
    audit::EventKind, mail::MailTemplate, revocation::RevocationKind, secret::SecretText, session::EndReason,
};

/// Somebody leaves.
#[derive(Clone, Debug)]
pub struct DeleteMe {
    pub store: Store,
    pub proof: SessionPasswordGate,
    pub post: Post,
    pub journal: Journal,
    pub clock: Clock,
}

impl DeleteMe {
    /// # Errors
    /// CURRENT_PASSWORD_WRONG, SESSION_ENDED, OVERLOADED.
    pub async fn run(&self, origin: &Origin, caller: &SignedIn, current: &SecretText) -> Result<(), Failure> {
        let proven = self.proof.prove(origin, caller, current).await?;
        let account = proven.account();
        let (tenant, id, now) = (account.tenant, account.id, self.clock.now());
        let letter = Letter::new(MailTemplate::AccountDeleted, account.locale, account.email.clone());
        let tx = self.store.begin().await?;
        self.proof.hold(&tx, caller, &proven).await?;
        session::end_all(&tx, tenant, id, None, EndReason::AccountDeleted, now).await?;
        revocation::append(&tx, tenant, RevocationKind::Subject, &id.to_string(), now).await?;
        outbox::delete_waiting_for(&tx, tenant, id.as_uuid()).await?;
        action::delete_for(&tx, tenant, id.as_uuid()).await?;
        self.post.queue(&tx, tenant, letter, now).await?;
        self.journal.did(&tx, tenant, origin, EventKind::AccountDeleted, About::own(id)).await?;
        // The last one, too: no event that names the account says any more where it came from. Whoever seals meanwhile would touch
        // the same rows in another order.
        audit_chain::lock_head(&tx, tenant).await?;
        audit::pseudonymise(&tx, tenant, id).await?;
        account::delete(&tx, tenant, id).await?;
        tx.commit().await?;
        self.post.collect();
        Ok(())
    }
}
