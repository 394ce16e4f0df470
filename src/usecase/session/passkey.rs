use crate::{
    keys::{CeremonyPurpose, KeyRing},
    passkeys::{CeremonyState, StartedCeremony},
    runtime::Entropy,
    store::factor,
    usecase::{
        Failure, UnitsOfWork,
        gate::{PasskeyGate, PresentedFactor, SignedIn},
        key::KeyUpdates,
    },
};
use countersign_domain::{
    factor::FactorMethod,
    id::{CeremonyId, SessionId},
    login::PasskeyCeremony,
    refusal::Reason,
    secret::SecretText,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use uuid::Uuid;

/// Asks for a passkey of the account of a live session, to prove again who holds it.
#[derive(Clone, Debug)]
pub struct SessionPasskeys {
    pub work: UnitsOfWork,
    pub ring: Arc<KeyRing>,
    pub entropy: Entropy,
    pub key_updates: KeyUpdates,
    pub gate: PasskeyGate,
}

/// A question to the passkeys of an account.
#[derive(Debug)]
pub struct StartedReauthentication {
    pub token: SecretText,
    pub request_json: String,
    pub expires_at: Timestamp,
}

/// What a passkey has to answer.
#[derive(Debug)]
pub(super) struct SessionCeremony {
    pub(super) id: CeremonyId,
    pub(super) expires_at: Timestamp,
    pub(super) ceremony: CeremonyState,
}

/// What the token says.
#[derive(Debug, Serialize, Deserialize)]
struct Content {
    ceremony: String,
    session: Uuid,
}

impl SessionPasskeys {
    /// Stores nothing. The token works in this session only.
    ///
    /// # Errors
    /// PASSKEYS_UNAVAILABLE; FACTOR_NOT_FOUND for an account without a passkey.
    #[tracing::instrument(level = "debug", name = "session.start_passkey_reauthentication", skip_all)]
    pub async fn start(&self, caller: &SignedIn) -> Result<StartedReauthentication, Failure> {
        let (tenant, account, now) = (caller.tenant(), caller.account().id, self.work.now());
        self.gate.passkeys()?;
        let factors = factor::all(&self.work.read(), tenant, account).await?;
        let asked = self.gate.ask(&self.gate.enabled(account, &factors).await?)?;
        let StartedCeremony { options_json, ceremony } = asked.ok_or(Reason::FactorNotFound)?;
        let PasskeyCeremony { id, expires_at } =
            PasskeyCeremony::start(CeremonyId::new(now, self.entropy.bytes()), now);
        let content = Content { ceremony: ceremony.0, session: caller.session().id.as_uuid() };
        let content = serde_json::to_vec(&content).map_err(|error| Failure::Broken(error.to_string()))?;
        let purpose = CeremonyPurpose::PasskeyReauthentication;
        let token = self.ring.seal_ceremony(tenant, purpose, (id, expires_at), content)?;
        Ok(StartedReauthentication { token, request_json: options_json, expires_at })
    }

    /// What the passkey of a caller has to answer; `None` for a code.
    ///
    /// # Errors
    /// CHALLENGE_INVALID when the token is not of this session, or has expired.
    pub(super) async fn open(
        &self,
        caller: &SignedIn,
        factor: &PresentedFactor,
        token: Option<&SecretText>,
    ) -> Result<Option<SessionCeremony>, Failure> {
        if factor.method() != FactorMethod::Passkey {
            return Ok(None);
        }
        let (token, now) = (token.ok_or(Reason::ChallengeInvalid)?, self.work.now());
        let open = || self.ring.open_ceremony(token, CeremonyPurpose::PasskeyReauthentication, now);
        let opened = self.key_updates.open(open).await.map_err(|_| Reason::ChallengeInvalid)?;
        let content: Content = serde_json::from_slice(&opened.content).map_err(|_| Reason::ChallengeInvalid)?;
        let is_of_session = SessionId::from_uuid(content.session) == caller.session().id;
        if opened.tenant != caller.tenant() || !is_of_session {
            return Err(Reason::ChallengeInvalid.into());
        }
        let ceremony = CeremonyState(content.ceremony);
        Ok(Some(SessionCeremony { id: opened.id, expires_at: opened.expires_at, ceremony }))
    }
}
