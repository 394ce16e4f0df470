use crate::{
    runtime::Clock,
    store::{Store, account::Account, device, session, session::Session},
    usecase::{About, Failure, Journal, Letter, Origin, Post},
};
use countersign_domain::{audit::EventKind, mail::MailTemplate, refusal::Reason, session::EndReason};

/// Ends a session whose tokens are in other hands, and tells its owner.
#[derive(Clone, Debug)]
pub struct EndStolen {
    pub store: Store,
    pub post: Post,
    pub journal: Journal,
    pub clock: Clock,
}

impl EndStolen {
    /// Returns whether it was live: of two calls at once, one ends it and says so.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn run(
        &self,
        origin: &Origin,
        session: &Session,
        account: &Account,
        why: EndReason,
        told: Reason,
    ) -> Result<bool, Failure> {
        let (tenant, now) = (account.tenant, self.clock.now());
        let tx = self.store.begin().await?;
        if !session::end(&tx, tenant, account.id, session.id, why, now).await? {
            return Ok(false);
        }
        // Who copied its tokens may have copied that of the device as well.
        device::forget_of_session(&tx, tenant, account.id, session.id, None).await?;
        let about = About::target(Some(account.id)).in_session(session.id);
        if why == EndReason::ClientChanged {
            self.journal.did(&tx, tenant, origin, EventKind::ClientChanged, about.clone()).await?;
        }
        self.journal.refused_in(&tx, tenant, origin, (EventKind::RefreshRefused, told), about).await?;
        let letter = Letter::new(MailTemplate::SessionReused, account.locale, account.email.clone())
            .about(account.id.as_uuid())
            .with("device", session.device_name.as_str());
        self.post.queue(&tx, tenant, letter, now).await?;
        tx.commit().await?;
        self.post.collect();
        Ok(true)
    }
}
