use crate::{
    runtime::Clock,
    store::{Store, account::Account, device, session, session::Session},
    usecase::{About, Failure, Journal, Letter, Origin, Post, gate::Lookout},
};
use countersign_domain::{
    audit::EventKind,
    client::DeviceSignal,
    mail::MailTemplate,
    refusal::Reason,
    risk::{OnMismatch, Sighting, is_same_client},
    secret::SecretText,
    session::{EndReason, Keeping},
};

/// Looks whether a session is refreshed by the client that opened it, and does what the operator wants where it is not.
#[derive(Clone, Debug)]
pub struct WatchClient {
    pub store: Store,
    pub lookout: Lookout,
    pub on_mismatch: OnMismatch,
    pub post: Post,
    pub journal: Journal,
    pub clock: Clock,
}

impl WatchClient {
    /// Whether anybody is turned away. Then it has to be known before a session advances.
    pub fn turns_away(&self) -> bool {
        matches!(self.on_mismatch, OnMismatch::Challenge | OnMismatch::End)
    }

    /// The client of a refresh. Only browsers show their device, because only their cookies do it by themselves.
    pub fn see(&self, origin: &Origin, keeping: Keeping, device: Option<&SecretText>) -> Sighting {
        let signal = match keeping {
            Keeping::Client => DeviceSignal::Unasked,
            Keeping::Cookies => Lookout::signal(device),
        };
        self.lookout.see(origin, signal)
    }

    /// # Errors
    /// REAUTHENTICATION_REQUIRED or SESSION_ENDED for another client, as the operator wants it.
    pub async fn admit(
        &self,
        origin: &Origin,
        session: &Session,
        account: &Account,
        seen: &Sighting,
    ) -> Result<(), Failure> {
        if is_same_client(&session.sighting().signals, &seen.signals) {
            return Ok(());
        }
        let (tenant, now) = (account.tenant, self.clock.now());
        let about = About::target(Some(account.id)).in_session(session.id);
        if self.on_mismatch == OnMismatch::Challenge {
            let failure = Reason::ReauthenticationRequired.into();
            return Err(self.journal.refused(tenant, origin, EventKind::RefreshRefused, about, failure).await);
        }
        let tx = self.store.begin().await?;
        if session::end(&tx, tenant, account.id, session.id, EndReason::ClientChanged, now).await? {
            device::forget_of_session(&tx, tenant, account.id, session.id, None).await?;
            self.journal.did(&tx, tenant, origin, EventKind::ClientChanged, about.clone()).await?;
            let refused = (EventKind::RefreshRefused, Reason::SessionEnded);
            self.journal.refused_in(&tx, tenant, origin, refused, about).await?;
            let letter = Letter::new(MailTemplate::SessionReused, account.locale, account.email.clone())
                .about(account.id.as_uuid())
                .with("device", session.device_name.as_str());
            self.post.queue(&tx, tenant, letter, now).await?;
        }
        tx.commit().await?;
        self.post.collect();
        Err(Reason::SessionEnded.into())
    }

    /// Notes that a session that was refreshed has another client, once for each.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn note(
        &self,
        origin: &Origin,
        session: &Session,
        account: &Account,
        seen: &Sighting,
    ) -> Result<(), Failure> {
        if is_same_client(&session.sighting().signals, &seen.signals) {
            return Ok(());
        }
        let tenant = account.tenant;
        let moved = Session {
            user_agent: origin.user_agent.clone(),
            address: origin.address.clone(),
            place: seen.place,
            device: match seen.signals.device {
                DeviceSignal::Shown(device) => Some(device),
                DeviceSignal::Missing => None,
                DeviceSignal::Unasked => session.device,
            },
            ..session.clone()
        };
        let tx = self.store.begin().await?;
        if !session::note_client(&tx, tenant, session, &moved).await? {
            return Ok(());
        }
        let about = About::target(Some(account.id)).in_session(session.id);
        self.journal.did(&tx, tenant, origin, EventKind::ClientChanged, about).await?;
        if self.on_mismatch == OnMismatch::Mail {
            let letter = Letter::of_client(MailTemplate::ClientChanged, account, seen, &origin.address);
            self.post.queue(&tx, tenant, letter, self.clock.now()).await?;
        }
        tx.commit().await?;
        self.post.collect();
        Ok(())
    }
}
