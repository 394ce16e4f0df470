use super::{ChallengeLogin, LoginChallenge, WaitingLogin, challenge::StartedChallenge};
use crate::{
    runtime::spawn,
    store::challenge,
    usecase::{
        EventSubject, Failure, Origin, UnitsOfWork,
        gate::{AdmittedAttempt, AttemptLimiter, EmailCodeProven, EmailCodes},
    },
};
use countersign_domain::{
    action::ActionCode,
    audit::EventKind,
    id::ChallengeId,
    refusal::{Reason, Refusal},
};
use std::sync::Arc;
use tracing::Instrument as _;

/// Continues a login with the code that was mailed. It opens no session: the next challenge lets the person add a
/// factor.
#[derive(Clone, Debug)]
pub struct ProveEmailCode {
    pub work: UnitsOfWork,
    pub codes: EmailCodes,
    pub attempts: AttemptLimiter,
    pub challenge: ChallengeLogin,
}

impl ProveEmailCode {
    /// Checks the code and settles the attempt, in a task of its own: a caller who hangs up leaves no attempt
    /// unsettled.
    ///
    /// # Errors
    /// CHALLENGE_INVALID, CODE_INVALID; RATE_LIMITED after too many wrong codes.
    pub(super) async fn prove(
        &self,
        origin: &Origin,
        login: WaitingLogin,
        code: ActionCode,
    ) -> Result<LoginChallenge, Failure> {
        let (prove, origin, login) = (self.clone(), origin.clone(), Arc::new(login));
        let deciding = async move { prove.check(&origin, &login, &code).await };
        spawn(deciding.in_current_span()).await.unwrap_or_else(|error| Err(Failure::Broken(error.to_string())))
    }

    async fn check(&self, origin: &Origin, login: &WaitingLogin, code: &ActionCode) -> Result<LoginChallenge, Failure> {
        let (tenant, id) = (login.tenant(), login.id());
        let mut admitted = self.attempts.admit_second_factor(tenant, login.account.id, None).await?;
        let spent = challenge::spend_try(&self.work.write(), tenant, id, self.work.now()).await;
        if !matches!(spent, Ok(Some(_))) {
            admitted.give_back().await;
            spent?;
            return Err(Reason::ChallengeInvalid.into());
        }
        admitted.expect_verdict();
        let Some(proven) = self.codes.check(&login.stored.challenge, code) else {
            return Err(self.refuse_wrong(origin, login, admitted).await);
        };
        // A mailed code settles nothing by itself: it is no second factor.
        admitted.give_back().await;
        let continued = self.continue_login(origin, login, proven).await;
        if continued.as_ref().err().is_some_and(|failure| failure.reason() != Reason::ChallengeInvalid)
            && let Err(fault) = challenge::give_back_try(&self.work.write(), tenant, id).await
        {
            tracing::warn!(%fault, "a try of a challenge could not be given back");
        }
        continued
    }

    /// Counts a wrong code and returns its refusal.
    async fn refuse_wrong(&self, origin: &Origin, login: &WaitingLogin, admitted: AdmittedAttempt) -> Failure {
        let settled = admitted.failed().await;
        let about = || EventSubject::target(Some(login.account.id));
        let recorded = async {
            let unit = self.work.begin(origin, login.tenant()).await?;
            unit.record_refusal(EventKind::FactorRefused, Reason::CodeInvalid, about()).await?;
            if settled.locked.is_some() {
                unit.record(EventKind::FactorDelayed, about()).await?;
            }
            unit.commit().await?;
            Ok::<_, Failure>(())
        };
        match recorded.await {
            Ok(()) => Refusal::from(Reason::CodeInvalid).with_violation("email_code", "", "is wrong").into(),
            Err(failure) => failure,
        }
    }

    /// Puts the next challenge in the place of the one that was proven: of two calls with the code, one continues.
    async fn continue_login(
        &self,
        origin: &Origin,
        login: &WaitingLogin,
        proven: EmailCodeProven,
    ) -> Result<LoginChallenge, Failure> {
        let tenant = login.tenant();
        let unit = self.work.begin(origin, tenant).await?;
        let (now, former) = (unit.now(), &login.stored.challenge);
        let next = ChallengeId::new(now, self.work.entropy.bytes());
        let next = former.email_code_proven(proven.proof(), &login.account, next, now)?;
        if !challenge::replace(unit.db(), tenant, former, &next, now).await? {
            return Err(Reason::ChallengeInvalid.into());
        }
        unit.record(EventKind::EmailCodeProven, EventSubject::target(Some(login.account.id))).await?;
        unit.commit().await?;
        let started = StartedChallenge { id: next.id, asked: self.challenge.ask(&next, String::new()) };
        self.challenge.hand_out(tenant, started, login.device_token.clone().into_secret())
    }
}
