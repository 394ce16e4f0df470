use super::{EndStolen, IssueTokens, OpenedSession, WatchClient};
use crate::{
    cache::FirstUses,
    keys::{KeyRing, RefreshToken},
    store::{
        session,
        session::{Holder, Step},
    },
    usecase::{EventSubject, Failure, Origin, UnitsOfWork, account::Profile, gate::Throttle, key::KeyUpdates},
};
use countersign_domain::{
    account::Account,
    audit::EventKind,
    client::DeviceSignal,
    factor_policy::FactorPolicy,
    id::{DeviceId, SessionId, TenantId},
    refresh::{Presented, RefreshVerdict, Succession, UseVerdict, judge_refresh, judge_use},
    refusal::{Reason, Refusal},
    risk::{ClientObservation, is_elsewhere},
    secret::SecretText,
    session::{EndReason, Session, SessionLives, TokenDelivery},
};
use std::{sync::Arc, time::Duration};

/// Exchanges a refresh token for the next generation.
///
/// The usual path is one conditional statement. Only if it changes no row do other queries follow.
#[derive(Clone, Debug)]
pub struct Refresh {
    pub work: UnitsOfWork,
    pub ring: Arc<KeyRing>,
    pub key_updates: KeyUpdates,
    pub tokens: IssueTokens,
    pub lives: SessionLives,
    pub throttle: Throttle,
    pub watch: WatchClient,
    pub uses: FirstUses,
    pub end_stolen: EndStolen,
    pub factor_policy: Arc<FactorPolicy>,
}

/// When a client whose session is being refreshed by another call tries again.
const CONTENTION_WAIT: Duration = Duration::from_millis(50);
/// How often a session that changes in the meantime is judged again.
const JUDGEMENTS: usize = 3;

/// A refresh token that was opened, and the client that presents it.
struct Attempt {
    tenant: TenantId,
    id: SessionId,
    step: Step,
    seen: ClientObservation,
    succession: Succession,
}

impl Attempt {
    /// The device that the client presented, if it is the device of the session.
    fn device_of(&self, session: &Session) -> Option<DeviceId> {
        self.step.device.filter(|shown| session.device == Some(*shown))
    }

    fn judge(&self, session: &Session, account: &Account) -> RefreshVerdict {
        let presented = Presented {
            generation: self.step.generation,
            shows_device: self.device_of(session).is_some(),
            differs: is_elsewhere(&session.client().signals, &self.seen.signals),
        };
        judge_refresh(&session.facts(account), presented, self.step.now, self.succession)
    }
}

impl Refresh {
    /// `device` is the token of the device, from the message or its cookie.
    ///
    /// # Errors
    /// TOKEN_INVALID, SESSION_ENDED, SESSION_EXPIRED, ACCOUNT_DISABLED, REFRESH_TOKEN_REUSED, REFRESH_CONTENDED,
    /// REAUTHENTICATION_REQUIRED, RATE_LIMITED.
    pub async fn rotate(
        &self,
        origin: &Origin,
        token: &SecretText,
        delivery: TokenDelivery,
        device: Option<&SecretText>,
    ) -> Result<OpenedSession, Failure> {
        let opened = self.key_updates.open(|| self.ring.open_refresh(token)).await;
        let RefreshToken { tenant_id, session_id, generation, .. } = opened.map_err(|_| Reason::TokenInvalid)?;
        let (tenant, id) = (TenantId::from_uuid(tenant_id), SessionId::from_uuid(session_id));
        origin.check_tenant(tenant, Reason::TokenInvalid)?;
        self.throttle.refresh(id).await?;
        let (seen, succession) = (self.watch.see(origin, device), self.lives.succession(delivery));
        let now = self.work.now();
        let device = match seen.signals.device {
            DeviceSignal::Shown(device) => Some(device),
            DeviceSignal::Missing | DeviceSignal::Unasked => None,
        };
        let step = Step { generation, now, idle: self.lives.idle, settling: succession.settling, device };
        let attempt = Attempt { tenant, id, step, seen, succession };
        if self.watch.may_refuse() || *self.factor_policy != FactorPolicy::Never {
            self.check_policies(origin, &attempt).await?;
        }
        if let Some(holder) = session::advance(&self.work.store, tenant, id, attempt.step).await? {
            return self.hand_out(origin, holder, &attempt.seen).await;
        }
        for _ in 0..JUDGEMENTS {
            let holder = session::find_holder(&self.work.store, tenant, id).await?.ok_or(Reason::SessionEnded)?;
            // On the heap: rare, and far larger than the usual path.
            if let Some(opened) = Box::pin(self.answer(origin, &attempt, holder)).await? {
                return Ok(opened);
            }
        }
        Err(contended(CONTENTION_WAIT))
    }

    /// Answers a token that did not advance its session. `None` when the session has changed since it was read.
    async fn answer(
        &self,
        origin: &Origin,
        attempt: &Attempt,
        holder: Holder,
    ) -> Result<Option<OpenedSession>, Failure> {
        let (tenant, id) = (attempt.tenant, attempt.id);
        let Holder { session, account, .. } = &holder;
        let reason = match attempt.judge(session, account) {
            RefreshVerdict::Repeat => {
                let repeated = session.clone();
                let opened = self.hand_out(origin, holder, &attempt.seen).await?;
                self.note_repetition(attempt, &repeated).await?;
                return Ok(Some(opened));
            }
            RefreshVerdict::RepeatToUnrecognized => {
                if !self.watch.tell(origin, session, account, &attempt.seen).await? {
                    return Ok(None);
                }
                self.note_repetition(attempt, session).await?;
                return self.issue(origin, holder).await.map(Some);
            }
            RefreshVerdict::Recover => return self.recover(origin, attempt, holder).await,
            // Another transaction was changing the session.
            RefreshVerdict::Contended => {
                let advanced = session::advance_in_turn(&self.work.store, tenant, id, attempt.step).await?;
                let Some(holder) = advanced else { return Ok(None) };
                return self.hand_out(origin, holder, &attempt.seen).await.map(Some);
            }
            RefreshVerdict::Withheld { until } => return Err(contended(until.since(attempt.step.now))),
            RefreshVerdict::Reused => {
                // Two clients hold the token, and nobody can tell which one is the thief.
                let (why, told) = (EndReason::RefreshReused, Reason::RefreshTokenReused);
                if self.end_stolen.end(origin, session, account, why, told).await? {
                    let (presented, live) = (attempt.step.generation, session.generation);
                    tracing::warn!(session = %id, presented, live, "a refresh token was reused");
                }
                return Err(told.into());
            }
            RefreshVerdict::Ended => Reason::SessionEnded,
            RefreshVerdict::Expired => Reason::SessionExpired,
            RefreshVerdict::AccountDisabled => Reason::AccountDisabled,
        };
        let about = EventSubject::target(Some(account.id)).in_session(id);
        Err(self.work.refused(origin, tenant, EventKind::RefreshRefused, about, reason.into()).await)
    }

    /// Records what a replay shows about the session: its live generation has reached a client, and its device is in
    /// use.
    async fn note_repetition(&self, attempt: &Attempt, session: &Session) -> Result<(), Failure> {
        let lineage = session.lineage();
        if judge_use(&lineage, attempt.step.generation, attempt.step.now, attempt.succession) == UseVerdict::FirstSeen {
            self.uses.note(attempt.tenant, attempt.id, attempt.step.generation);
        }
        if lineage.answered_unrecognized && attempt.device_of(session).is_some() {
            session::note_device(&self.work.write(), attempt.tenant, attempt.id).await?;
        }
        Ok(())
    }

    /// The answer with the live generation was lost: a new generation replaces it.
    async fn recover(
        &self,
        origin: &Origin,
        attempt: &Attempt,
        holder: Holder,
    ) -> Result<Option<OpenedSession>, Failure> {
        let Holder { session, account, .. } = &holder;
        let Some(device) = attempt.device_of(session) else { return Ok(None) };
        let unit = self.work.begin(origin, attempt.tenant).await?;
        let times = (attempt.step.now, self.lives.idle);
        let Some(recovered) = session::recover(unit.db(), attempt.tenant, session, device, times).await? else {
            return Ok(None);
        };
        let about = EventSubject::own(account.id).in_session(session.id);
        unit.record(EventKind::RefreshRecovered, about).await?;
        unit.commit().await?;
        self.hand_out(origin, Holder { session: recovered, ..holder }, &attempt.seen).await.map(Some)
    }

    /// Refuses another client, and a session without the second factor that policy requires, before the session
    /// advances: its client does not lose its generation. It costs one more query, which is made only when the answer
    /// matters.
    async fn check_policies(&self, origin: &Origin, attempt: &Attempt) -> Result<(), Failure> {
        let found = session::find_holder(&self.work.store, attempt.tenant, attempt.id).await?;
        let Some(Holder { session, account, roles }) = &found else { return Ok(()) };
        // For a token that is refused anyway, the refusal itself gives the reason.
        match attempt.judge(session, account) {
            RefreshVerdict::Contended
            | RefreshVerdict::Repeat
            | RefreshVerdict::RepeatToUnrecognized
            | RefreshVerdict::Recover => {}
            _ => return Ok(()),
        }
        if self.watch.may_refuse() {
            self.watch.check_client(origin, session, account, &attempt.seen).await?;
        }
        self.require_second_step(origin, (session, account, roles)).await
    }

    /// Whether policy lets a session have further tokens.
    async fn require_second_step(
        &self,
        origin: &Origin,
        (session, account, roles): (&Session, &Account, &[String]),
    ) -> Result<(), Failure> {
        if self.factor_policy.accepts(session, roles) {
            return Ok(());
        }
        let about = EventSubject::target(Some(account.id)).in_session(session.id);
        let failure = Reason::ReauthenticationRequired.into();
        Err(self.work.refused(origin, account.tenant, EventKind::RefreshRefused, about, failure).await)
    }

    async fn hand_out(
        &self,
        origin: &Origin,
        holder: Holder,
        seen: &ClientObservation,
    ) -> Result<OpenedSession, Failure> {
        self.watch.note(origin, &holder.session, &holder.account, seen).await?;
        self.issue(origin, holder).await
    }

    async fn issue(&self, origin: &Origin, holder: Holder) -> Result<OpenedSession, Failure> {
        let Holder { session, account, roles } = holder;
        // A role may have been granted since the session was looked at.
        self.require_second_step(origin, (&session, &account, &roles)).await?;
        self.tokens.issue(&session, Profile { account, roles })
    }
}

fn contended(wait: Duration) -> Failure {
    Refusal::from(Reason::RefreshContended).retry_after(wait).into()
}
