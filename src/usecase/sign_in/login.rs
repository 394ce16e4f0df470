use super::OpenSession;
use crate::{
    passwords::{Hasher, Refused},
    store::{Store, account, audience},
    usecase::{
        About, Failure, Journal, Origin,
        gate::{PasswordGate, PasswordProven, Throttle},
        key::KeyNews,
        session::OpenedSession,
    },
};
use countersign_domain::{
    account::Identifier, audience::DEFAULT_AUDIENCE, audit::EventKind, display_name::DisplayName, refusal::Reason,
    secret::SecretText,
};

/// Somebody logs in with a password.
#[derive(Clone, Debug)]
pub struct Login {
    pub store: Store,
    pub password: PasswordGate,
    pub open: OpenSession,
    pub news: KeyNews,
    pub throttle: Throttle,
    pub hasher: Hasher,
    pub journal: Journal,
}

/// What somebody filled in.
#[derive(Debug)]
pub struct LoggingIn {
    /// `None` when what was typed can be nobody's: it costs as much and answers the same.
    pub identifier: Option<Identifier>,
    pub password: SecretText,
    /// Empty: the default one.
    pub audience: String,
    pub device_name: DisplayName,
}

impl Login {
    /// # Errors
    /// CREDENTIALS_INVALID, AUDIENCE_UNKNOWN, RATE_LIMITED, OVERLOADED.
    pub async fn run(&self, origin: &Origin, form: LoggingIn) -> Result<OpenedSession, Failure> {
        self.throttle.login(origin).await?;
        let tenant = origin.tenant();
        let audience = match form.audience.as_str() {
            "" => DEFAULT_AUDIENCE.to_owned(),
            name if audience::exists(&self.store.read(), tenant, name).await? => form.audience,
            _ => return Err(Reason::AudienceUnknown.into()),
        };
        self.news.hear_of(tenant, &audience).await?;
        let account = match &form.identifier {
            Some(identifier) => account::find_by_identifier(&self.store.read(), tenant, identifier).await?,
            None => None,
        };
        let about = About::target(account.as_ref().map(|account| account.id));
        let attempt = async {
            let proven = self.password.prove(account, &form.password).await?.ok_or(Reason::CredentialsInvalid)?;
            let opened = self.open.run(origin, &proven, audience, form.device_name).await?;
            self.renew_hash(&proven).await;
            Ok(opened)
        };
        match attempt.await {
            Err(failure) => Err(self.journal.refused(tenant, origin, EventKind::LoginRefused, about, failure).await),
            opened => opened,
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
