use super::{
    CeremonyClient, CompletePasskeyLogin, FindWaitingLogin, LoggedIn, LoginOutcome, OpenSession, ProveEmailCode,
    WaitingLogin, passkey_login::PasskeyLoginForm,
};
use crate::{
    keys::{CeremonyPurpose, KeyRing, OpenedCeremony, Rejected},
    passkeys::{AuthenticationResponse, CeremonyState},
    passwords::{Caller, Presence},
    runtime::spawn,
    store::challenge,
    usecase::{
        Failure, Origin, UnitsOfWork,
        gate::{AdmittedAttempt, FactorClient, FactorGate, FactorProven, PresentedFactor, WrongFactor},
        key::KeyUpdates,
        session::{Logout, OpenedSession},
    },
};
use countersign_domain::{
    action::ActionCode, login::Awaited, refusal::Reason, secret::SecretText, session::TokenDelivery,
};
use std::sync::Arc;
use tracing::Instrument as _;

/// Continues a login with a second factor, with a passkey alone, or with a mailed code.
#[derive(Clone, Debug)]
pub struct CompleteLogin {
    pub work: UnitsOfWork,
    pub ring: Arc<KeyRing>,
    pub key_updates: KeyUpdates,
    pub factors: FactorGate,
    pub waiting: FindWaitingLogin,
    pub open: OpenSession,
    pub email_code: ProveEmailCode,
    pub passkey_login: CompletePasskeyLogin,
    pub logout: Logout,
}

/// The fields of the form.
#[derive(Debug)]
pub struct CompleteLoginForm {
    pub challenge_token: SecretText,
    pub proof: PresentedProof,
    /// The one that the login answered: a challenge that was copied is worth nothing without it.
    pub device_token: Option<SecretText>,
    /// Whether logins on the device take the password alone from now on.
    pub remember_device: bool,
    pub client: CeremonyClient,
    pub delivery: TokenDelivery,
    /// The refresh tokens in the caller's cookies.
    pub former: Vec<SecretText>,
}

/// What a caller presents to continue a login.
#[derive(Clone, Debug)]
pub enum PresentedProof {
    Factor(PresentedFactor),
    EmailCode(ActionCode),
}

/// A login that waits, with a factor.
struct Answer {
    login: WaitingLogin,
    client: FactorClient,
    factor: PresentedFactor,
    remember_device: bool,
    delivery: TokenDelivery,
}

impl CompleteLogin {
    /// Opens the session; after a mailed code, answers the next challenge. A browser is in one session at a time: its
    /// former session ends.
    ///
    /// # Errors
    /// CHALLENGE_INVALID, CODE_INVALID, PASSKEY_INVALID, PASSKEYS_UNAVAILABLE, FACTOR_LOCKED, RATE_LIMITED;
    /// CREDENTIALS_INVALID when the account may not log in any more, DEADLINE_EXCEEDED when the caller is gone.
    pub async fn complete(&self, origin: &Origin, form: CompleteLoginForm) -> Result<LoginOutcome, Failure> {
        let CompleteLoginForm { challenge_token, proof, device_token, remember_device, client, delivery, former } =
            form;
        let find = |awaited| self.waiting.find(origin, &challenge_token, device_token.as_ref(), awaited);
        let logged_in = match proof {
            PresentedProof::EmailCode(code) => {
                let login = find(Awaited::EmailCode).await?;
                return self.email_code.prove(origin, login, code).await.map(LoginOutcome::Challenged);
            }
            PresentedProof::Factor(factor) => match self.as_passkey_login(origin, &challenge_token, &factor).await? {
                Some((opened, presented)) => {
                    let form = PasskeyLoginForm { presented, client, device_token, remember_device, delivery };
                    self.passkey_login.complete(origin, opened, form).await?
                }
                None => {
                    let login = find(Awaited::Factor).await?;
                    self.answer_challenge(origin, login, (factor, remember_device, delivery)).await?
                }
            },
        };
        Box::pin(self.logout.end_replaced(origin, &former)).await;
        Ok(LoginOutcome::LoggedIn(Box::new(logged_in)))
    }

    /// Opens the token as that of a login by passkey alone. `None` for another: a passkey may answer either kind, a
    /// code only that of a challenge.
    async fn as_passkey_login(
        &self,
        origin: &Origin,
        token: &SecretText,
        factor: &PresentedFactor,
    ) -> Result<Option<(OpenedCeremony, AuthenticationResponse)>, Failure> {
        let PresentedFactor::Passkey(presented) = factor else { return Ok(None) };
        let now = self.work.now();
        let as_login = || self.ring.open_ceremony(token, CeremonyPurpose::PasskeyLogin, now);
        match self.key_updates.open(as_login).await {
            Ok(opened) => {
                origin.check_tenant(opened.tenant, Reason::ChallengeInvalid)?;
                Ok(Some((opened, presented.clone())))
            }
            Err(Rejected::Forged) => Ok(None),
            Err(_) => Err(Reason::ChallengeInvalid.into()),
        }
    }

    async fn answer_challenge(
        &self,
        origin: &Origin,
        login: WaitingLogin,
        (factor, remember_device, delivery): (PresentedFactor, bool, TokenDelivery),
    ) -> Result<LoggedIn, Failure> {
        let (owner, shown, token) = (login.account.clone(), login.device().shown, login.device_token.clone());
        let client = FactorClient {
            recognized: login.proved_second_factor.then_some(shown),
            session: None,
            mails_owner: !login.proved_second_factor,
        };
        let session = self.decide(origin, Answer { login, client, factor, remember_device, delivery }).await?;
        // What was typed for the password before is forgiven, as after a login by password alone.
        self.factors.attempts.forgive(&owner, &[shown]).await;
        Ok(LoggedIn { session, device_token: token.into_secret() })
    }

    /// Admits the attempt, checks the factor, opens the session and settles the attempt, in a task of its own: a caller
    /// who hangs up leaves no attempt unsettled and no verdict lost.
    async fn decide(&self, origin: &Origin, answer: Answer) -> Result<OpenedSession, Failure> {
        let caller = Caller::default();
        let (complete, origin, presence) = (self.clone(), origin.clone(), caller.presence());
        let deciding = async move { complete.check_and_open(&origin, &answer, &presence).await };
        spawn(deciding.in_current_span()).await.unwrap_or_else(|error| Err(Failure::Broken(error.to_string())))
    }

    async fn check_and_open(
        &self,
        origin: &Origin,
        answer: &Answer,
        presence: &Presence,
    ) -> Result<OpenedSession, Failure> {
        let Answer { login, client, factor, .. } = answer;
        let (account, tenant, id) = (&login.account, login.tenant(), login.id());
        let mut admitted = self.factors.admit(account, *client, factor).await?;
        let Some(tries) = challenge::spend_try(&self.work.write(), tenant, id, self.work.now()).await? else {
            admitted.give_back().await;
            return Err(Reason::ChallengeInvalid.into());
        };
        // The owner gets a mail about the first wrong proof of a challenge.
        let client = FactorClient { mails_owner: client.mails_owner && tries == 1, ..*client };
        admitted.expect_verdict();
        let ceremony = login.stored.passkey_ceremony.clone().map(CeremonyState);
        let proven = match self.factors.check(account, client, (factor, ceremony.as_ref())).await {
            Ok(Ok(proven)) => proven,
            Ok(Err(WrongFactor::Copied(passkey))) => match challenge::find(&self.work.read(), tenant, id).await {
                Ok(Some(_)) => {
                    let wrong = WrongFactor::Copied(passkey);
                    return Err(self.refuse_wrong(origin, answer, (admitted, client), wrong).await);
                }
                // It only seems to be copied: its answer was used a moment ago.
                Ok(None) => return Err(self.give_back(login, admitted, Reason::ChallengeInvalid.into()).await),
                Err(fault) => return Err(self.give_back(login, admitted, fault.into()).await),
            },
            Ok(Err(wrong)) => return Err(self.refuse_wrong(origin, answer, (admitted, client), wrong).await),
            Err(failure) => return Err(self.give_back(login, admitted, failure).await),
        };
        match self.open(origin, answer, &proven, presence).await {
            Ok(session) => {
                admitted.succeeded().await;
                Ok(session)
            }
            // Another call used the same proof a moment ago.
            Err(failure) if matches!(failure.reason(), Reason::CodeInvalid | Reason::PasskeyInvalid) => {
                Err(self.refuse_wrong(origin, answer, (admitted, client), WrongFactor::Used).await)
            }
            Err(failure) => Err(self.give_back(login, admitted, failure).await),
        }
    }

    async fn open(
        &self,
        origin: &Origin,
        answer: &Answer,
        proven: &FactorProven,
        presence: &Presence,
    ) -> Result<OpenedSession, Failure> {
        let Answer { login, remember_device, delivery, .. } = answer;
        let WaitingLogin { stored, account, trust, .. } = login;
        let completed = stored.challenge.factor_proven(proven.proof(), account.clone(), *trust, self.work.now())?;
        self.open.open_session(origin, &completed, login.new_session(*remember_device, *delivery)?, presence).await
    }

    /// Gives back what an attempt used up that was neither right nor wrong. Returns the failure.
    async fn give_back(&self, login: &WaitingLogin, admitted: AdmittedAttempt, failure: Failure) -> Failure {
        admitted.give_back().await;
        login.give_back_try(&self.work).await;
        failure
    }

    /// Counts a wrong proof and returns its refusal. When it could not be counted, the fault is the answer.
    async fn refuse_wrong(
        &self,
        origin: &Origin,
        answer: &Answer,
        (admitted, client): (AdmittedAttempt, FactorClient),
        why: WrongFactor,
    ) -> Failure {
        let presented = (&answer.factor, why);
        let counted = self.factors.count_wrong(origin, (&answer.login.account, client), admitted, presented).await;
        match counted {
            Ok(()) => answer.factor.refusal(why).into(),
            Err(fault) => {
                tracing::warn!(%fault, request_id = origin.trace_id, "a wrong second factor was not counted in the database");
                fault
            }
        }
    }
}
