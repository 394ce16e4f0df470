use super::{EndStolen, IssueTokens, OpenedSession, WatchClient};
use crate::{
    keys::KeyRing,
    runtime::Clock,
    store::{
        Store,
        account::Account,
        session,
        session::{Session, Step},
    },
    usecase::{About, Failure, Journal, Origin, account::Me, gate::Throttle, key::KeyNews},
};
use countersign_domain::{
    audit::EventKind,
    id::{SessionId, TenantId},
    refusal::{Reason, Refusal},
    risk::Sighting,
    secret::SecretText,
    session::{EndReason, Keeping, RefreshVerdict, SessionLives, Succession, judge_refresh},
};
use std::{sync::Arc, time::Duration};

/// A client exchanges its refresh token for the next generation.
///
/// The way through is one conditional statement. Only when it finds nothing is anything else asked.
#[derive(Clone, Debug)]
pub struct Refresh {
    pub store: Store,
    pub ring: Arc<KeyRing>,
    pub news: KeyNews,
    pub tokens: IssueTokens,
    pub lives: SessionLives,
    pub throttle: Throttle,
    pub watch: WatchClient,
    pub end_stolen: EndStolen,
    pub journal: Journal,
    pub clock: Clock,
}

/// When a client that met another refresh of its session tries again.
const CONTENTION_WAIT: Duration = Duration::from_millis(50);

impl Refresh {
    /// # Errors
    /// TOKEN_INVALID, SESSION_ENDED, SESSION_EXPIRED, ACCOUNT_DISABLED, REFRESH_TOKEN_REUSED, REFRESH_CONTENDED,
    /// REAUTHENTICATION_REQUIRED, RATE_LIMITED.
    pub async fn run(
        &self,
        origin: &Origin,
        token: &SecretText,
        keeping: Keeping,
        device: Option<&SecretText>,
    ) -> Result<OpenedSession, Failure> {
        let opened = self.news.open(|| self.ring.open_refresh(token)).await;
        let token = opened.map_err(|_| Reason::TokenInvalid)?;
        let tenant = TenantId::from_uuid(token.tenant_id);
        let id = SessionId::from_uuid(token.session_id);
        origin.admit(tenant, Reason::TokenInvalid)?;
        self.throttle.refresh(id).await?;
        let now = self.clock.now();
        let succession = self.lives.succession(keeping);
        let step = Step { generation: token.generation, now, idle: self.lives.idle, settling: succession.settling };
        let seen = self.watch.see(origin, device);
        if self.watch.may_refuse() {
            self.refuse_another_client(origin, (tenant, id), &step, succession, &seen).await?;
        }
        let db = self.store.write();
        if let Some(session) = session::advance(&db, tenant, id, step).await? {
            let found = crate::store::account::find(&self.store.read(), tenant, session.account).await?;
            return self.hand_out(origin, &session, found.ok_or(Reason::SessionEnded)?, &seen).await;
        }
        // Asked of the writer, so that a replica of the database which lags behind cannot mistake a live token for an old one.
        let found = session::find_with_account(&db, tenant, id).await?;
        let (session, account) = found.ok_or(Reason::SessionEnded)?;
        let reason = match judge_refresh(&session.facts(&account), token.generation, now, succession) {
            RefreshVerdict::Repeat => return self.hand_out(origin, &session, account, &seen).await,
            RefreshVerdict::Contended => {
                return Err(Refusal::from(Reason::RefreshContended).retry_after(CONTENTION_WAIT).into());
            }
            RefreshVerdict::Reused => {
                // The token is in two hands, and nobody can tell which is the thief's.
                let (why, told) = (EndReason::RefreshReused, Reason::RefreshTokenReused);
                if self.end_stolen.run(origin, &session, &account, why, told).await? {
                    let (presented, live) = (token.generation, session.generation);
                    tracing::warn!(session = %id, presented, live, "a refresh token was reused");
                }
                return Err(told.into());
            }
            RefreshVerdict::Ended => Reason::SessionEnded,
            RefreshVerdict::Expired => Reason::SessionExpired,
            RefreshVerdict::AccountDisabled => Reason::AccountDisabled,
        };
        let about = About::target(Some(account.id)).in_session(id);
        Err(self.journal.refused(tenant, origin, EventKind::RefreshRefused, about, reason.into()).await)
    }

    /// Refuses another client before anything moves: the one that opened the session must not lose its generation to it. Costs one
    /// question more, which is asked only where the answer matters.
    async fn refuse_another_client(
        &self,
        origin: &Origin,
        (tenant, id): (TenantId, SessionId),
        step: &Step,
        succession: Succession,
        seen: &Sighting,
    ) -> Result<(), Failure> {
        let Some((session, account)) = session::find_with_account(&self.store.write(), tenant, id).await? else {
            return Ok(());
        };
        // A token that is refused anyway says by itself what is wrong.
        match judge_refresh(&session.facts(&account), step.generation, step.now, succession) {
            RefreshVerdict::Contended | RefreshVerdict::Repeat => {
                self.watch.admit(origin, &session, &account, seen).await
            }
            _ => Ok(()),
        }
    }

    async fn hand_out(
        &self,
        origin: &Origin,
        session: &Session,
        account: Account,
        seen: &Sighting,
    ) -> Result<OpenedSession, Failure> {
        self.watch.note(origin, session, &account, seen).await?;
        let profile = Me::profile(&self.store.read(), account).await?;
        self.tokens.run(session, profile)
    }
}
