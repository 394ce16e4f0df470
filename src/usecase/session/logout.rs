use crate::{
    keys::KeyRing,
    store::{account, account::Account, device, session, session::Session},
    usecase::{EventSubject, Failure, Origin, UnitsOfWork, gate::SignedIn, key::KeyNews},
};
use countersign_domain::{
    audit::EventKind,
    id::{SessionId, TenantId},
    refresh::{Presented, RefreshVerdict, judge_refresh},
    refusal::{Reason, Refusal},
    secret::SecretText,
    session::{EndReason, SessionLives, TokenDelivery},
};
use std::{sync::Arc, time::Duration};

/// Somebody logs out, here or everywhere.
#[derive(Clone, Debug)]
pub struct Logout {
    pub work: UnitsOfWork,
    pub ring: Arc<KeyRing>,
    pub news: KeyNews,
    pub lives: SessionLives,
}

/// By what somebody who leaves is recognised.
#[derive(Debug)]
pub enum LogoutProof {
    RefreshToken(SecretText),
    AccessToken(Box<SignedIn>),
    /// What a login gave to a page, for the case that its browser keeps no cookies.
    CancelToken(SecretText),
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
    /// What ends a session that its browser turns out not to keep. Whoever reads it can do no more than sign that browser out.
    ///
    /// # Errors
    /// When the cipher refuses.
    pub fn cancel_token(&self, tenant: TenantId, session: SessionId) -> Result<SecretText, Failure> {
        Ok(self.ring.seal_end(tenant, session, self.work.now().plus(CANCEL_LIFE))?)
    }

    /// To end a session that is over already is a success: it is what was asked for. To end all others is one only if that is done.
    ///
    /// # Errors
    /// TOKEN_INVALID; SESSION_ENDED when the other sessions go on.
    #[tracing::instrument(level = "debug", name = "session.logout", skip_all)]
    pub async fn run(&self, origin: &Origin, leaving: &LogoutProof, everywhere: bool) -> Result<(), Failure> {
        match leaving {
            LogoutProof::AccessToken(caller) => {
                let scope = if everywhere { Scope::Everywhere } else { Scope::Here };
                self.end(origin, caller.tenant(), caller.session(), scope).await.map(drop)
            }
            LogoutProof::CancelToken(token) => {
                let now = self.work.now();
                let opened = self.news.open(|| self.ring.open_end(token, now)).await;
                let (tenant, id) = opened.map_err(|_| Reason::TokenInvalid)?;
                origin.admit(tenant, Reason::TokenInvalid)?;
                match session::find_with_account(&self.work.read(), tenant, id).await? {
                    // A session that was refreshed is one that a browser keeps.
                    Some((session, _)) if session.generation == UNUSED => {
                        self.end(origin, tenant, &session, Scope::Here).await.map(drop)
                    }
                    Some(_) => Err(Reason::TokenInvalid.into()),
                    None => Ok(()),
                }
            }
            LogoutProof::RefreshToken(token) => {
                let opened = self.news.open(|| self.ring.open_refresh(token)).await;
                let token = opened.map_err(|_| Reason::TokenInvalid)?;
                let tenant = TenantId::from_uuid(token.tenant_id);
                origin.admit(tenant, Reason::TokenInvalid)?;
                let id = SessionId::from_uuid(token.session_id);
                // Asked of the writer, so that a token which was just handed out is not mistaken for one from the future.
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
pub fn left_here_only() -> Failure {
    Refusal::from(Reason::SessionEnded).saying("the session has ended; log in, then log out everywhere").into()
}

fn done(is_done: bool) -> Result<(), Failure> {
    if is_done { Ok(()) } else { Err(left_here_only()) }
}
