use super::{Arrival, OpenSession};
use crate::{
    passwords::{Caller, Hasher, Presence, Refused},
    runtime::spawn,
    store::{StoreFault, Tx, account, account::Account, audience, device, expected_device},
    usecase::{
        EventSubject, Failure, Mail, Origin, UnitsOfWork,
        gate::{
            AdmittedAttempt, AttemptLimiter, Claimed, Device, DeviceRecognition, Guesser, LoginDraw, PasswordGate,
            PasswordProven, Throttle,
        },
        key::KeyNews,
        session::OpenedSession,
    },
};
use countersign_domain::{
    account::Identifier,
    audience::DEFAULT_AUDIENCE,
    audit::EventKind,
    display_name::DisplayName,
    id::{AccountId, TenantId},
    lockout::DeviceTrust,
    mail::MailTemplate,
    refusal::Reason,
    secret::SecretText,
    session::TokenDelivery,
};
use tracing::Instrument as _;
use uuid::Uuid;

/// Somebody logs in with a password.
#[derive(Clone, Debug)]
pub struct Login {
    pub work: UnitsOfWork,
    pub device_recognition: DeviceRecognition,
    pub guesses: AttemptLimiter,
    pub password: PasswordGate,
    pub open: OpenSession,
    pub news: KeyNews,
    pub throttle: Throttle,
    pub hasher: Hasher,
    /// Wrong passwords in a row that make a password worthless to strangers.
    pub disable_after: i32,
}

/// What somebody filled in.
#[derive(Debug)]
pub struct LoggingIn {
    pub identifier: Typed,
    pub password: SecretText,
    /// Empty unless one was asked for.
    pub captcha_token: SecretText,
    /// Empty: the default one.
    pub audience: String,
    pub device_name: DisplayName,
    pub device_token: Option<SecretText>,
    pub delivery: TokenDelivery,
}

/// What somebody typed to say who they are.
#[derive(Debug)]
pub enum Typed {
    Identifier(Identifier),
    /// It can be nobody's, and costs as much and answers the same.
    Nobodys(String),
}

/// A session, and the token by which its device is known the next time.
#[derive(Debug)]
pub struct LoggedIn {
    pub session: OpenedSession,
    pub device_token: SecretText,
}

/// Wrong passwords after which a device that is only expected becomes a stranger. Whoever knew a former password may have been one.
const MOST_OF_EXPECTED: i32 = 10;

/// Who tries to log in to what.
#[derive(Clone)]
struct Attempt {
    tenant: TenantId,
    /// What was typed to say for whom, normalised.
    typed: String,
    account: Option<Account>,
    device: Device,
    standing: DeviceTrust,
}

/// What is shown to be let in, and what was drawn for it.
struct Shown {
    password: SecretText,
    captcha_token: SecretText,
    draw: LoginDraw,
}

impl Login {
    /// # Errors
    /// CREDENTIALS_INVALID, CAPTCHA_REQUIRED, CAPTCHA_INVALID, CAPTCHA_UNAVAILABLE, AUDIENCE_UNKNOWN, RATE_LIMITED, OVERLOADED.
    pub async fn run(&self, origin: &Origin, form: LoggingIn) -> Result<LoggedIn, Failure> {
        let draw = LoginDraw::of(form.device_token.is_some() || !form.captcha_token.is_empty());
        self.throttle.login(origin, draw).await?;
        let tenant = origin.tenant();
        let LoggingIn { identifier, password, captcha_token, audience, device_name, device_token, delivery } = form;
        let audience = self.audience(tenant, audience).await?;
        let (typed, account) = match &identifier {
            Typed::Identifier(identifier) => {
                let found = account::find_by_identifier(&self.work.read(), tenant, identifier).await?;
                (identifier.normalised(), found)
            }
            Typed::Nobodys(text) => (text.as_str(), None),
        };
        let device = self.device_recognition.device(tenant, device_token.as_ref()).await?;
        let standing = account.as_ref().map_or(DeviceTrust::Stranger, |account| device.standing(account.id));
        let attempt = Attempt { tenant, typed: typed.to_owned(), account, device, standing };
        let arrival = Arrival { audience, device_name, device: attempt.device.arriving(), delivery, standing };
        let shown = Shown { password, captcha_token, draw };
        let (session, proven) = self.decide(origin, &attempt, shown, arrival).await?;
        self.renew_hash(&proven).await;
        Ok(LoggedIn { session, device_token: attempt.device.into_token() })
    }

    /// Admits the guess, looks at the password, settles the guess and opens the session, in a task of its own: a caller
    /// who hangs up, or whose deadline passes, must neither leave a guess that nobody settles, nor lose a verdict, nor
    /// stand for one. As long as the hash has not begun it is dropped with its caller, and the guess is given back;
    /// from then on the verdict comes, and is applied and recorded although nobody waits.
    async fn decide(
        &self,
        origin: &Origin,
        attempt: &Attempt,
        shown: Shown,
        arrival: Arrival,
    ) -> Result<(OpenedSession, PasswordProven), Failure> {
        let caller = Caller::default();
        let (login, origin, attempt, presence) = (self.clone(), origin.clone(), attempt.clone(), caller.presence());
        let deciding = async move { login.let_in(&origin, &attempt, shown, (arrival, &presence)).await };
        spawn(deciding.in_current_span()).await.unwrap_or_else(|error| Err(Failure::Broken(error.to_string())))
    }

    async fn let_in(
        &self,
        origin: &Origin,
        attempt: &Attempt,
        shown: Shown,
        (arrival, presence): (Arrival, &Presence),
    ) -> Result<(OpenedSession, PasswordProven), Failure> {
        let guess = self.admit(origin, attempt, &shown).await?;
        let proven = self.evaluate(origin, attempt, guess, (&shown.password, presence)).await?;
        match self.open.run(origin, &proven, arrival, presence).await {
            Ok(session) => Ok((session, proven)),
            Err(failure) => {
                self.note_unopened(origin, attempt, failure.reason()).await;
                Err(failure)
            }
        }
    }

    /// Admits the guess. Unless a device that is known shows nothing else, a light login draws the rest of a whole one
    /// before anything is done for it: a question to the provider of captchas costs money. The rest is given back when
    /// what was shown is worth something, and to whoever has to wait for other guesses.
    async fn admit(&self, origin: &Origin, attempt: &Attempt, shown: &Shown) -> Result<AdmittedAttempt, Failure> {
        let is_known = attempt.standing.is_counted_alone();
        let is_to_be_proven = shown.draw == LoginDraw::Light && !(is_known && shown.captcha_token.is_empty());
        let rest = if is_to_be_proven { Some(self.throttle.rest_of_login(origin).await?) } else { None };
        let guesser = match &attempt.account {
            Some(account) if is_known => Guesser::Device(&attempt.device, account.id),
            _ => Guesser::Stranger(&attempt.typed),
        };
        let admitted = self.guesses.admit(origin, guesser, &shown.password, &shown.captcha_token).await;
        let is_whole = match &admitted {
            Ok(guess) => !is_known && !guess.solved_captcha(),
            Err(failure) => failure.reason() != Reason::RateLimited,
        };
        if let Some(rest) = rest.filter(|_| !is_whole) {
            self.throttle.give_back(rest).await;
        }
        admitted
    }

    async fn evaluate(
        &self,
        origin: &Origin,
        attempt: &Attempt,
        guess: AdmittedAttempt,
        (password, presence): (&SecretText, &Presence),
    ) -> Result<PasswordProven, Failure> {
        // To strangers, a password that was guessed at for too long is as wrong as any other, and looks like it.
        let is_trusted = attempt.standing.is_counted_alone();
        let account = attempt.account.clone();
        let opens = is_trusted || account.as_ref().is_none_or(|account| !account.password_is_spent());
        let claimed = Claimed { tenant: attempt.tenant, typed: &attempt.typed, account, opens };
        match self.password.prove_for(presence, claimed, password).await {
            Ok(Some(proven)) => {
                self.guesses.right(guess).await;
                Ok(proven)
            }
            Ok(None) => {
                let counted = self.was_wrong(origin, attempt, guess).await;
                counted.inspect_err(|fault| {
                    tracing::warn!(%fault, request_id = origin.trace_id, "a wrong password was not counted in the database");
                })?;
                Err(Reason::CredentialsInvalid.into())
            }
            Err(failure) => {
                self.guesses.give_back(guess).await;
                Err(self.refused(origin, attempt, failure).await)
            }
        }
    }

    async fn refused(&self, origin: &Origin, attempt: &Attempt, failure: Failure) -> Failure {
        let about = EventSubject::target(attempt.account.as_ref().map(|account| account.id));
        self.work.refused(origin, attempt.tenant, EventKind::LoginRefused, about, failure).await
    }

    /// The password was right, and no session was opened: nobody waits for one, or opening it failed. That is recorded
    /// whatever the reason. Otherwise somebody could find out by hanging up whether a password is right, and leave no
    /// trace. Where the database did not confirm a session that is there, both are recorded.
    async fn note_unopened(&self, origin: &Origin, attempt: &Attempt, reason: Reason) {
        let about = EventSubject::target(attempt.account.as_ref().map(|account| account.id));
        self.work.record_refusal(origin, attempt.tenant, (EventKind::LoginRefused, reason), about).await;
    }

    async fn audience(&self, tenant: TenantId, named: String) -> Result<String, Failure> {
        let audience = match named.as_str() {
            "" => DEFAULT_AUDIENCE.to_owned(),
            name if audience::exists(&self.work.read(), tenant, name).await? => named,
            _ => return Err(Reason::AudienceUnknown.into()),
        };
        self.news.hear_of(tenant, &audience).await?;
        Ok(audience)
    }

    /// Counts a wrong password: for what was typed, and for the account or its device. One that the same client presented before
    /// is no new evidence and is not counted again.
    async fn was_wrong(&self, origin: &Origin, attempt: &Attempt, guess: AdmittedAttempt) -> Result<(), Failure> {
        let Attempt { tenant, account, .. } = attempt;
        let settled = self.guesses.wrong(guess).await;
        let is_locked = settled.locked.is_some();
        let about = EventSubject::target(account.as_ref().map(|account| account.id));
        let unit = self.work.begin(origin, *tenant).await?;
        let is_spent = !settled.is_repeat && self.spends(unit.db(), attempt).await?;
        let spent = account.as_ref().filter(|_| is_spent);
        unit.record_refusal(EventKind::LoginRefused, Reason::CredentialsInvalid, about.clone()).await?;
        if is_locked {
            unit.record(EventKind::LoginLocked, about.clone()).await?;
        }
        if let Some(account) = spent {
            unit.record(EventKind::PasswordDisabled, about).await?;
            unit.queue_mail(Mail::to_owner(MailTemplate::PasswordDisabled, account)).await?;
        }
        unit.commit().await?;
        Ok(())
    }

    /// Counts a wrong password in the database. Returns whether the right one is spent with it. Where there is no account, the same
    /// statement finds nothing.
    async fn spends(&self, tx: &Tx, attempt: &Attempt) -> Result<bool, StoreFault> {
        let Attempt { tenant, account, device, standing, .. } = attempt;
        let nobody = AccountId::from_uuid(Uuid::nil());
        let id = account.as_ref().map_or(nobody, |account| account.id);
        match standing {
            DeviceTrust::Stranger => account::count_password_failure(tx, *tenant, id, self.disable_after).await,
            DeviceTrust::Known => {
                let failures = device::count_failure(tx, *tenant, id, device.shown()).await?;
                if failures.is_some_and(|failures| failures >= self.disable_after) {
                    device::forget(tx, *tenant, id, device.shown()).await?;
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

    /// Makes an outdated hash anew. The login has succeeded: that it costs a second hash, or fails for lack of room, must
    /// not undo it.
    async fn renew_hash(&self, proven: &PasswordProven) {
        let account = proven.account();
        let (Some(password), Some(outdated)) = (proven.outdated(), &account.password_hash) else { return };
        let renewed = match self.hasher.rehash(password).await {
            Ok(hash) => SecretText::new(hash.as_str().to_owned()),
            Err(Refused::Busy { .. } | Refused::Abandoned | Refused::Stopped) => return,
        };
        let db = self.work.write();
        if let Err(fault) = account::renew_hash(&db, account.tenant, account.id, outdated, &renewed).await {
            tracing::warn!(%fault, "an outdated password hash was not renewed");
        }
    }
}
