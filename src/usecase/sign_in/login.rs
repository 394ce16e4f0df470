use super::{Arrival, OpenSession};
use crate::{
    passwords::{Hasher, Refused},
    store::{Store, account, account::Account, audience, device},
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
    lockout::Outcome,
    mail::MailTemplate,
    refusal::Reason,
    secret::SecretText,
};
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
struct Attempt {
    tenant: TenantId,
    account: Option<Account>,
    device: Device,
    is_known: bool,
}

impl Login {
    /// # Errors
    /// CREDENTIALS_INVALID, CAPTCHA_REQUIRED, CAPTCHA_INVALID, CAPTCHA_UNAVAILABLE, AUDIENCE_UNKNOWN, RATE_LIMITED, OVERLOADED.
    pub async fn run(&self, origin: &Origin, form: LoggingIn) -> Result<LoggedIn, Failure> {
        self.throttle.login(origin).await?;
        let tenant = origin.tenant();
        let LoggingIn { identifier, password, captcha_token, audience, device_name, device_token } = form;
        let audience = self.audience(tenant, audience).await?;
        let (typed, account) = match &identifier {
            Typed::Identifier(identifier) => {
                let found = account::find_by_identifier(&self.store.read(), tenant, identifier).await?;
                (identifier.normalised(), found)
            }
            Typed::Nobodys(text) => (text.as_str(), None),
        };
        let device = self.lookout.device(tenant, device_token.as_ref()).await?;
        let is_known = account.as_ref().is_some_and(|account| device.knows(account.id));
        let attempt = Attempt { tenant, account, device, is_known };
        let guesser = match &attempt.account {
            Some(account) if is_known => Guesser::Known(&attempt.device, account.id),
            _ => Guesser::Stranger(typed),
        };
        let guess = self.guesses.admit(origin, guesser, &captcha_token).await?;
        match self.evaluate(origin, &attempt, &password, audience, device_name).await {
            Ok(session) => {
                self.guesses.settle(guess, Outcome::Right).await;
                Ok(LoggedIn { session, device_token: attempt.device.into_token() })
            }
            Err(failure) if failure.reason() == Reason::CredentialsInvalid => {
                Err(self.was_wrong(origin, &attempt, guess).await.map_or_else(Failure::from, |()| failure))
            }
            Err(failure) => {
                self.guesses.settle(guess, Outcome::Unknown).await;
                let about = About::target(attempt.account.map(|account| account.id));
                Err(self.journal.refused(tenant, origin, EventKind::LoginRefused, about, failure).await)
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

    async fn evaluate(
        &self,
        origin: &Origin,
        attempt: &Attempt,
        password: &SecretText,
        audience: String,
        device_name: DisplayName,
    ) -> Result<OpenedSession, Failure> {
        // To strangers, a password that was guessed at for too long is as wrong as any other, and looks like it.
        let most_failures = (!attempt.is_known).then_some(self.disable_after);
        let is_spent = |account: &Account| most_failures.is_some_and(|most| account.password_failures >= most);
        let account = attempt.account.clone().filter(|account| !is_spent(account));
        let proven = self.password.prove(account, password).await?.ok_or(Reason::CredentialsInvalid)?;
        let arrival = Arrival { audience, device_name, device: attempt.device.id(), most_failures };
        let session = self.open.run(origin, &proven, arrival).await?;
        self.renew_hash(&proven).await;
        Ok(session)
    }

    /// Counts a wrong password: for what was typed, and for the account or its device. Where there is no account, the same statements
    /// find nothing.
    async fn was_wrong(&self, origin: &Origin, attempt: &Attempt, guess: Guess) -> Result<(), Failure> {
        let Attempt { tenant, account, device, is_known } = attempt;
        let locked = self.guesses.settle(guess, Outcome::Wrong).await;
        let about = About::target(account.as_ref().map(|account| account.id));
        let id = account.as_ref().map_or(AccountId::from_uuid(Uuid::nil()), |account| account.id);
        let tx = self.store.begin().await?;
        let mut is_disabled = false;
        if *is_known {
            let failures = device::count_failure(&tx, *tenant, id, device.id()).await?;
            if failures.is_some_and(|failures| failures >= self.disable_after) {
                device::forget(&tx, *tenant, id, device.id()).await?;
            }
        } else {
            let failures = account::count_password_failure(&tx, *tenant, id).await?;
            is_disabled = failures == Some(self.disable_after);
        }
        let refused = (EventKind::LoginRefused, Reason::CredentialsInvalid);
        self.journal.refused_in(&tx, *tenant, origin, refused, about.clone()).await?;
        if locked.is_some() {
            self.journal.did(&tx, *tenant, origin, EventKind::LoginLocked, about.clone()).await?;
        }
        if let (true, Some(account)) = (is_disabled, account) {
            self.journal.did(&tx, *tenant, origin, EventKind::PasswordDisabled, about).await?;
            let letter = Letter::new(MailTemplate::PasswordDisabled, account.locale, account.email.clone());
            self.post.queue(&tx, *tenant, letter.about(account.id.as_uuid()), self.journal.clock.now()).await?;
        }
        tx.commit().await?;
        if is_disabled {
            self.post.collect();
        }
        Ok(())
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
