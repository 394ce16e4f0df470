use super::{IssueTokens, OpenedSession, SessionPasskeys, WatchClient, passkey::SessionCeremony};
use crate::{
    runtime::spawn,
    store::{ceremony, device, role, second_factor, session},
    usecase::{
        EventSubject, Failure, Origin, UnitOfWork, UnitsOfWork,
        account::Profile,
        gate::{
            AdmittedAttempt, FactorClient, FactorGate, FactorProven, PresentedFactor, SessionPasswordGate, SignedIn,
            Throttle, WrongFactor, require_password_level, used_up,
        },
    },
};
use countersign_domain::{
    account::Account,
    assurance::{AuthenticationMethod, after_factor, joined},
    audit::EventKind,
    client::DeviceSignal,
    factor_policy::FactorPolicy,
    id::DeviceId,
    refusal::Reason,
    risk::ClientObservation,
    secret::SecretText,
    session::{Session, SessionLives},
};
use std::sync::Arc;
use tracing::Instrument as _;

/// Proves again who holds a live session. The session continues with its next generation, whose tokens have a new
/// `auth_time`.
#[derive(Clone, Debug)]
pub struct Reauthenticate {
    pub work: UnitsOfWork,
    pub password: SessionPasswordGate,
    pub factors: FactorGate,
    pub passkeys: SessionPasskeys,
    pub tokens: IssueTokens,
    pub lives: SessionLives,
    pub throttle: Throttle,
    pub watch: WatchClient,
    pub factor_policy: Arc<FactorPolicy>,
}

/// How a caller proves who they are.
#[derive(Debug)]
pub enum PresentedProof {
    Password(SecretText),
    /// With the token of the ceremony, for a passkey.
    Factor(PresentedFactor, Option<SecretText>),
}

impl Reauthenticate {
    /// A caller who lost the answer calls again with the same access token. `device` is the token of the device, from
    /// the message or its cookie.
    ///
    /// # Errors
    /// CURRENT_PASSWORD_WRONG, CODE_INVALID, CHALLENGE_INVALID, PASSKEY_INVALID, PASSKEYS_UNAVAILABLE, FACTOR_LOCKED,
    /// STEP_UP_REQUIRED for the password of an account with a factor, SESSION_ENDED, ACCOUNT_DISABLED,
    /// REAUTHENTICATION_REQUIRED, RATE_LIMITED, OVERLOADED.
    #[tracing::instrument(level = "debug", name = "session.reauthenticate", skip_all)]
    pub async fn prove(
        &self,
        origin: &Origin,
        caller: &SignedIn,
        proof: PresentedProof,
        device: Option<&SecretText>,
    ) -> Result<OpenedSession, Failure> {
        // It makes a generation, as a refresh does.
        self.throttle.refresh(caller.session().id).await?;
        let seen = self.watch.see(origin, device);
        if self.watch.may_refuse() {
            self.watch.check_client(origin, caller.session(), caller.account(), &seen).await?;
        }
        match proof {
            PresentedProof::Password(password) => self.by_password(origin, caller, &password, &seen).await,
            PresentedProof::Factor(factor, token) => {
                let ceremony = self.passkeys.open(caller, &factor, token.as_ref()).await?;
                self.by_factor(origin, caller, (factor, ceremony), seen).await
            }
        }
    }

    async fn by_password(
        &self,
        origin: &Origin,
        caller: &SignedIn,
        password: &SecretText,
        seen: &ClientObservation,
    ) -> Result<OpenedSession, Failure> {
        require_password_level(caller.account())?;
        let proven = self.password.prove(origin, caller, password).await?;
        let unit = self.work.begin(origin, caller.tenant()).await?;
        let (account, live) = self.password.hold(unit.db(), caller, &proven).await?;
        // A factor may have been added while the password waited for its hash.
        require_password_level(&account)?;
        self.advance(origin, unit, caller, (account, live), (&[AuthenticationMethod::Password], seen)).await
    }

    /// Checks a factor in a task of its own, as a login does.
    async fn by_factor(
        &self,
        origin: &Origin,
        caller: &SignedIn,
        (factor, ceremony): (PresentedFactor, Option<SessionCeremony>),
        seen: ClientObservation,
    ) -> Result<OpenedSession, Failure> {
        let (reauthenticate, origin, caller) = (self.clone(), origin.clone(), caller.clone());
        let deciding =
            async move { reauthenticate.check_factor(&origin, &caller, (&factor, ceremony.as_ref()), &seen).await };
        spawn(deciding.in_current_span()).await.unwrap_or_else(|error| Err(Failure::Broken(error.to_string())))
    }

    async fn check_factor(
        &self,
        origin: &Origin,
        caller: &SignedIn,
        (factor, ceremony): (&PresentedFactor, Option<&SessionCeremony>),
        seen: &ClientObservation,
    ) -> Result<OpenedSession, Failure> {
        let account = caller.account();
        let client = self.factor_client(caller, seen).await?;
        let mut admitted = self.factors.admit(account, client, factor).await?;
        let tries = match self.password.tries.spend(caller).await {
            Ok(tries) => tries,
            Err(failure) => {
                admitted.give_back().await;
                return Err(failure);
            }
        };
        admitted.expect_verdict();
        let answered = ceremony.map(|ceremony| &ceremony.ceremony);
        let wrong = match self.factors.check(account, client, (factor, answered)).await {
            Ok(Ok(proven)) => match self.advance_by(origin, caller, (&proven, ceremony), seen).await {
                Ok(opened) => {
                    admitted.succeeded().await;
                    if let Err(fault) = self.password.tries.give_back(caller, tries).await {
                        tracing::warn!(%fault, "the tries of a session could not be given back");
                    }
                    return Ok(opened);
                }
                // Another call used the same proof a moment ago.
                Err(failure) if matches!(failure.reason(), Reason::CodeInvalid | Reason::PasskeyInvalid) => {
                    WrongFactor::Used
                }
                Err(failure) => return Err(self.give_back(caller, admitted, failure).await),
            },
            Ok(Err(wrong)) => match self.check_unrepeated(caller, ceremony, wrong).await {
                Ok(()) => wrong,
                Err(failure) => return Err(self.give_back(caller, admitted, failure).await),
            },
            Err(failure) => return Err(self.give_back(caller, admitted, failure).await),
        };
        self.refuse_factor(origin, caller, (admitted, client, tries), (factor, wrong)).await
    }

    /// Checks that a passkey does not only seem to be copied, because its answer was used before.
    ///
    /// # Errors
    /// CHALLENGE_INVALID.
    async fn check_unrepeated(
        &self,
        caller: &SignedIn,
        ceremony: Option<&SessionCeremony>,
        wrong: WrongFactor,
    ) -> Result<(), Failure> {
        let (WrongFactor::Copied(_), Some(ceremony)) = (wrong, ceremony) else { return Ok(()) };
        let is_used = ceremony::is_used(&self.work.read(), caller.tenant(), ceremony.id).await?;
        if is_used { Err(Reason::ChallengeInvalid.into()) } else { Ok(()) }
    }

    /// Gives back what an attempt used up that was neither right nor wrong. Returns the failure.
    async fn give_back(&self, caller: &SignedIn, admitted: AdmittedAttempt, failure: Failure) -> Failure {
        admitted.give_back().await;
        if let Err(fault) = self.password.tries.give_back(caller, 1).await {
            tracing::warn!(%fault, "a try of a session could not be given back");
        }
        failure
    }

    /// The client that presents a factor. Its device counts only if the call showed it: whoever holds a token of the
    /// session need not hold its device.
    async fn factor_client(&self, caller: &SignedIn, seen: &ClientObservation) -> Result<FactorClient, Failure> {
        let session = caller.session();
        let recognized = match shown_device(session, seen) {
            Some(id) => {
                let device = device::find(&self.work.read(), caller.tenant(), id, self.work.now()).await?;
                device.proved_second_factor_of(caller.account().id).then_some(id)
            }
            None => None,
        };
        Ok(FactorClient { recognized, session: Some(session.id), mails_owner: false })
    }

    async fn refuse_factor(
        &self,
        origin: &Origin,
        caller: &SignedIn,
        (admitted, client, tries): (AdmittedAttempt, FactorClient, i32),
        (factor, wrong): (&PresentedFactor, WrongFactor),
    ) -> Result<OpenedSession, Failure> {
        let counted = self.factors.count_wrong(origin, (caller.account(), client), admitted, (factor, wrong)).await;
        let refused = (EventKind::FactorRefused, factor.refusal(wrong).into());
        // Also where it could not be counted: the fifth one ends the session.
        let failure = self.password.tries.refuse(origin, caller, tries, refused).await?;
        counted?;
        Err(failure)
    }

    async fn advance_by(
        &self,
        origin: &Origin,
        caller: &SignedIn,
        (proven, ceremony): (&FactorProven, Option<&SessionCeremony>),
        seen: &ClientObservation,
    ) -> Result<OpenedSession, Failure> {
        let unit = self.work.begin(origin, caller.tenant()).await?;
        let (account, live) = self.password.tries.hold(unit.db(), caller).await?;
        let right = proven.proof().factor();
        if let Some(ceremony) = ceremony
            && !ceremony::use_up(unit.db(), account.tenant, (ceremony.id, ceremony.expires_at)).await?
        {
            return Err(Reason::ChallengeInvalid.into());
        }
        if proven.proof().account() != account.id
            || !FactorGate::use_up(unit.db(), &account, (right, true), unit.now()).await?
        {
            return Err(used_up(right).into());
        }
        FactorGate::tell_of_use(&unit, &account, live.id, right).await?;
        if let Some(device) = shown_device(&live, seen) {
            second_factor::note(unit.db(), account.tenant, account.id, device, unit.now()).await?;
        }
        let methods = after_factor(&live.methods, right.method());
        self.advance(origin, unit, caller, (account, live), (methods, seen)).await
    }

    /// Makes the next generation, with the new proof. Both the account and the session are locked.
    async fn advance(
        &self,
        origin: &Origin,
        unit: UnitOfWork<'_>,
        caller: &SignedIn,
        (account, live): (Account, Session),
        (methods, seen): (&[AuthenticationMethod], &ClientObservation),
    ) -> Result<OpenedSession, Failure> {
        let (tenant, id) = (caller.tenant(), live.id);
        // A token that names no generation is none of a session that can be recovered.
        let by = live.reauthenticating(caller.generation().unwrap_or(live.generation));
        let times = (self.work.now(), self.lives.idle);
        let next = session::reauthenticate(unit.db(), tenant, &live, (by, &joined(methods)), times).await?;
        let next = next.ok_or(Reason::SessionEnded)?;
        // The roles and the account may have changed while the proof was checked.
        let roles = role::names(unit.db(), tenant, account.id).await?;
        // A password alone would keep a session that Refresh refuses.
        if !self.factor_policy.accepts(&next, &roles) {
            return Err(Reason::ReauthenticationRequired.into());
        }
        let profile = Profile { roles, account };
        // The tokens are made before the commit: a generation without tokens could not be used.
        let opened = self.tokens.issue(&next, profile)?;
        let account = &opened.profile.account;
        unit.record(EventKind::Reauthenticated, EventSubject::own(account.id).in_session(id)).await?;
        unit.commit().await?;
        if let Err(fault) = self.watch.note(origin, &next, account, seen).await {
            tracing::warn!(%fault, "a changed client of a session could not be recorded");
        }
        Ok(opened)
    }
}

/// The device of a session, if its client showed it.
fn shown_device(session: &Session, seen: &ClientObservation) -> Option<DeviceId> {
    session.device.filter(|device| seen.signals.device == DeviceSignal::Shown(*device))
}
