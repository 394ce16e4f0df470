use super::{LoggedIn, NewSession, OpenSession, audience::find_audience};
use crate::{
    keys::{BrowserBinding, CeremonyPurpose, KeyRing, OpenedCeremony},
    passkeys::{AuthenticationResponse, CeremonyState, StartedCeremony},
    passwords::{Caller, Presence},
    runtime::{Entropy, spawn},
    store::{ceremony, passkey, passkey::FoundPasskey},
    usecase::{
        EventSubject, Failure, Origin, UnitsOfWork,
        gate::{DeviceRecognition, FactorGate, FactorProven, LoginDraw, PasskeyGate, Throttle, WrongFactor},
        key::KeyUpdates,
    },
};
use countersign_domain::{
    account::Account,
    audit::EventKind,
    display_name::DisplayName,
    id::{CeremonyId, FactorId, TenantId},
    login::PasskeyCeremony,
    refusal::Reason,
    secret::SecretText,
    session::TokenDelivery,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use tracing::Instrument as _;

/// Begins a login by passkey alone.
#[derive(Clone, Debug)]
pub struct StartPasskeyLogin {
    pub work: UnitsOfWork,
    pub ring: Arc<KeyRing>,
    pub entropy: Entropy,
    pub key_updates: KeyUpdates,
    pub passkeys: PasskeyGate,
}

/// Completes a login by passkey alone.
#[derive(Clone, Debug)]
pub struct CompletePasskeyLogin {
    pub work: UnitsOfWork,
    pub factors: FactorGate,
    pub device_recognition: DeviceRecognition,
    pub throttle: Throttle,
    pub open: OpenSession,
}

/// A question to any passkey of this service.
#[derive(Debug)]
pub struct StartedPasskeyLogin {
    pub token: SecretText,
    pub request_json: String,
    pub expires_at: Timestamp,
    /// What a browser has to keep from now on.
    pub binding: Option<SecretText>,
}

/// Where a ceremony begins and ends.
#[derive(Clone, Debug)]
pub enum CeremonyClient {
    /// A program that keeps the token to itself.
    Program,
    /// A browser, with what its cookie says. Its pages hold the token; therefore the token names the browser, and works
    /// in no other.
    Browser(Option<SecretText>),
}

/// What a passkey answers, and the client that presents it.
#[derive(Debug)]
pub(super) struct PasskeyLoginForm {
    pub(super) presented: AuthenticationResponse,
    pub(super) client: CeremonyClient,
    pub(super) device_token: Option<SecretText>,
    pub(super) remember_device: bool,
    pub(super) delivery: TokenDelivery,
}

/// What the token says.
#[derive(Debug, Serialize, Deserialize)]
struct Content {
    ceremony: String,
    audience: String,
    device_name: String,
    /// The browser in which it works.
    browser: Option<String>,
}

impl CeremonyClient {
    fn kept(&self) -> Option<BrowserBinding> {
        match self {
            Self::Program => None,
            Self::Browser(kept) => kept.as_ref().and_then(BrowserBinding::kept),
        }
    }

    /// Checks that a token works here. A browser takes none that began elsewhere: a page could log its person in to the
    /// account of somebody else (login CSRF).
    ///
    /// # Errors
    /// CHALLENGE_INVALID; TOKEN_MISSING for a browser that keeps no cookies.
    fn check(&self, browser: Option<&str>) -> Result<(), Reason> {
        let works = match self {
            Self::Program => browser.is_none(),
            Self::Browser(_) => browser == Some(self.kept().ok_or(Reason::TokenMissing)?.digest().as_str()),
        };
        if works { Ok(()) } else { Err(Reason::ChallengeInvalid) }
    }
}

impl StartPasskeyLogin {
    /// Stores nothing, and answers everybody alike.
    ///
    /// # Errors
    /// AUDIENCE_UNKNOWN, PASSKEYS_UNAVAILABLE.
    #[tracing::instrument(level = "debug", name = "authentication.start_passkey_login", skip_all)]
    pub async fn start(
        &self,
        origin: &Origin,
        (audience, device_name): (String, &DisplayName),
        client: &CeremonyClient,
    ) -> Result<StartedPasskeyLogin, Failure> {
        let (tenant, now) = (origin.tenant(), self.work.now());
        let StartedCeremony { options_json, ceremony } = self.passkeys.passkeys()?.start_login()?;
        let audience = find_audience(&self.work.read(), &self.key_updates, (tenant, audience)).await?;
        let binding = match client {
            CeremonyClient::Program => None,
            CeremonyClient::Browser(_) => {
                Some(client.kept().unwrap_or_else(|| BrowserBinding::generate(&self.entropy)))
            }
        };
        let login = PasskeyCeremony::start(CeremonyId::new(now, self.entropy.bytes()), now);
        let content = Content {
            ceremony: ceremony.0,
            audience,
            device_name: device_name.as_str().to_owned(),
            browser: binding.as_ref().map(BrowserBinding::digest),
        };
        let content = serde_json::to_vec(&content).map_err(|error| Failure::Broken(error.to_string()))?;
        let token =
            self.ring.seal_ceremony(tenant, CeremonyPurpose::PasskeyLogin, (login.id, login.expires_at), content)?;
        let binding = binding.map(BrowserBinding::into_secret);
        Ok(StartedPasskeyLogin { token, request_json: options_json, expires_at: login.expires_at, binding })
    }
}

impl CompletePasskeyLogin {
    /// Opens the session, in a task of its own: a caller who hangs up leaves no right or copied passkey unrecorded, and
    /// breaks off no commit.
    ///
    /// # Errors
    /// CHALLENGE_INVALID, TOKEN_MISSING, PASSKEY_INVALID, PASSKEYS_UNAVAILABLE, RATE_LIMITED; CREDENTIALS_INVALID when
    /// the account may not log in any more, DEADLINE_EXCEEDED when the caller is gone.
    pub(super) async fn complete(
        &self,
        origin: &Origin,
        opened: OpenedCeremony,
        form: PasskeyLoginForm,
    ) -> Result<LoggedIn, Failure> {
        let caller = Caller::default();
        let (login, origin, presence) = (self.clone(), origin.clone(), caller.presence());
        let deciding = async move { login.check_and_open(&origin, opened, form, &presence).await };
        spawn(deciding.in_current_span()).await.unwrap_or_else(|error| Err(Failure::Broken(error.to_string())))
    }

    async fn check_and_open(
        &self,
        origin: &Origin,
        opened: OpenedCeremony,
        form: PasskeyLoginForm,
        presence: &Presence,
    ) -> Result<LoggedIn, Failure> {
        let OpenedCeremony { tenant, id, expires_at, content } = opened;
        let login = PasskeyCeremony { id, expires_at };
        let PasskeyLoginForm { presented, client, device_token, remember_device, delivery } = form;
        let content: Content = serde_json::from_slice(&content).map_err(|_| Reason::ChallengeInvalid)?;
        client.check(content.browser.as_deref())?;
        // Like a login on a recognized device, once the passkey is right: nobody finds a signature by trying.
        self.throttle.login(origin, LoginDraw::Light).await?;
        let rest = self.throttle.rest_of_login(origin).await?;
        let answer = (&presented, CeremonyState(content.ceremony));
        let checked = self.check(origin, (tenant, login), answer).await;
        if checked.as_ref().err().is_none_or(|failure| failure.reason() != Reason::PasskeyInvalid) {
            self.throttle.give_back(rest).await;
        }
        let (found, proven) = checked?;
        let device = self.device_recognition.device(tenant, device_token.as_ref(), self.work.now()).await?;
        let FoundPasskey { account, roles, .. } = found;
        let (trust, owner) = (device.trust(account.id), account.clone());
        let login = match login.passkey_proven(proven.proof(), account, trust, self.work.now()) {
            Ok(login) => login,
            Err(reason) => {
                let failure = refusal(reason.into(), WrongFactor::Wrong);
                return Err(self.refuse(origin, tenant, Some(&owner), failure).await);
            }
        };
        let new = NewSession {
            audience: content.audience,
            device_name: DisplayName::parse(&content.device_name).map_err(|_| Reason::ChallengeInvalid)?,
            device: device.arriving(),
            is_to_be_remembered: remember_device,
            delivery,
            roles,
        };
        match self.open.open_session(origin, &login, new, presence).await {
            Ok(session) => Ok(LoggedIn { session, device_token: device.into_token() }),
            Err(failure) => {
                let failure = refusal(failure, WrongFactor::Used);
                Err(self.refuse(origin, tenant, Some(&owner), failure).await)
            }
        }
    }

    /// The passkey, if it is one of the tenant and signed this question.
    async fn check(
        &self,
        origin: &Origin,
        (tenant, login): (TenantId, PasskeyCeremony),
        (presented, ceremony): (&AuthenticationResponse, CeremonyState),
    ) -> Result<(FoundPasskey, FactorProven), Failure> {
        let wrong = || WrongFactor::Wrong.refusal_of_passkey().into();
        let digest = presented.credential_digest();
        let Some(found) = passkey::find(&self.work.read(), tenant, &digest).await? else {
            return Err(self.refuse(origin, tenant, None, wrong()).await);
        };
        let (owner, stored) = (&found.account, &found.stored);
        // Nobody named the account: the authenticator has to (WebAuthn Level 3 section 7.2, step 6).
        if presented.user_handle().ok().flatten().is_none() {
            return Err(self.refuse(origin, tenant, Some(owner), wrong()).await);
        }
        let why = match self.factors.check_passkey(owner.id, stored, (presented, &ceremony)).await? {
            Ok(_) if stored.factor.passkey.is_some_and(|facts| facts.needs_password) => WrongFactor::PasswordNeeded,
            Ok(proven) => return Ok((found, proven)),
            Err(why) => why,
        };
        if let WrongFactor::Copied(passkey) = why {
            // It seems to be copied when its answer was used before.
            if ceremony::is_used(&self.work.read(), tenant, login.id).await? {
                return Err(Reason::ChallengeInvalid.into());
            }
            self.tell_of_copy(origin, owner, passkey).await?;
        }
        Err(self.refuse(origin, tenant, Some(owner), why.refusal_of_passkey().into()).await)
    }

    /// Records the refusal. Returns the failure.
    async fn refuse(&self, origin: &Origin, tenant: TenantId, owner: Option<&Account>, failure: Failure) -> Failure {
        let about = EventSubject::target(owner.map(|owner| owner.id));
        let refused = (EventKind::LoginRefused, failure.reason());
        self.work.record_refusal(origin, tenant, refused, about).await;
        failure
    }

    async fn tell_of_copy(&self, origin: &Origin, owner: &Account, passkey: FactorId) -> Result<(), Failure> {
        let unit = self.work.begin(origin, owner.tenant).await?;
        self.factors.tell_of_copy(&unit, owner, (passkey, EventSubject::target(Some(owner.id)))).await?;
        unit.commit().await?;
        Ok(())
    }
}

/// Says why a passkey is not right. One of an account that may not log in is answered like one that nobody has.
fn refusal(failure: Failure, why: WrongFactor) -> Failure {
    if failure.reason() == Reason::PasskeyInvalid { why.refusal_of_passkey().into() } else { failure }
}
