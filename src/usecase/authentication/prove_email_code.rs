use super::{ChallengeLogin, LoginChallenge, WaitingLogin, challenge::StartedChallenge};
use crate::{
    passwords::{Caller, Presence},
    runtime::spawn,
    store::challenge,
    usecase::{
        EventSubject, Failure, Origin, UnitOfWork, UnitsOfWork,
        gate::{EmailCodeProven, EmailCodes},
    },
};
use countersign_domain::{
    action::ActionCode,
    audit::EventKind,
    id::ChallengeId,
    login::Challenge,
    refusal::{Reason, Refusal},
};
use tracing::Instrument as _;

/// Continues a login with the code that was mailed. It opens no session: the next challenge lets the person add a
/// factor.
///
/// Wrong codes are counted by the challenge alone: the limit of mails bounds how many challenges an account has, and
/// nobody who knows the password alone delays its owner.
#[derive(Clone, Debug)]
pub struct ProveEmailCode {
    pub work: UnitsOfWork,
    pub codes: EmailCodes,
    pub challenge: ChallengeLogin,
}

impl ProveEmailCode {
    /// Checks the code in a task of its own: a caller who hangs up leaves no wrong code unrecorded. A caller who is
    /// gone before the commit does not continue the login.
    ///
    /// # Errors
    /// CHALLENGE_INVALID, CODE_INVALID; DEADLINE_EXCEEDED when the caller is gone.
    pub(super) async fn prove(
        &self,
        origin: &Origin,
        login: WaitingLogin,
        code: ActionCode,
    ) -> Result<LoginChallenge, Failure> {
        let caller = Caller::default();
        let (prove, origin, presence) = (self.clone(), origin.clone(), caller.presence());
        let deciding = async move { prove.check(&origin, &login, &code, &presence).await };
        spawn(deciding.in_current_span()).await.unwrap_or_else(|error| Err(Failure::Broken(error.to_string())))
    }

    async fn check(
        &self,
        origin: &Origin,
        login: &WaitingLogin,
        code: &ActionCode,
        presence: &Presence,
    ) -> Result<LoginChallenge, Failure> {
        let (tenant, now) = (login.tenant(), self.work.now());
        let tries = challenge::spend_try(&self.work.write(), tenant, login.id(), now).await?;
        tries.ok_or(Reason::ChallengeInvalid)?;
        let Some(proven) = self.codes.check(&login.stored.challenge, code) else {
            self.record_wrong(origin, login).await?;
            return Err(Refusal::from(Reason::CodeInvalid).with_violation("email_code", "", "is wrong").into());
        };
        match self.continue_login(origin, login, proven, presence).await {
            Ok(next) => {
                let started = StartedChallenge { id: next.id, asked: self.challenge.ask(&next) };
                self.challenge.hand_out(tenant, started, login.device_token.clone().into_secret())
            }
            Err(failure) => {
                login.give_back_try(&self.work).await;
                Err(failure)
            }
        }
    }

    async fn record_wrong(&self, origin: &Origin, login: &WaitingLogin) -> Result<(), Failure> {
        let unit = self.work.begin(origin, login.tenant()).await?;
        let about = EventSubject::target(Some(login.account.id));
        unit.record_refusal(EventKind::FactorRefused, Reason::CodeInvalid, about).await?;
        unit.commit().await?;
        Ok(())
    }

    /// Puts the next challenge in place of the one that was proven: of two calls with the code, one continues. The
    /// commit is awaited even when the caller is gone.
    async fn continue_login(
        &self,
        origin: &Origin,
        login: &WaitingLogin,
        proven: EmailCodeProven,
        presence: &Presence,
    ) -> Result<Challenge, Failure> {
        let written = presence.while_waiting(self.write(origin, login, proven)).await;
        let (unit, next) = written.ok_or(Reason::DeadlineExceeded)??;
        unit.commit().await?;
        Ok(next)
    }

    /// Everything but the commit.
    async fn write<'a>(
        &'a self,
        origin: &'a Origin,
        login: &WaitingLogin,
        proven: EmailCodeProven,
    ) -> Result<(UnitOfWork<'a>, Challenge), Failure> {
        let (tenant, former) = (login.tenant(), &login.stored.challenge);
        let unit = self.work.begin(origin, tenant).await?;
        let next = ChallengeId::new(unit.now(), self.work.entropy.bytes());
        let next = former.email_code_proven(proven.proof(), &login.account, next, unit.now())?;
        if !challenge::replace(unit.db(), tenant, former, &next, unit.now()).await? {
            return Err(Reason::ChallengeInvalid.into());
        }
        unit.record(EventKind::EmailCodeProven, EventSubject::target(Some(login.account.id))).await?;
        Ok((unit, next))
    }
}
