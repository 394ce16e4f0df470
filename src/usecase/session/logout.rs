use super::RecogniseSession;
use crate::{
    keys::KeyRing,
    store::{account, device, remembered_device, session, session::Holder},
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

/// Logs a person out, of one session or of all.
#[derive(Clone, Debug)]
pub struct Logout {
    pub work: UnitsOfWork,
    pub ring: Arc<KeyRing>,
    pub key_updates: KeyUpdates,
    pub lives: SessionLives,
    pub recognise: RecogniseSession,
    pub authenticate: Authenticate,
}

/// The credentials of a logout. The first one that is present decides what ends.
#[derive(Debug)]
pub struct LogoutCredentials<'a> {
    /// The token that a login gave to a page, for a browser that keeps no cookies.
    pub cancel_token: Option<SecretText>,
    /// The refresh token in the message.
    pub refresh_token: Option<SecretText>,
    /// The access token in the header.
    pub access_token: Option<&'a SecretText>,
    /// The refresh tokens in cookies.
    pub kept_refresh_tokens: &'a [SecretText],
    /// The access token in a cookie.
    pub kept_access_token: Option<&'a SecretText>,
}

/// The credential that identifies the session.
enum LogoutProof {
    Cancel(SecretText),
    Refresh(SecretText),
    Access(Arc<SignedIn>),
}

/// Which sessions end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LogoutScope {
    /// This session.
    Here,
    /// Every session of the account.
    Everywhere,
    /// Every session, by a token of a session that has ended. The token works for that once.
    EverywhereSince { generation: i64 },
}

/// For how long the last token of an ended session may end all others.
const EVERYWHERE_WINDOW: Duration = Duration::from_secs(24 * 60 * 60);
/// How long a page has to notice that its browser keeps no cookies.
const CANCEL_LIFE: Duration = Duration::from_mins(5);
/// The generation of a login, before any refresh.
const UNUSED: i64 = 1;

impl Logout {
    /// Returns a token that ends a session when the browser turns out to keep no cookies. Somebody who reads the token
    /// can only log that browser out.
    ///
    /// # Errors
    /// When the cipher refuses.
    pub fn cancel_token(&self, tenant: TenantId, session: SessionId) -> Result<SecretText, Failure> {
        Ok(self.ring.seal_end(tenant, session, self.work.now().plus(CANCEL_LIFE))?)
    }

    /// Ending a session that has ended already is a success. Ending all others is a success only if they end.
    ///
    /// # Errors
    /// TOKEN_MISSING, TOKEN_INVALID, and the reasons for a wrong access token; SESSION_ENDED when the other sessions
    /// remain live.
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
            None if everywhere => Err(others_go_on()),
            None => Ok(()),
        }
    }

    /// Ends the former session of a browser after a login: a browser is in one session at a time, of any tenant. The
    /// login has succeeded, so a session that cannot be ended is left to expire.
    pub async fn end_replaced(&self, origin: &Origin, former: &[SecretText]) {
        let Some(former) = self.recognise.refresh_token(former).await else { return };
        let origin = Origin { named_tenant: None, ..origin.clone() };
        let proof = LogoutProof::Refresh(former.clone());
        if let Err(failure) = self.end_proven(&origin, &proof, false).await {
            tracing::warn!(%failure, "the browser's former session could not be ended after a login");
        }
    }

    /// The credential that counts: first those in the message, then the access token in the header, then the cookies.
    /// `None` when the access token is of a session that has ended.
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
                let scope = if everywhere { LogoutScope::Everywhere } else { LogoutScope::Here };
                self.end(origin, caller.tenant(), caller.session(), scope).await.map(drop)
            }
            LogoutProof::Cancel(token) => {
                let now = self.work.now();
                let opened = self.key_updates.open(|| self.ring.open_end(token, now)).await;
                let (tenant, id) = opened.map_err(|_| Reason::TokenInvalid)?;
                origin.check_tenant(tenant, Reason::TokenInvalid)?;
                match session::find_holder(&self.work.store, tenant, id).await? {
                    // After a refresh, a browser evidently keeps the session's cookies.
                    Some(Holder { session, .. }) if session.generation == UNUSED => {
                        self.end(origin, tenant, &session, LogoutScope::Here).await.map(drop)
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
                let found = session::find_holder(&self.work.store, tenant, id).await?;
                let Some(Holder { session, account, .. }) = found else { return done(!everywhere) };
                let scope =
                    if everywhere { self.scope(&session, &account, token.generation) } else { Some(LogoutScope::Here) };
                // An old token may end its own session, which can only help the owner. It may not end others.
                let ended = self.end(origin, tenant, &session, scope.unwrap_or(LogoutScope::Here)).await?;
                done(scope.is_some() && ended)
            }
        }
    }

    /// Which sessions a refresh token may end in a logout everywhere. `None` when it may not end others.
    fn scope(&self, session: &Session, account: &Account, generation: i64) -> Option<LogoutScope> {
        // The token alone decides: neither the device nor the address counts.
        let presented = Presented { generation, shows_device: false, differs: false };
        let succession = self.lives.succession(TokenDelivery::Client);
        match judge_refresh(&session.facts(account), presented, self.work.now(), succession) {
            // `Contended` is the verdict on the live generation when no refresh advances it.
            RefreshVerdict::Contended | RefreshVerdict::Repeat => Some(LogoutScope::Everywhere),
            RefreshVerdict::Ended | RefreshVerdict::Expired | RefreshVerdict::AccountDisabled => {
                Some(LogoutScope::EverywhereSince { generation })
            }
            _ => None,
        }
    }

    /// Returns whether the sessions in `scope` have ended.
    async fn end(
        &self,
        origin: &Origin,
        tenant: TenantId,
        session: &Session,
        scope: LogoutScope,
    ) -> Result<bool, Failure> {
        let (id, owner, now) = (session.id, session.account, self.work.now());
        let unit = self.work.begin(origin, tenant).await?;
        if scope != LogoutScope::Here {
            // The lock comes first because several rows follow: see `account::lock`.
            account::lock(unit.db(), tenant, owner).await?;
        }
        if let LogoutScope::EverywhereSince { generation } = scope
            && !session::spend_on_everywhere(unit.db(), tenant, id, generation, (now, EVERYWHERE_WINDOW)).await?
        {
            return Ok(false);
        }
        let ended = if scope == LogoutScope::Here {
            u64::from(session::end(unit.db(), tenant, owner, id, EndReason::LoggedOut, now).await?)
        } else {
            let ended = session::end_all(unit.db(), tenant, owner, None, EndReason::LoggedOutEverywhere, now).await?;
            // A person who logs out everywhere may suspect an intruder, so only the device of this session stays
            // recognized, and none is remembered.
            device::forget_all(unit.db(), tenant, owner, session.device).await?;
            remembered_device::forget_all(unit.db(), tenant, owner).await?;
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

/// The answer to a caller whose own session has ended, for whatever reason.
fn others_go_on() -> Failure {
    Refusal::from(Reason::SessionEnded).saying("the session has ended; log in, then log out everywhere").into()
}

fn done(is_done: bool) -> Result<(), Failure> {
    if is_done { Ok(()) } else { Err(others_go_on()) }
}
