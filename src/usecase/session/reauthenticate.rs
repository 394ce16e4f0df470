use super::{IssueTokens, OpenedSession};
use crate::{
    store::session,
    usecase::{
        EventSubject, Failure, Origin, UnitsOfWork,
        account::Profile,
        gate::{SessionPasswordGate, SignedIn, Throttle},
    },
};
use countersign_domain::{
    audit::EventKind, login::AuthenticationMethod, refusal::Reason, secret::SecretText, session::SessionLives,
};

/// Proves again who holds a live session. The session goes on with its next generation, whose tokens have a new
/// `auth_time`.
#[derive(Clone, Debug)]
pub struct Reauthenticate {
    pub work: UnitsOfWork,
    pub password: SessionPasswordGate,
    pub tokens: IssueTokens,
    pub lives: SessionLives,
    pub throttle: Throttle,
}

impl Reauthenticate {
    /// A caller who lost the answer calls again with the same access token.
    ///
    /// # Errors
    /// CURRENT_PASSWORD_WRONG, SESSION_ENDED, ACCOUNT_DISABLED, RATE_LIMITED, OVERLOADED.
    #[tracing::instrument(level = "debug", name = "session.reauthenticate", skip_all)]
    pub async fn with_password(
        &self,
        origin: &Origin,
        caller: &SignedIn,
        password: &SecretText,
    ) -> Result<OpenedSession, Failure> {
        let (tenant, id) = (caller.tenant(), caller.session().id);
        // It makes a generation, as a refresh does.
        self.throttle.refresh(id).await?;
        let proven = self.password.prove(origin, caller, password).await?;
        let unit = self.work.begin(origin, tenant).await?;
        let live = self.password.hold(unit.db(), caller, &proven).await?;
        // A token that names no generation is none of a session that can be recovered.
        let by = live.reauthenticating(caller.generation().unwrap_or(live.generation));
        let (method, times) = (AuthenticationMethod::Password.name(), (self.work.now(), self.lives.idle));
        let next = session::reauthenticate(unit.db(), tenant, &live, (by, method), times).await?;
        let next = next.ok_or(Reason::SessionEnded)?;
        // The tokens are made before the commit: a generation without tokens could not be used.
        let profile = Profile { account: caller.account().clone(), roles: caller.roles().to_vec() };
        let opened = self.tokens.issue(&next, profile)?;
        unit.record(EventKind::Reauthenticated, EventSubject::own(caller.account().id).in_session(id)).await?;
        unit.commit().await?;
        Ok(opened)
    }
}
