use super::{
    ChallengeLogin, NewSession, OpenSession,
    audience::find_audience,
    challenge::{AskedProof, ChallengedDevice, StartedChallenge},
};
use crate::{
    passwords::{Caller, Hasher, Presence, Refused},
    runtime::spawn,
    store::{StoreFault, Tx, account, device, expected_device, remembered_device},
    usecase::{
        EventSubject, Failure, Mail, Origin, UnitsOfWork,
        gate::{
            AdmittedAttempt, AttemptLimiter, AttemptSource, Claimed, DeviceRecognition, LoginDevice, LoginDraw,
            PasswordGate, PasswordProven, Throttle,
        },
        key::KeyUpdates,
        session::{Logout, OpenedSession},
    },
};
use countersign_domain::{
    account::{Account, Identifier},
    audit::EventKind,
    device::{DeviceTrust, REMEMBERED_TRIES},
    display_name::DisplayName,
    factor_policy::FactorPolicy,
    id::{AccountId, TenantId},
    login::{LoginState, StartedLogin},
    mail::MailTemplate,
    refusal::Reason,
    secret::SecretText,
    session::TokenDelivery,
};
use std::sync::Arc;
use tracing::Instrument as _;
use uuid::Uuid;

/// Logs a person in with a password.
#[derive(Clone, Debug)]
pub struct Login {
    pub work: UnitsOfWork,
    pub device_recognition: DeviceRecognition,
    pub attempts: AttemptLimiter,
    pub password: PasswordGate,
    pub open: OpenSession,
    pub challenge: ChallengeLogin,
    pub key_updates: KeyUpdates,
    pub throttle: Throttle,
    pub hasher: Hasher,
    pub logout: Logout,
    pub factor_policy: Arc<FactorPolicy>,
    /// Wrong passwords in a row after which the right password is accepted from recognized devices only.
    pub disable_after: i32,
}

/// The fields of the form.
#[derive(Debug)]
pub struct LoginForm {
    pub identifier: NamedAccount,
    pub password: SecretText,
    /// Empty unless a captcha was required.
    pub captcha_token: SecretText,
    /// Empty for the default audience.
    pub audience: String,
    pub device_name: DisplayName,
    pub device_token: Option<SecretText>,
    pub delivery: TokenDelivery,
    /// The refresh tokens in the caller's cookies.
    pub former: Vec<SecretText>,
}

/// The account that the caller named.
#[derive(Debug)]
pub enum NamedAccount {
    Identifier(Identifier),
    /// No account can have this name. The login costs as much and has the same answer as any other.
    Nobody(String),
}

/// A session, and the token that makes its device recognized at the next login.
#[derive(Debug)]
pub struct LoggedIn {
    pub session: OpenedSession,
    pub device_token: SecretText,
}

/// How a login continues after a right proof.
#[derive(Debug)]
pub enum LoginOutcome {
    LoggedIn(Box<LoggedIn>),
    Challenged(LoginChallenge),
}

/// A login that waits for what it lacks.
#[derive(Debug)]
pub struct LoginChallenge {
    /// Continues the login, together with the device token.
    pub token: SecretText,
    pub device_token: SecretText,
    pub asked: AskedProof,
}

/// The result of a right password.
enum Opened {
    Session(Box<OpenedSession>),
    Challenge(StartedChallenge),
}

/// After this many wrong passwords an expected device is no longer expected. Somebody who knew a former password may
/// have used the device.
const MOST_OF_EXPECTED: i32 = 10;

/// A login attempt: who makes it, and for which account.
#[derive(Clone)]
struct Attempt {
    tenant: TenantId,
    /// The name as typed, normalised.
    typed: String,
    started: StartedLogin,
    device: LoginDevice,
}

impl Attempt {
    /// What its audit events are about.
    fn subject(&self) -> EventSubject {
        EventSubject::target(self.started.account().map(|account| account.id))
    }
}

/// The credentials of a login, and what the login drew from its rate limits.
struct Credentials {
    password: SecretText,
    captcha_token: SecretText,
    draw: LoginDraw,
}

impl Login {
    /// Logs in, or asks for what the account requires beside the password. A browser is in one session at a time: its
    /// former session ends.
    ///
    /// # Errors
    /// CREDENTIALS_INVALID, CAPTCHA_REQUIRED, CAPTCHA_INVALID, CAPTCHA_UNAVAILABLE, AUDIENCE_UNKNOWN, RATE_LIMITED,
    /// OVERLOADED.
    pub async fn log_in(&self, origin: &Origin, form: LoginForm) -> Result<LoginOutcome, Failure> {
        self.hasher.has_room()?;
        let draw = LoginDraw::of(form.device_token.is_some() || !form.captcha_token.is_empty());
        self.throttle.login(origin, draw).await?;
        let tenant = origin.tenant();
        let LoginForm { identifier, password, captcha_token, audience, device_name, device_token, delivery, former } =
            form;
        let audience = find_audience(&self.work.read(), &self.key_updates, (tenant, audience)).await?;
        let (typed, found) = match &identifier {
            NamedAccount::Identifier(identifier) => {
                let found = account::find_for_login(&self.work.read(), tenant, identifier).await?;
                (identifier.normalised(), found)
            }
            NamedAccount::Nobody(text) => (text.as_str(), None),
        };
        let (account, roles) = found.unzip();
        let device = self.device_recognition.device(tenant, device_token.as_ref(), self.work.now()).await?;
        let started = StartedLogin::new(account, |account| device.trust(account.id));
        let attempt = Attempt { tenant, typed: typed.to_owned(), started, device };
        let new = NewSession {
            audience,
            device_name,
            device: attempt.device.arriving(),
            is_to_be_remembered: false,
            delivery,
            roles: roles.unwrap_or_default(),
        };
        let credentials = Credentials { password, captcha_token, draw };
        let (opened, proven) = self.decide(origin, &attempt, credentials, new).await?;
        self.renew_hash(&proven).await;
        let device_token = attempt.device.into_token();
        match opened {
            Opened::Session(session) => {
                Box::pin(self.logout.end_replaced(origin, &former)).await;
                Ok(LoginOutcome::LoggedIn(Box::new(LoggedIn { session: *session, device_token })))
            }
            Opened::Challenge(started) => {
                self.challenge.hand_out(tenant, started, device_token).map(LoginOutcome::Challenged)
            }
        }
    }

    /// Admits the attempt, checks the password, opens the session or stores a challenge, and settles the attempt, in a
    /// task of its own. So a caller who hangs up, or whose deadline passes, leaves no attempt unsettled and no verdict
    /// lost, and does not make an attempt count as wrong. Until the hash begins, the attempt is given back when its
    /// caller is gone; after that, the verdict is awaited, applied and recorded, even if nobody waits.
    async fn decide(
        &self,
        origin: &Origin,
        attempt: &Attempt,
        credentials: Credentials,
        new: NewSession,
    ) -> Result<(Opened, PasswordProven), Failure> {
        let caller = Caller::default();
        let (login, origin, attempt, presence) = (self.clone(), origin.clone(), attempt.clone(), caller.presence());
        let deciding = async move { login.check_and_open(&origin, &attempt, credentials, (new, &presence)).await };
        spawn(deciding.in_current_span()).await.unwrap_or_else(|error| Err(Failure::Broken(error.to_string())))
    }

    async fn check_and_open(
        &self,
        origin: &Origin,
        attempt: &Attempt,
        credentials: Credentials,
        (new, presence): (NewSession, &Presence),
    ) -> Result<(Opened, PasswordProven), Failure> {
        let admitted = self.admit(origin, attempt, &credentials).await?;
        let (admitted, proven) = self.check(origin, attempt, admitted, (&credentials.password, presence)).await?;
        let requires_factor = self.factor_policy.requires(&new.roles);
        let state = attempt.started.clone().password_proven(proven.proof(), requires_factor, self.work.now());
        let opened = match state {
            Ok(LoginState::Completed(login)) => self
                .open
                .open_session(origin, &login, new, presence)
                .await
                .map(|session| Opened::Session(Box::new(session))),
            Ok(LoginState::Challenged(login)) => {
                let device = ChallengedDevice {
                    trust: attempt.started.trust(),
                    proved_second_factor: attempt.device.proved_second_factor_of(login.account().id),
                };
                self.challenge.challenge(origin, &login, &new, device).await.map(Opened::Challenge)
            }
            Err(reason) => return Err(self.refuse_wrong(origin, attempt, admitted, reason).await),
        };
        match opened {
            Ok(opened @ Opened::Session(_)) => {
                admitted.succeeded().await;
                Ok((opened, proven))
            }
            // A right password settles nothing by itself.
            Ok(opened) => {
                admitted.give_back().await;
                Ok((opened, proven))
            }
            Err(failure) => {
                admitted.give_back().await;
                self.record_unopened(origin, proven.account(), failure.reason()).await;
                Err(failure)
            }
        }
    }

    /// Admits the attempt. A light login draws the rest of a whole one first, because a call to the captcha provider
    /// costs money; only a recognized device without a captcha does not. The rest is given back for a recognized device
    /// or a solved captcha, and when the attempt must wait for others.
    async fn admit(
        &self,
        origin: &Origin,
        attempt: &Attempt,
        credentials: &Credentials,
    ) -> Result<AdmittedAttempt, Failure> {
        let is_known = attempt.started.trust().is_counted_alone();
        let is_to_be_proven =
            credentials.draw == LoginDraw::Light && !(is_known && credentials.captcha_token.is_empty());
        let rest = if is_to_be_proven { Some(self.throttle.rest_of_login(origin).await?) } else { None };
        let source = match attempt.started.account() {
            Some(account) if is_known => AttemptSource::Device(&attempt.device, account.id),
            _ => AttemptSource::Stranger(&attempt.typed),
        };
        let admitted = self.attempts.admit(origin, source, &credentials.password, &credentials.captcha_token).await;
        let is_whole = match &admitted {
            Ok(admitted) => !is_known && !admitted.solved_captcha(),
            Err(failure) => failure.reason() != Reason::RateLimited,
        };
        if let Some(rest) = rest.filter(|_| !is_whole) {
            self.throttle.give_back(rest).await;
        }
        admitted
    }

    /// Checks the password. A right password returns the attempt unsettled: the password alone settles nothing.
    async fn check(
        &self,
        origin: &Origin,
        attempt: &Attempt,
        mut admitted: AdmittedAttempt,
        (password, presence): (&SecretText, &Presence),
    ) -> Result<(AdmittedAttempt, PasswordProven), Failure> {
        let Attempt { tenant, typed, started, .. } = attempt;
        let opens = started.accepts_password();
        let claimed = Claimed { tenant: *tenant, typed, account: started.account().cloned(), opens };
        admitted.expect_verdict();
        match self.password.prove_for(presence, claimed, password).await {
            Ok(Some(proven)) => Ok((admitted, proven)),
            Ok(None) => Err(self.refuse_wrong(origin, attempt, admitted, Reason::CredentialsInvalid).await),
            Err(failure) => {
                admitted.give_back().await;
                Err(self.work.refused(origin, *tenant, EventKind::LoginRefused, attempt.subject(), failure).await)
            }
        }
    }

    /// A wrong password is refused with the same answer, whether or not it could be counted.
    async fn refuse_wrong(
        &self,
        origin: &Origin,
        attempt: &Attempt,
        admitted: AdmittedAttempt,
        reason: Reason,
    ) -> Failure {
        match self.count_wrong(origin, attempt, admitted).await {
            Ok(()) => reason.into(),
            Err(fault) => {
                tracing::warn!(%fault, request_id = origin.trace_id, "a wrong password was not counted in the database");
                fault
            }
        }
    }

    /// Records that the password was right and no session was opened: the caller was gone, or opening failed. Without
    /// this event, a caller could hang up to find out whether a password is right, and leave no trace. When the
    /// database did not confirm a session that exists, both events are recorded.
    async fn record_unopened(&self, origin: &Origin, account: &Account, reason: Reason) {
        let about = EventSubject::target(Some(account.id));
        self.work.record_refusal(origin, account.tenant, (EventKind::LoginRefused, reason), about).await;
    }

    /// Counts a wrong password for the name that was typed, and for the account or its device. A password that the same
    /// client presented before is no new evidence and is not counted again.
    async fn count_wrong(&self, origin: &Origin, attempt: &Attempt, admitted: AdmittedAttempt) -> Result<(), Failure> {
        let settled = admitted.failed().await;
        let unit = self.work.begin(origin, attempt.tenant).await?;
        let is_spent = !settled.is_repeat && self.spends_password(unit.db(), attempt).await?;
        let spent = attempt.started.account().filter(|_| is_spent);
        unit.record_refusal(EventKind::LoginRefused, Reason::CredentialsInvalid, attempt.subject()).await?;
        if settled.locked.is_some() {
            unit.record(EventKind::LoginLocked, attempt.subject()).await?;
        }
        if let Some(account) = spent {
            unit.record(EventKind::PasswordDisabled, attempt.subject()).await?;
            unit.queue_mail(Mail::to_owner(MailTemplate::PasswordDisabled, account)).await?;
        }
        unit.commit().await?;
        Ok(())
    }

    /// Counts a wrong password in the database. Returns whether the right password is accepted from recognized devices
    /// only from now on. Without an account, the same statement changes no row.
    async fn spends_password(&self, tx: &Tx, attempt: &Attempt) -> Result<bool, StoreFault> {
        let Attempt { tenant, started, device, .. } = attempt;
        let nobody = AccountId::from_uuid(Uuid::nil());
        let id = started.account().map_or(nobody, |account| account.id);
        match started.trust() {
            DeviceTrust::Stranger => account::count_password_failure(tx, *tenant, id, self.disable_after).await,
            DeviceTrust::Remembered | DeviceTrust::Known => {
                let failures = device::count_failure(tx, *tenant, id, device.shown()).await?.unwrap_or_default();
                if failures >= self.disable_after {
                    device::forget(tx, *tenant, id, device.shown()).await?;
                } else if started.trust() == DeviceTrust::Remembered && failures >= REMEMBERED_TRIES {
                    remembered_device::forget(tx, *tenant, id, device.shown()).await?;
                }
                Ok(false)
            }
            DeviceTrust::Expected => {
                let failures = expected_device::count_failure(tx, *tenant, id, device.shown()).await?;
                if failures.is_some_and(|failures| failures >= MOST_OF_EXPECTED) {
                    expected_device::forget(tx, *tenant, id, device.shown()).await?;
                }
                Ok(false)
            }
        }
    }

    /// Replaces an outdated hash with one of the present parameters. The login has succeeded: the second hash may fail
    /// for lack of capacity and must not undo the login.
    async fn renew_hash(&self, proven: &PasswordProven) {
        let account = proven.account();
        let (Some(password), Some(outdated)) = (proven.outdated(), &account.password_hash) else { return };
        let renewed = match self.hasher.rehash(password).await {
            Ok(hash) => SecretText::new(hash.as_str().to_owned()),
            Err(Refused::Busy { .. } | Refused::Abandoned | Refused::Stopped) => return,
        };
        let db = self.work.write();
        if let Err(fault) = account::renew_hash(&db, account.tenant, account.id, outdated, &renewed).await {
            tracing::warn!(%fault, "a password hash with outdated parameters could not be renewed");
        }
    }
}
