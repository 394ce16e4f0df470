use crate::{
    store::{device, session},
    usecase::{EventSubject, Failure, Mail, Origin, UnitsOfWork},
};
use countersign_domain::{
    account::Account,
    audit::EventKind,
    mail::MailTemplate,
    refusal::Reason,
    session::{EndReason, Session},
};

/// Ends a session whose tokens were stolen, and sends the owner a mail.
#[derive(Clone, Debug)]
pub struct EndStolen {
    pub work: UnitsOfWork,
}

impl EndStolen {
    /// Returns whether the session was live: of two calls at once, one ends the session and reports it.
    ///
    /// # Errors
    /// When the database does not answer.
    #[tracing::instrument(level = "debug", name = "session.end_stolen", skip_all)]
    pub async fn end(
        &self,
        origin: &Origin,
        session: &Session,
        account: &Account,
        why: EndReason,
        told: Reason,
    ) -> Result<bool, Failure> {
        let (tenant, now) = (account.tenant, self.work.now());
        let unit = self.work.begin(origin, tenant).await?;
        if !session::end(unit.db(), tenant, account.id, session.id, why, now).await? {
            return Ok(false);
        }
        // Somebody who copied the tokens may have copied the device token as well.
        device::forget_of_session(unit.db(), tenant, account.id, session.id, None).await?;
        let about = EventSubject::target(Some(account.id)).in_session(session.id);
        if why == EndReason::ClientChanged {
            unit.record(EventKind::ClientChanged, about.clone()).await?;
        }
        unit.record_refusal(EventKind::RefreshRefused, told, about).await?;
        let mail = Mail::to_owner(MailTemplate::SessionReused, account);
        unit.queue_mail(mail.with("device", session.device_name.as_str())).await?;
        unit.commit().await?;
        Ok(true)
    }
}
