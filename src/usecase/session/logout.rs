use super::RecogniseSession;
use crate::{
    keys::KeyRing,
    store::{account, device, session},
    usecase::{
        EventSubject, Failure, Origin, UnitsOfWork,
        gate::{Authenticate, SignedIn},
        key::KeyUpdates,
    },
};
use countersign_domain::{
    account::Account,
    audit::EventKind,
    id::{SessionId, TenantId},
    refresh::{Presented, RefreshVerdict, judge_refresh},
    refusal::{Reason, Refusal},
    secret::SecretText,
    session::{EndReason, Session, SessionLives, TokenDelivery},
};
use std::{sync::Arc, time::Duration};

/// Somebody logs out, here or everywhere.
#[derive(Clone, Debug)]
pub struct Logout {
    pub work: UnitsOfWork,
    pub ring: Arc<KeyRing>,
    pub key_updates: KeyUpdates,
    pub lives: SessionLives,
    pub recognise: RecogniseSession,
    pub authenticate: Authenticate,
}

/// The credentials that came with a logout, one of which says what ends.
#[derive(Debug)]
pub struct LogoutCredentials<'a> {
    /// What a login gave to a page, for the case that its browser keeps no cookies.
    pub cancel_token: Option<SecretText>,
    /// The refresh token in the message.
    pub refresh_token: Option<SecretText>,
    /// The access token beside the message.
    pub access_token: Option<&'a SecretText>,
    /// The refresh tokens in cookies.
    pub kept_refresh_tokens: &'a [SecretText],
    /// The access token in a cookie.
    pub kept_access_token: Option<&'a SecretText>,
}

/// The credential by which a logout knows the session.
enum LogoutProof {
    Cancel(SecretText),
    Refresh(SecretText),
    Access(Arc<SignedIn>),
}

/// How far somebody leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scope {
    /// This session.
    Here,
    /// Every session of the account.
    Everywhere,
    /// Every session, by the token of one that is over: good for that once.
    EverywhereSince { generation: i64 },
}

/// For how long the last token of a session that is over may end all others.
const EVERYWHERE_WINDOW: Duration = Duration::from_secs(24 * 60 * 60);
/// How long a page has to find out that its browser keeps no cookies.
const CANCEL_LIFE: Duration = Duration::from_mins(5);
/// The generation that a login makes.
const UNUSED: i64 = 1;

impl Logout {
    /// What ends a session that its browser turns out not to keep. Whoever reads it can do no more than sign that
    /// browser out.
    ///
    /// # Errors
    /// When the cipher refuses.
    pub fn cancel_token(&self, tenant: TenantId, session: SessionId) -> Result<SecretText, Failure> {
        Ok(self.ring.seal_end(tenant, session, self.work.now().plus(CANCEL_LIFE))?)
    }

    /// To end a session that is over already is a success: it is what was asked for. To end all others is one only if
    /// that is done.
    ///
    /// # Errors
    /// TOKEN_MISSING, TOKEN_INVALID, and whatever is wrong with an access token; SESSION_ENDED when the other sessions
    /// go on.
    #[tracing::instrument(level = "debug", name = "session.log_out", skip_all)]
    pub async fn log_out(
        &self,
        origin: &Origin,
        credentials: LogoutCredentials<'_>,
        everywhere: bool,
    ) -> Result<(), Failure> {
        match self.proof(origin, credentials).await? {
            Some(proof) => {
                let everywhere = everywhere && !matches!(proof, LogoutProof::Cancel(_));
                self.end_proven(origin, &proof, everywhere).await
            }
            None if everywhere => Err(left_here_only()),
            None => Ok(()),
        }
    }

    /// A browser is in one session: a login ends the one that it was in, of whichever tenant. The login has succeeded,
    /// so that a session which cannot be ended is left to expire.
    pub async fn end_replaced(&self, origin: &Origin, former: &[SecretText]) {
        let Some(former) = self.recognise.refresh_token(former).await else { return };
        let origin = Origin { named_tenant: None, ..origin.clone() };
        let proof = LogoutProof::Refresh(former.clone());
        if let Err(failure) = self.end_proven(&origin, &proof, false).await {
            tracing::warn!(%failure, "the browser's former session could not be ended after a login");
        }
    }

    /// Which of the credentials counts: what the message holds, then the access token beside it, then the cookies.
    /// `None` when the access token is of a session that is over already.
    async fn proof(&self, origin: &Origin, credentials: LogoutCredentials<'_>) -> Result<Option<LogoutProof>, Failure> {
        if let Some(token) = credentials.cancel_token {
            return Ok(Some(LogoutProof::Cancel(token)));
        }
        if let Some(token) = credentials.refresh_token {
            return Ok(Some(LogoutProof::Refresh(token)));
        }
        if credentials.access_token.is_none()
            && let Some(kept) = self.recognise.refresh_token(credentials.kept_refresh_tokens).await
        {
            return Ok(Some(LogoutProof::Refresh(kept.clone())));
        }
        let access = credentials.access_token.or(credentials.kept_access_token).ok_or(Reason::TokenMissing)?;
        match self.authenticate.person(origin, access).await {
            Ok(person) => Ok(Some(LogoutProof::Access(person))),
            Err(failure) if matches!(failure.reason(), Reason::SessionEnded | Reason::SessionExpired) => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    async fn end_proven(&self, origin: &Origin, proof: &LogoutProof, everywhere: bool) -> Result<(), Failure> {
        match proof {
            LogoutProof::Access(caller) => {
                let scope = if everywhere { Scope::Everywhere } else { Scope::Here };
                self.end(origin, caller.tenant(), caller.session(), scope).await.map(drop)
            }
            LogoutProof::Cancel(token) => {
                let now = self.work.now();
                let opened = self.key_updates.open(|| self.ring.open_end(token, now)).await;
                let (tenant, id) = opened.map_err(|_| Reason::TokenInvalid)?;
                origin.check_tenant(tenant, Reason::TokenInvalid)?;
                match session::find_with_account(&self.work.read(), tenant, id).await? {
                    // A session that was refreshed is one that a browser keeps.
                    Some((session, _)) if session.generation == UNUSED => {
                        self.end(origin, tenant, &session, Scope::Here).await.map(drop)
                    }
                    Some(_) => Err(Reason::TokenInvalid.into()),
                    None => Ok(()),
                }
            }
            LogoutProof::Refresh(token) => {
                let opened = self.key_updates.open(|| self.ring.open_refresh(token)).await;
                let token = opened.map_err(|_| Reason::TokenInvalid)?;
                let tenant = TenantId::from_uuid(token.tenant_id);
                origin.check_tenant(tenant, Reason::TokenInvalid)?;
                let id = SessionId::from_uuid(token.session_id);
                // Asked of the writer, so that a token which was just handed out is not mistaken for one from the
                // future.
                let found = session::find_with_account(&self.work.write(), tenant, id).await?;
                let Some((session, account)) = found else { return done(!everywhere) };
                let scope =
                    if everywhere { self.scope(&session, &account, token.generation) } else { Some(Scope::Here) };
                // An old token may end its own session: that can only do good. It has no say over the others.
                let ended = self.end(origin, tenant, &session, scope.unwrap_or(Scope::Here)).await?;
                done(scope.is_some() && ended)
            }
        }
    }

    /// How far a refresh token reaches that is to end everything. `None` for one that has no say over other sessions.
    fn scope(&self, session: &Session, account: &Account, generation: i64) -> Option<Scope> {
        // No more than the token alone proves: neither a device nor where it comes from.
        let presented = Presented { generation, shows_device: false, differs: false };
        let succession = self.lives.succession(TokenDelivery::Client);
        match judge_refresh(&session.facts(account), presented, self.work.now(), succession) {
            // `Contended` is what the live generation is when nobody advances it.
            RefreshVerdict::Contended | RefreshVerdict::Repeat => Some(Scope::Everywhere),
            RefreshVerdict::Ended | RefreshVerdict::Expired | RefreshVerdict::AccountDisabled => {
                Some(Scope::EverywhereSince { generation })
            }
            _ => None,
        }
    }

    /// Returns whether what was asked for is so now.
    async fn end(&self, origin: &Origin, tenant: TenantId, session: &Session, scope: Scope) -> Result<bool, Failure> {
        let (id, owner, now) = (session.id, session.account, self.work.now());
        let unit = self.work.begin(origin, tenant).await?;
        if scope != Scope::Here {
            // Several rows follow: see there.
            account::lock(unit.db(), tenant, owner).await?;
        }
        if let Scope::EverywhereSince { generation } = scope
            && !session::spend_on_everywhere(unit.db(), tenant, id, generation, (now, EVERYWHERE_WINDOW)).await?
        {
            return Ok(false);
        }
        let ended = if scope == Scope::Here {
            u64::from(session::end(unit.db(), tenant, owner, id, EndReason::LoggedOut, now).await?)
        } else {
            let ended = session::end_all(unit.db(), tenant, owner, None, EndReason::LoggedOutEverywhere, now).await?;
            // Somebody who leaves everywhere may have reasons; here they are known again.
            device::forget_all(unit.db(), tenant, owner, session.device).await?;
            ended
        };
        if ended > 0 {
            let about = EventSubject::own(owner).in_session(id);
            unit.record(EventKind::LoggedOut, about).await?;
        }
        unit.commit().await?;
        Ok(true)
    }
}

/// The answer to somebody whose own session is over, whatever it was before.
fn left_here_only() -> Failure {
    Refusal::from(Reason::SessionEnded).saying("the session has ended; log in, then log out everywhere").into()
}

fn done(is_done: bool) -> Result<(), Failure> {
    if is_done { Ok(()) } else { Err(left_here_only()) }
}
