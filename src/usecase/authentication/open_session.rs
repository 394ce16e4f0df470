use crate::{
    passwords::Presence,
    store::{
        account, account::LoginConditions, ceremony, challenge, device, expected_device, remembered_device, session,
    },
    usecase::{
        EventSubject, Failure, Mail, Origin, UnitOfWork, UnitsOfWork,
        account::Profile,
        gate::{DeviceRecognition, FactorGate, PresentedDevice, Throttle, used_up},
        session::{IssueTokens, OpenedSession},
    },
};
use countersign_domain::{
    account::Account,
    assurance::joined,
    audit::EventKind,
    client::DeviceSignal,
    device::{DeviceTrust, RememberedDevice},
    display_name::DisplayName,
    id::SessionId,
    login::{Answered, CompletedLogin, FactorUse, PasskeyCeremony},
    mail::MailTemplate,
    refresh::FIRST_GENERATION,
    refusal::Reason,
    risk::{ClientObservation, LoginNews, judge_login, may_be_news},
    session::{Session, SessionLives, TokenDelivery},
};
use std::time::Duration;

/// Opens a session for a completed login.
#[derive(Clone, Debug)]
pub struct OpenSession {
    pub work: UnitsOfWork,
    pub device_recognition: DeviceRecognition,
    pub throttle: Throttle,
    pub tokens: IssueTokens,
    pub lives: SessionLives,
    /// For how long a device is remembered on which a second factor was proven; `None` where none is.
    pub remember: Option<Duration>,
}

/// The parts of a new session that do not come from the login.
#[derive(Debug)]
pub struct NewSession {
    pub audience: String,
    pub device_name: DisplayName,
    pub device: PresentedDevice,
    /// Whether the next logins from the device take the password alone.
    pub is_to_be_remembered: bool,
    pub delivery: TokenDelivery,
    /// The roles of the account, sorted.
    pub roles: Vec<String>,
}

/// A session that is about to be stored.
#[derive(Debug)]
pub struct PreparedSession {
    session: Session,
    opened: OpenedSession,
    device: PresentedDevice,
    is_to_be_remembered: bool,
    news: LoginNews,
    seen: ClientObservation,
}

/// The most recognized devices of an account. A program that keeps no token is a new device at every login.
const MAX_DEVICES: u64 = 50;
/// The most sessions of an account that a login is compared with, to decide whether its device or place is new.
const MAX_RECENT_CLIENTS: u64 = 50;

impl OpenSession {
    /// Opens the session. A caller who is gone before the commit gets no session. The commit is awaited even when the
    /// caller is gone: only then is it known whether the session exists.
    ///
    /// # Errors
    /// CREDENTIALS_INVALID when the account was disabled during the check, its password is no longer accepted, or it
    /// got its first factor or lost its last one meanwhile; CHALLENGE_INVALID, CODE_INVALID or PASSKEY_INVALID when
    /// another login used the challenge, the code or the passkey; DEADLINE_EXCEEDED when the caller is gone.
    #[tracing::instrument(level = "debug", name = "authentication.open_session", skip_all)]
    pub async fn open_session(
        &self,
        origin: &Origin,
        login: &CompletedLogin,
        new: NewSession,
        presence: &Presence,
    ) -> Result<OpenedSession, Failure> {
        let written = presence.while_waiting(self.write(origin, login, new)).await;
        let (unit, opened) = written.ok_or(Reason::DeadlineExceeded)??;
        unit.commit().await?;
        Ok(opened)
    }

    /// Everything but the commit.
    async fn write<'a>(
        &'a self,
        origin: &'a Origin,
        login: &CompletedLogin,
        new: NewSession,
    ) -> Result<(UnitOfWork<'a>, OpenedSession), Failure> {
        let prepared = self.prepare(origin, login, new).await?;
        let unit = self.work.begin(origin, login.account().tenant).await?;
        let opened = self.store(&unit, origin, login, prepared).await?;
        Ok((unit, opened))
    }

    /// Everything before the transaction, which must not wait for another connection. The tokens are made before
    /// anything is stored: a session without tokens would be a useless row.
    ///
    /// # Errors
    /// When the database does not answer, or the ciphers refuse.
    pub async fn prepare(
        &self,
        origin: &Origin,
        login: &CompletedLogin,
        new: NewSession,
    ) -> Result<PreparedSession, Failure> {
        let account = login.account();
        let (tenant, now) = (account.tenant, self.work.now());
        let NewSession { audience, device_name, device, is_to_be_remembered, delivery, roles } = new;
        let trust = login.trust();
        let seen = self.device_recognition.see(origin, DeviceSignal::Shown(device.id));
        let session = Session {
            id: SessionId::new(now, self.work.entropy.bytes()),
            account: account.id,
            audience,
            generation: FIRST_GENERATION,
            device_name: device_name.as_str().to_owned(),
            user_agent: origin.user_agent.clone(),
            address: origin.address.clone(),
            methods: joined(login.methods()),
            created_at: now,
            authenticated_at: login.authenticated_at(),
            refreshed_at: now,
            expiry: self.lives.opened(now),
            ended_at: None,
            device: Some(device.id),
            in_cookies: delivery == TokenDelivery::Cookies,
            on_remembered_device: login.rests_on_remembered_device(),
            place: seen.place,
            void_generation: None,
            seen_generation: FIRST_GENERATION,
            answered_unrecognized: false,
            reauthentication: None,
        };
        let before = if may_be_news(trust, &seen) {
            session::recent_clients(&self.work.read(), tenant, account.id, MAX_RECENT_CLIENTS).await?
        } else {
            Vec::new()
        };
        let opened = self.tokens.issue(&session, Profile { account: account.clone(), roles })?;
        let news = judge_login(trust, &seen, &before);
        Ok(PreparedSession { session, opened, device, is_to_be_remembered, news, seen })
    }

    /// Stores the session in a transaction that has begun.
    ///
    /// # Errors
    /// CREDENTIALS_INVALID, CHALLENGE_INVALID, CODE_INVALID and PASSKEY_INVALID as [`OpenSession::open_session`].
    pub async fn store(
        &self,
        unit: &UnitOfWork<'_>,
        origin: &Origin,
        login: &CompletedLogin,
        prepared: PreparedSession,
    ) -> Result<OpenedSession, Failure> {
        let PreparedSession { session, opened, device, is_to_be_remembered, news, seen } = prepared;
        let (account, tenant, now) = (login.account(), unit.tenant(), session.created_at);
        if let Some(proven) = login.factor() {
            Self::use_up(unit, account, proven).await?;
        }
        if !session::open(unit.db(), tenant, &session, LoginConditions::of_completed(login, device.shown, now)).await? {
            return Err(Reason::CredentialsInvalid.into());
        }
        Self::recognize_device(unit, login, device).await?;
        if is_to_be_remembered {
            self.remember_device(unit, login, &session).await?;
        }
        let about = EventSubject::own(account.id).in_session(session.id);
        unit.record(EventKind::LoggedIn, about).await?;
        self.tell(unit, origin, account, &session, (news, &seen)).await?;
        if let Some(proven) = login.factor() {
            FactorGate::tell_of_use(unit, account, session.id, &proven.factor).await?;
        }
        Ok(opened)
    }

    async fn recognize_device(
        unit: &UnitOfWork<'_>,
        login: &CompletedLogin,
        device: PresentedDevice,
    ) -> Result<(), Failure> {
        let (db, tenant, account) = (unit.db(), unit.tenant(), login.account().id);
        device::record_login(db, tenant, account, (device.id, login.factor().is_some()), unit.now()).await?;
        if login.trust() == DeviceTrust::Expected {
            expected_device::forget(db, tenant, account, device.shown).await?;
        }
        if !login.trust().is_recognized() {
            device::forget_older(db, tenant, account, MAX_DEVICES).await?;
        }
        Ok(())
    }

    /// Remembers the device of a session, if a second factor was proven for it. It is recognized already.
    async fn remember_device(
        &self,
        unit: &UnitOfWork<'_>,
        login: &CompletedLogin,
        session: &Session,
    ) -> Result<(), Failure> {
        let (Some(life), Some(id), Some(_)) = (self.remember, session.device, login.factor()) else { return Ok(()) };
        let (account, now) = (session.account, unit.now());
        let device = RememberedDevice {
            id,
            device_name: session.device_name.clone(),
            user_agent: session.user_agent.clone(),
            created_at: now,
            expires_at: now.plus(life),
        };
        remembered_device::remember(unit.db(), unit.tenant(), account, &device).await?;
        let about = EventSubject { object: Some(id.to_string()), ..EventSubject::own(account) };
        unit.record(EventKind::DeviceRemembered, about.in_session(session.id)).await?;
        Ok(())
    }

    /// Uses up the proof of a factor, and what it answered: of two logins with one challenge or one code, one opens a
    /// session.
    async fn use_up(unit: &UnitOfWork<'_>, account: &Account, proven: &FactorUse) -> Result<(), Failure> {
        let (db, tenant) = (unit.db(), account.tenant);
        // First, as every change of factors does: another order could deadlock.
        account::lock(db, tenant, account.id).await?.ok_or(Reason::ChallengeInvalid)?;
        let is_unused = match proven.answers {
            Answered::Challenge(id) | Answered::Enrolment(id) => challenge::consume(db, tenant, id, unit.now()).await?,
            Answered::PasskeyLogin(PasskeyCeremony { id, expires_at }) => {
                ceremony::use_up(db, tenant, (id, expires_at)).await?
            }
        };
        if !is_unused {
            return Err(Reason::ChallengeInvalid.into());
        }
        // The statement that enabled the factor used its first proof up.
        if matches!(proven.answers, Answered::Enrolment(_)) {
            return Ok(());
        }
        if !FactorGate::use_up(db, account, (&proven.factor, proven.has_password()), unit.now()).await? {
            return Err(used_up(&proven.factor).into());
        }
        Ok(())
    }

    /// Records that the device or place of a login is new, and sends the owner a mail. The rate limit of these mails
    /// counts only such logins, so an attacker cannot use it up with mails that anybody may request.
    async fn tell(
        &self,
        unit: &UnitOfWork<'_>,
        origin: &Origin,
        account: &Account,
        session: &Session,
        (news, seen): (LoginNews, &ClientObservation),
    ) -> Result<(), Failure> {
        let events = [(news.new_device, EventKind::NewDeviceSeen), (news.new_place, EventKind::NewPlaceSeen)];
        for (_, kind) in events.into_iter().filter(|(is_news, _)| *is_news) {
            let about = EventSubject::own(account.id).in_session(session.id);
            unit.record(kind, about).await?;
        }
        if news.is_any() && self.throttle.tells_of_login(account.id).await {
            let mail = Mail::of_client(MailTemplate::NewLogin, account, seen, &origin.address);
            unit.queue_mail(mail).await?;
        }
        Ok(())
    }
}
