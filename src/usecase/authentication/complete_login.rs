use super::{CeremonyClient, CompletePasskeyLogin, LoggedIn, NewSession, OpenSession, passkey_login::PasskeyLoginForm};
use crate::{
    keys::{CeremonyPurpose, DeviceToken, KeyRing, OpenedCeremony, Rejected},
    passkeys::{AuthenticationResponse, CeremonyState},
    passwords::{Caller, Presence},
    runtime::spawn,
    store::{
        challenge,
        challenge::{FoundChallenge, StoredChallenge},
    },
    usecase::{
        Failure, Origin, UnitsOfWork,
        gate::{
            AdmittedAttempt, FactorClient, FactorGate, FactorProven, PresentedDevice, PresentedFactor, WrongFactor,
        },
        key::KeyUpdates,
        session::{Logout, OpenedSession},
    },
};
use countersign_domain::{
    account::Account,
    device::DeviceTrust,
    display_name::DisplayName,
    id::{ChallengeId, TenantId},
    refusal::Reason,
    secret::SecretText,
    session::TokenDelivery,
};
use std::sync::Arc;
use tracing::Instrument as _;

/// Completes a login with a second factor, or with a passkey alone.
#[derive(Clone, Debug)]
pub struct CompleteLogin {
    pub work: UnitsOfWork,
    pub ring: Arc<KeyRing>,
    pub key_updates: KeyUpdates,
    pub factors: FactorGate,
    pub open: OpenSession,
    pub passkey_login: CompletePasskeyLogin,
    pub logout: Logout,
}

/// The fields of the form.
#[derive(Debug)]
pub struct CompleteLoginForm {
    pub challenge_token: SecretText,
    pub factor: PresentedFactor,
    /// The one that the login answered: a challenge that was copied is worth nothing without it.
    pub device_token: Option<SecretText>,
    /// Whether logins on the device take the password alone from now on.
    pub remember_device: bool,
    pub client: CeremonyClient,
    pub delivery: TokenDelivery,
    /// The refresh tokens in the caller's cookies.
    pub former: Vec<SecretText>,
}

/// What a form answers: the login of its token, and the factor.
enum OpenedForm {
    Challenge(TenantId, ChallengeId, PresentedFactor),
    PasskeyLogin(OpenedCeremony, AuthenticationResponse),
}

/// A challenge with a factor, and the facts by which it is judged.
struct Answer {
    stored: StoredChallenge,
    account: Account,
    roles: Vec<String>,
    trust: DeviceTrust,
    client: FactorClient,
    factor: PresentedFactor,
    remember_device: bool,
    delivery: TokenDelivery,
}

impl CompleteLogin {
    /// Opens the session. A browser is in one session at a time: its former session ends.
    ///
    /// # Errors
    /// CHALLENGE_INVALID, CODE_INVALID, PASSKEY_INVALID, PASSKEYS_UNAVAILABLE, FACTOR_LOCKED, RATE_LIMITED;
    /// CREDENTIALS_INVALID when the account may not log in any more, DEADLINE_EXCEEDED when the caller is gone.
    pub async fn complete(&self, origin: &Origin, form: CompleteLoginForm) -> Result<LoggedIn, Failure> {
        let CompleteLoginForm { challenge_token, factor, device_token, remember_device, client, delivery, former } =
            form;
        let device = (device_token, remember_device);
        let logged_in = match self.read_token(origin, &challenge_token, factor).await? {
            OpenedForm::PasskeyLogin(opened, presented) => {
                let (device_token, remember_device) = device;
                let form = PasskeyLoginForm { presented, client, device_token, remember_device, delivery };
                self.passkey_login.complete(origin, opened, form).await?
            }
            OpenedForm::Challenge(tenant, id, factor) => {
                self.answer_challenge(origin, (tenant, id), (factor, delivery), device).await?
            }
        };
        Box::pin(self.logout.end_replaced(origin, &former)).await;
        Ok(logged_in)
    }

    /// Opens the token. A passkey may answer either kind, a code only that of a challenge.
    async fn read_token(
        &self,
        origin: &Origin,
        token: &SecretText,
        factor: PresentedFactor,
    ) -> Result<OpenedForm, Failure> {
        let now = self.work.now();
        if let PresentedFactor::Passkey(presented) = &factor {
            let as_login = || self.ring.open_ceremony(token, CeremonyPurpose::PasskeyLogin, now);
            match self.key_updates.open(as_login).await {
                Ok(opened) => {
                    origin.check_tenant(opened.tenant, Reason::ChallengeInvalid)?;
                    return Ok(OpenedForm::PasskeyLogin(opened, presented.clone()));
                }
                // That of a challenge.
                Err(Rejected::Forged) => {}
                Err(_) => return Err(Reason::ChallengeInvalid.into()),
            }
        }
        let opened = self.key_updates.open(|| self.ring.open_challenge(token, now)).await;
        let (tenant, id) = opened.map_err(|_| Reason::ChallengeInvalid)?;
        origin.check_tenant(tenant, Reason::ChallengeInvalid)?;
        Ok(OpenedForm::Challenge(tenant, id, factor))
    }

    async fn answer_challenge(
        &self,
        origin: &Origin,
        (tenant, id): (TenantId, ChallengeId),
        (factor, delivery): (PresentedFactor, TokenDelivery),
        (device_token, remember_device): (Option<SecretText>, bool),
    ) -> Result<LoggedIn, Failure> {
        let found = challenge::find(&self.work.read(), tenant, id).await?.ok_or(Reason::ChallengeInvalid)?;
        let FoundChallenge { stored, account, roles, trust, proved_second_factor } = found;
        let presented = device_token.as_ref().and_then(DeviceToken::presented);
        let token = presented.filter(|token| token.id() == stored.device).ok_or(Reason::ChallengeInvalid)?;
        stored.challenge.accepts_factor(&account, self.work.now())?;
        let shown = stored.shown_device;
        let client = FactorClient {
            recognized: proved_second_factor.then_some(shown),
            session: None,
            mails_owner: !proved_second_factor,
        };
        let answer = Answer { stored, account, roles, trust, client, factor, remember_device, delivery };
        let owner = answer.account.clone();
        let session = self.decide(origin, answer).await?;
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
        let Answer { stored, account, client, factor, .. } = answer;
        let (tenant, id) = (account.tenant, stored.challenge.id);
        let mut admitted = self.factors.admit(account, *client, factor).await?;
        let Some(tries) = challenge::spend_try(&self.work.write(), tenant, id, self.work.now()).await? else {
            admitted.give_back().await;
            return Err(Reason::ChallengeInvalid.into());
        };
        // The owner gets a mail about the first wrong proof of a challenge.
        let client = FactorClient { mails_owner: client.mails_owner && tries == 1, ..*client };
        admitted.expect_verdict();
        let ceremony = stored.passkey_ceremony.clone().map(CeremonyState);
        let proven = match self.factors.check(account, client, (factor, ceremony.as_ref())).await {
            Ok(Ok(proven)) => proven,
            Ok(Err(WrongFactor::Copied(passkey))) => match challenge::find(&self.work.read(), tenant, id).await {
                Ok(Some(_)) => {
                    let wrong = WrongFactor::Copied(passkey);
                    return Err(self.refuse_wrong(origin, answer, (admitted, client), wrong).await);
                }
                // It only seems to be copied: its answer was used a moment ago.
                Ok(None) => return Err(self.give_back(tenant, id, admitted, Reason::ChallengeInvalid.into()).await),
                Err(fault) => return Err(self.give_back(tenant, id, admitted, fault.into()).await),
            },
            Ok(Err(wrong)) => return Err(self.refuse_wrong(origin, answer, (admitted, client), wrong).await),
            Err(failure) => return Err(self.give_back(tenant, id, admitted, failure).await),
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
            Err(failure) => Err(self.give_back(tenant, id, admitted, failure).await),
        }
    }

    async fn open(
        &self,
        origin: &Origin,
        answer: &Answer,
        proven: &FactorProven,
        presence: &Presence,
    ) -> Result<OpenedSession, Failure> {
        let Answer { stored, account, trust, .. } = answer;
        let login = stored.challenge.factor_proven(proven.proof(), account.clone(), *trust, self.work.now())?;
        self.open.open_session(origin, &login, answer.new_session()?, presence).await
    }

    /// Gives back what an attempt used up that was neither right nor wrong. Returns the failure.
    async fn give_back(
        &self,
        tenant: TenantId,
        id: ChallengeId,
        admitted: AdmittedAttempt,
        failure: Failure,
    ) -> Failure {
        admitted.give_back().await;
        if let Err(fault) = challenge::give_back_try(&self.work.write(), tenant, id).await {
            tracing::warn!(%fault, "a try of a challenge could not be given back");
        }
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
        let counted = self.factors.count_wrong(origin, (&answer.account, client), admitted, presented).await;
        match counted {
            Ok(()) => answer.factor.refusal(why).into(),
            Err(fault) => {
                tracing::warn!(%fault, request_id = origin.trace_id, "a wrong second factor was not counted in the database");
                fault
            }
        }
    }
}

impl Answer {
    fn new_session(&self) -> Result<NewSession, Failure> {
        let stored = &self.stored;
        let device_name = DisplayName::parse(&stored.device_name)
            .map_err(|invalid| Failure::Broken(format!("a stored device name {}", invalid.describe())))?;
        Ok(NewSession {
            audience: stored.audience.clone(),
            device_name,
            device: PresentedDevice { shown: stored.shown_device, id: stored.device },
            is_to_be_remembered: self.remember_device,
            delivery: self.delivery,
            roles: self.roles.clone(),
        })
    }
}
