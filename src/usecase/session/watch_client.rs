use super::EndStolen;
use crate::{
    runtime::Clock,
    store::{Store, account::Account, session, session::Session},
    usecase::{
        About, Failure, Journal, Letter, Origin, Post,
        gate::{Lookout, Throttle},
    },
};
use countersign_domain::{
    audit::EventKind,
    mail::MailTemplate,
    refusal::Reason,
    risk::{OnMismatch, Sighting, is_same_client},
    secret::SecretText,
    session::EndReason,
};

/// Looks whether a session is refreshed by the client that opened it, and does what the operator wants where it is not.
#[derive(Clone, Debug)]
pub struct WatchClient {
    pub store: Store,
    pub lookout: Lookout,
    pub on_mismatch: OnMismatch,
    pub end_stolen: EndStolen,
    pub throttle: Throttle,
    pub post: Post,
    pub journal: Journal,
    pub clock: Clock,
}

/// What is noted of a session that has moved.
struct Moved {
    answered_unrecognized: bool,
    is_always_told: bool,
}

impl WatchClient {
    /// Whether another client may be refused. Then it has to be known before a session advances.
    pub fn may_refuse(&self) -> bool {
        matches!(self.on_mismatch, OnMismatch::Challenge | OnMismatch::End)
    }

    /// The client of a refresh. Browsers show their device by themselves, so it is missed in a session that was opened in cookies,
    /// whatever way its token comes back.
    pub fn see(&self, origin: &Origin, device: Option<&SecretText>) -> Sighting {
        self.lookout.see(origin, Lookout::signal(device))
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
        if self.on_mismatch == OnMismatch::Challenge {
            let about = About::target(Some(account.id)).in_session(session.id);
            let failure = Reason::ReauthenticationRequired.into();
            return Err(self.journal.refused(account.tenant, origin, EventKind::RefreshRefused, about, failure).await);
        }
        let (why, told) = (EndReason::ClientChanged, Reason::SessionEnded);
        if self.end_stolen.run(origin, session, account, why, told).await? {
            tracing::warn!(session = %session.id, "a session was ended for a very different client");
        }
        Err(Reason::SessionEnded.into())
    }

    /// Notes that a session that was refreshed has another client than the last time that was noted.
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
        let moved = Moved { answered_unrecognized: session.answered_unrecognized, is_always_told: false };
        self.move_to(origin, session, account, seen, moved).await.map(drop)
    }

    /// Notes that an unrecognized client is given the live generation, and tells the owner whatever the operator wants: of two at
    /// once, one is told. Never limited, because the second in a row ends the session. Returns whether nobody noted it before.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn tell(
        &self,
        origin: &Origin,
        session: &Session,
        account: &Account,
        seen: &Sighting,
    ) -> Result<bool, Failure> {
        let moved = Moved { answered_unrecognized: true, is_always_told: true };
        self.move_to(origin, session, account, seen, moved).await
    }

    async fn move_to(
        &self,
        origin: &Origin,
        session: &Session,
        account: &Account,
        seen: &Sighting,
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
        let tx = self.store.begin().await?;
        if !session::note_client(&tx, tenant, session, &moved).await? {
            return Ok(false);
        }
        let about = About::target(Some(account.id)).in_session(session.id);
        self.journal.did(&tx, tenant, origin, EventKind::ClientChanged, about).await?;
        let is_told = is_always_told || self.is_told(account).await;
        if is_told {
            let letter = Letter::of_client(MailTemplate::ClientChanged, account, seen, &origin.address);
            self.post.queue(&tx, tenant, letter, self.clock.now()).await?;
        }
        tx.commit().await?;
        if is_told {
            self.post.collect();
        }
        Ok(true)
    }

    /// A client that comes and goes is news each time, and a mailbox that is full of it hides what matters.
    async fn is_told(&self, account: &Account) -> bool {
        self.on_mismatch == OnMismatch::Mail && self.throttle.tells_of_client(account.id).await
    }
}
