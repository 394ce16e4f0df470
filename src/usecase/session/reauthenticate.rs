use super::{IssueTokens, OpenedSession, WatchClient};
use crate::{
    store::{role, session},
    usecase::{
        EventSubject, Failure, Origin, UnitsOfWork,
        account::Profile,
        gate::{SessionPasswordGate, SignedIn, Throttle},
    },
};
use countersign_domain::{
    audit::EventKind, login::AuthenticationMethod, refusal::Reason, secret::SecretText, session::SessionLives,
};

/// Proves again who holds a live session. The session continues with its next generation, whose tokens have a new
/// `auth_time`.
#[derive(Clone, Debug)]
pub struct Reauthenticate {
    pub work: UnitsOfWork,
    pub password: SessionPasswordGate,
    pub tokens: IssueTokens,
    pub lives: SessionLives,
    pub throttle: Throttle,
    pub watch: WatchClient,
}

impl Reauthenticate {
    /// A caller who lost the answer calls again with the same access token. `device` is the token of the device, from
    /// the message or its cookie.
    ///
    /// # Errors
    /// CURRENT_PASSWORD_WRONG, SESSION_ENDED, ACCOUNT_DISABLED, REAUTHENTICATION_REQUIRED, RATE_LIMITED, OVERLOADED.
    #[tracing::instrument(level = "debug", name = "session.reauthenticate", skip_all)]
    pub async fn with_password(
        &self,
        origin: &Origin,
        caller: &SignedIn,
        password: &SecretText,
        device: Option<&SecretText>,
    ) -> Result<OpenedSession, Failure> {
        let (tenant, id) = (caller.tenant(), caller.session().id);
        // It makes a generation, as a refresh does.
        self.throttle.refresh(id).await?;
        let seen = self.watch.see(origin, device);
        if self.watch.may_refuse() {
            self.watch.check_client(origin, caller.session(), caller.account(), &seen).await?;
        }
        let proven = self.password.prove(origin, caller, password).await?;
        let unit = self.work.begin(origin, tenant).await?;
        let (account, live) = self.password.hold(unit.db(), caller, &proven).await?;
        // A token that names no generation is none of a session that can be recovered.
        let by = live.reauthenticating(caller.generation().unwrap_or(live.generation));
        let (method, times) = (AuthenticationMethod::Password.name(), (self.work.now(), self.lives.idle));
        let next = session::reauthenticate(unit.db(), tenant, &live, (by, method), times).await?;
        let next = next.ok_or(Reason::SessionEnded)?;
        // Both may have changed while the password waited for its hash.
        let profile = Profile { roles: role::names(unit.db(), tenant, account.id).await?, account };
        // The tokens are made before the commit: a generation without tokens could not be used.
        let opened = self.tokens.issue(&next, profile)?;
        let account = &opened.profile.account;
        unit.record(EventKind::Reauthenticated, EventSubject::own(account.id).in_session(id)).await?;
        unit.commit().await?;
        self.watch.note(origin, &next, account, &seen).await?;
        Ok(opened)
    }
}
