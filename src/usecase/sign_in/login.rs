use super::{Arrival, OpenSession};
use crate::{
    passwords::{Hasher, Refused},
    runtime::spawn,
    store::{Store, StoreFault, Tx, account, account::Account, audience, device},
    usecase::{
        About, Failure, Journal, Letter, Origin, Post,
        gate::{Device, Guess, GuessGate, Guesser, Lookout, PasswordGate, PasswordProven, Throttle},
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
    lockout::{Outcome, Standing},
    mail::MailTemplate,
    refusal::Reason,
    secret::SecretText,
    session::Keeping,
};
use tokio::task::JoinHandle;
use uuid::Uuid;

/// Somebody logs in with a password.
#[derive(Clone, Debug)]
pub struct Login {
    pub store: Store,
    pub lookout: Lookout,
    pub guesses: GuessGate,
    pub password: PasswordGate,
    pub open: OpenSession,
    pub news: KeyNews,
    pub throttle: Throttle,
    pub hasher: Hasher,
    pub post: Post,
    pub journal: Journal,
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
    pub keeping: Keeping,
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

/// Who is guessing for whom.
#[derive(Clone)]
struct Attempt {
    tenant: TenantId,
    account: Option<Account>,
    device: Device,
    standing: Standing,
}

/// A guess that is being evaluated. One that is dropped before it is settled was wrong: whoever hangs up must not guess without its
/// being counted and noted. The hash itself is dropped, too, if it has not begun.
struct Pending<'a> {
    login: &'a Login,
    origin: &'a Origin,
    attempt: &'a Attempt,
    guess: Option<Guess>,
}

impl Pending<'_> {
    /// Counts it as wrong, in a task of its own: that must not depend on who is still there.
    fn count(&mut self) -> Option<JoinHandle<Result<(), Failure>>> {
        let guess = self.guess.take()?;
        let (login, origin, attempt) = (self.login.clone(), self.origin.clone(), self.attempt.clone());
        Some(spawn(async move {
            let counted = login.was_wrong(&origin, &attempt, guess).await;
            counted.inspect_err(|fault| {
                tracing::warn!(%fault, trace_id = origin.trace_id, "a wrong password was not counted in the database");
            })
        }))
    }

    async fn was_wrong(mut self) -> Result<(), Failure> {
        let Some(counting) = self.count() else { return Ok(()) };
        counting.await.unwrap_or_else(|error| Err(Failure::Broken(error.to_string())))
    }

    async fn settle(mut self, outcome: Outcome) {
        if let Some(guess) = self.guess.take() {
            self.login.guesses.settle(guess, outcome).await;
        }
    }
}

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        // Nobody waits for it any more.
        drop(self.count());
    }
}

impl Login {
    /// # Errors
    /// CREDENTIALS_INVALID, CAPTCHA_REQUIRED, CAPTCHA_INVALID, CAPTCHA_UNAVAILABLE, AUDIENCE_UNKNOWN, RATE_LIMITED, OVERLOADED.
    pub async fn run(&self, origin: &Origin, form: LoggingIn) -> Result<LoggedIn, Failure> {
        self.throttle.login(origin).await?;
        let tenant = origin.tenant();
        let LoggingIn { identifier, password, captcha_token, audience, device_name, device_token, keeping } = form;
        let audience = self.audience(tenant, audience).await?;
        let (typed, account) = match &identifier {
            Typed::Identifier(identifier) => {
                let found = account::find_by_identifier(&self.store.read(), tenant, identifier).await?;
                (identifier.normalised(), found)
            }
            Typed::Nobodys(text) => (text.as_str(), None),
        };
        let device = self.lookout.device(tenant, device_token.as_ref()).await?;
        let known = account.as_ref().map(|account| account.id).filter(|account| device.knows(*account));
        let standing = if known.is_some() { Standing::Known } else { Standing::Stranger };
        let attempt = Attempt { tenant, account, device, standing };
        let guesser = known.map_or(Guesser::Stranger(typed), |account| Guesser::Known(&attempt.device, account));
        let guess = self.guesses.admit(origin, guesser, &captcha_token).await?;
        let form = Arrival { audience, device_name, device: attempt.device.id(), keeping, standing };
        let opened = self.evaluate(origin, &attempt, guess, &password, form).await;
        opened.map(|session| LoggedIn { session, device_token: attempt.device.into_token() })
    }

    /// Looks at the password and settles the guess.
    async fn evaluate(
        &self,
        origin: &Origin,
        attempt: &Attempt,
        guess: Guess,
        password: &SecretText,
        arrival: Arrival,
    ) -> Result<OpenedSession, Failure> {
        let pending = Pending { login: self, origin, attempt, guess: Some(guess) };
        match self.let_in(origin, attempt, password, arrival).await {
            Ok(session) => {
                pending.settle(Outcome::Right).await;
                Ok(session)
            }
            Err(failure) if failure.reason() == Reason::CredentialsInvalid => {
                pending.was_wrong().await?;
                Err(failure)
            }
            Err(failure) => {
                pending.settle(Outcome::Unknown).await;
                let about = About::target(attempt.account.as_ref().map(|account| account.id));
                Err(self.journal.refused(attempt.tenant, origin, EventKind::LoginRefused, about, failure).await)
            }
        }
    }

    async fn audience(&self, tenant: TenantId, named: String) -> Result<String, Failure> {
        let audience = match named.as_str() {
            "" => DEFAULT_AUDIENCE.to_owned(),
            name if audience::exists(&self.store.read(), tenant, name).await? => named,
            _ => return Err(Reason::AudienceUnknown.into()),
        };
        self.news.hear_of(tenant, &audience).await?;
        Ok(audience)
    }

    async fn let_in(
        &self,
        origin: &Origin,
        attempt: &Attempt,
        password: &SecretText,
        arrival: Arrival,
    ) -> Result<OpenedSession, Failure> {
        // To strangers, a password that was guessed at for too long is as wrong as any other, and looks like it.
        let is_known = attempt.standing == Standing::Known;
        let account = attempt.account.clone().filter(|account| is_known || !account.password_is_spent());
        let proven = self.password.prove(account, password).await?.ok_or(Reason::CredentialsInvalid)?;
        let session = self.open.run(origin, &proven, arrival).await?;
        self.renew_hash(&proven).await;
        Ok(session)
    }

    /// Counts a wrong password: for what was typed, and for the account or its device.
    async fn was_wrong(&self, origin: &Origin, attempt: &Attempt, guess: Guess) -> Result<(), Failure> {
        let Attempt { tenant, account, .. } = attempt;
        let is_locked = self.guesses.settle(guess, Outcome::Wrong).await.is_some();
        let about = About::target(account.as_ref().map(|account| account.id));
        let tx = self.store.begin().await?;
        let spent = if self.spends(&tx, attempt).await? { account.as_ref() } else { None };
        let refused = (EventKind::LoginRefused, Reason::CredentialsInvalid);
        self.journal.refused_in(&tx, *tenant, origin, refused, about.clone()).await?;
        if is_locked {
            self.journal.did(&tx, *tenant, origin, EventKind::LoginLocked, about.clone()).await?;
        }
        if let Some(account) = spent {
            self.journal.did(&tx, *tenant, origin, EventKind::PasswordDisabled, about).await?;
            let letter = Letter::new(MailTemplate::PasswordDisabled, account.locale, account.email.clone());
            self.post.queue(&tx, *tenant, letter.about(account.id.as_uuid()), self.journal.clock.now()).await?;
        }
        tx.commit().await?;
        if spent.is_some() {
            self.post.collect();
        }
        Ok(())
    }

    /// Counts a wrong password in the database. Returns whether the right one is spent with it. Where there is no account, the same
    /// statement finds nothing.
    async fn spends(&self, tx: &Tx, attempt: &Attempt) -> Result<bool, StoreFault> {
        let Attempt { tenant, account, device, standing } = attempt;
        let nobody = AccountId::from_uuid(Uuid::nil());
        let id = account.as_ref().map_or(nobody, |account| account.id);
        match standing {
            Standing::Stranger => account::count_password_failure(tx, *tenant, id, self.disable_after).await,
            Standing::Known => {
                let failures = device::count_failure(tx, *tenant, id, device.id()).await?;
                if failures.is_some_and(|failures| failures >= self.disable_after) {
                    device::forget(tx, *tenant, id, device.id()).await?;
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
            Err(Refused::Busy { .. } | Refused::Stopped) => return,
        };
        let db = self.store.write();
        if let Err(fault) = account::renew_hash(&db, account.tenant, account.id, outdated, &renewed).await {
            tracing::warn!(%fault, "an outdated password hash was not renewed");
        }
    }
}
