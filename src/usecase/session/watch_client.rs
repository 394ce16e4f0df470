use super::EndStolen;
use crate::{
    store::session,
    usecase::{
        EventSubject, Failure, Mail, Origin, UnitsOfWork,
        gate::{DeviceRecognition, Throttle},
    },
};
use countersign_domain::{
    account::Account,
    audit::EventKind,
    mail::MailTemplate,
    refusal::Reason,
    risk::{ClientObservation, OnClientChange, is_same_client},
    secret::SecretText,
    session::{EndReason, Session},
};

/// Checks whether a session is refreshed by the client that opened it, and applies the configured policy if not.
#[derive(Clone, Debug)]
pub struct WatchClient {
    pub work: UnitsOfWork,
    pub device_recognition: DeviceRecognition,
    pub on_client_change: OnClientChange,
    pub end_stolen: EndStolen,
    pub throttle: Throttle,
}

/// What is recorded about a session with another client.
struct Moved {
    answered_unrecognized: bool,
    is_always_told: bool,
}

impl WatchClient {
    /// Whether another client may be refused. Then the client must be checked before the session advances.
    pub fn may_refuse(&self) -> bool {
        matches!(self.on_client_change, OnClientChange::Reauthenticate | OnClientChange::EndSession)
    }

    /// The client of a refresh. Browsers present their device automatically, so a missing device counts in a session
    /// that was opened in cookies, even if its token comes back in a message.
    pub fn see(&self, origin: &Origin, device: Option<&SecretText>) -> ClientObservation {
        self.device_recognition.see(origin, DeviceRecognition::signal(device))
    }

    /// # Errors
    /// REAUTHENTICATION_REQUIRED or SESSION_ENDED for another client, as the policy says.
    #[tracing::instrument(level = "debug", name = "session.check_client", skip_all)]
    pub async fn check_client(
        &self,
        origin: &Origin,
        session: &Session,
        account: &Account,
        seen: &ClientObservation,
    ) -> Result<(), Failure> {
        if is_same_client(&session.client().signals, &seen.signals) {
            return Ok(());
        }
        if self.on_client_change == OnClientChange::Reauthenticate {
            let about = EventSubject::target(Some(account.id)).in_session(session.id);
            let failure = Reason::ReauthenticationRequired.into();
            return Err(self.work.refused(origin, account.tenant, EventKind::RefreshRefused, about, failure).await);
        }
        let (why, told) = (EndReason::ClientChanged, Reason::SessionEnded);
        if self.end_stolen.end(origin, session, account, why, told).await? {
            tracing::warn!(session = %session.id, "a session was ended because a very different client used it");
        }
        Err(Reason::SessionEnded.into())
    }

    /// Records that a refreshed session has another client than the one recorded last.
    ///
    /// # Errors
    /// When the database does not answer.
    #[tracing::instrument(level = "debug", name = "session.note_client", skip_all)]
    pub async fn note(
        &self,
        origin: &Origin,
        session: &Session,
        account: &Account,
        seen: &ClientObservation,
    ) -> Result<(), Failure> {
        if is_same_client(&session.client().signals, &seen.signals) {
            return Ok(());
        }
        let moved = Moved { answered_unrecognized: session.answered_unrecognized, is_always_told: false };
        self.move_to(origin, session, account, seen, moved).await.map(drop)
    }

    /// Records that an unrecognized client gets the live generation, and sends the owner a mail under any policy: of
    /// two calls at once, one sends it. There is no rate limit, because the second in a row ends the session. Returns
    /// whether this is the first record of it.
    ///
    /// # Errors
    /// When the database does not answer.
    #[tracing::instrument(level = "debug", name = "session.tell_of_client", skip_all)]
    pub async fn tell(
        &self,
        origin: &Origin,
        session: &Session,
        account: &Account,
        seen: &ClientObservation,
    ) -> Result<bool, Failure> {
        let moved = Moved { answered_unrecognized: true, is_always_told: true };
        self.move_to(origin, session, account, seen, moved).await
    }

    async fn move_to(
        &self,
        origin: &Origin,
        session: &Session,
        account: &Account,
        seen: &ClientObservation,
        Moved { answered_unrecognized, is_always_told }: Moved,
    ) -> Result<bool, Failure> {
        let tenant = account.tenant;
        let moved = Session {
            user_agent: origin.user_agent.clone(),
            address: origin.address.clone(),
            place: seen.place,
            answered_unrecognized,
            ..session.clone()
        };
        let unit = self.work.begin(origin, tenant).await?;
        if !session::note_client(unit.db(), tenant, session, &moved, unit.now()).await? {
            return Ok(false);
        }
        let about = EventSubject::target(Some(account.id)).in_session(session.id);
        unit.record(EventKind::ClientChanged, about).await?;
        if is_always_told || self.is_told(account).await {
            let mail = Mail::of_client(MailTemplate::ClientChanged, account, seen, &origin.address);
            unit.queue_mail(mail).await?;
        }
        unit.commit().await?;
        Ok(true)
    }

    /// A client that changes back and forth would cause a mail each time, and hide the mails that matter.
    async fn is_told(&self, account: &Account) -> bool {
        self.on_client_change == OnClientChange::Mail && self.throttle.tells_of_client(account.id).await
    }
}
