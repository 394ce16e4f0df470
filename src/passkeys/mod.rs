//! Passkeys (WebAuthn Level 3): questions to authenticators, and whether their answers are right. By webauthn-rs.
//!
//! Every passkey is discoverable, and its authenticator verifies its user: so a passkey alone is two factors. What has
//! to be remembered between question and answer is a [`Ceremony`], which the caller stores or seals.

mod fault;
mod response;

pub use fault::{PasskeyFault, PasskeyRejected};
pub use response::{AuthenticationResponse, MAX_RESPONSE_BYTES, RegistrationResponse};

use countersign_domain::{factor::PasskeyFacts, login::CHALLENGE_LIFE};
use serde::{Serialize, de::DeserializeOwned};
use std::sync::Arc;
use url::Url;
use uuid::Uuid;
use webauthn_rs::prelude::{
    AttestationFormat, AttestationMetadata, Credential, DiscoverableAuthentication, DiscoverableKey, ParsedAttestation,
    ParsedAttestationData, Passkey, PasskeyRegistration, Webauthn, WebauthnBuilder,
};
use webauthn_rs_proto::{
    AllowCredentials, AuthenticatorTransport, PublicKeyCredentialDescriptor, ResidentKeyRequirement,
};

/// The relying party: asks authenticators, and verifies their answers.
#[derive(Clone, Debug)]
pub struct Passkeys {
    webauthn: Arc<Webauthn>,
}

/// The names of the relying party.
#[derive(Clone, Copy, Debug)]
pub struct RelyingParty<'a> {
    /// The domain to which passkeys are bound (RP ID).
    pub id: &'a str,
    /// What authenticators show.
    pub name: &'a str,
    /// An origin in that domain.
    pub origin: &'a Url,
    /// The other origins whose pages and apps may ask for passkeys.
    pub other_origins: &'a [Url],
}

/// The account of a passkey, as its authenticator stores it.
#[derive(Clone, Copy, Debug)]
pub struct PasskeyOwner<'a> {
    /// Random, so that an authenticator does not tell who it is.
    pub user_handle: Uuid,
    pub name: &'a str,
    pub display_name: &'a str,
}

/// A question to an authenticator, and what has to be remembered until the answer.
#[derive(Clone, Debug)]
pub struct StartedCeremony {
    /// The options for the browser, in the JSON form of WebAuthn.
    pub options_json: String,
    pub ceremony: CeremonyState,
}

/// What has to be remembered between question and answer. It contains the challenge, which is good for one answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CeremonyState(pub String);

/// The public key of a passkey and what belongs to it, as it is stored.
#[derive(Clone, Debug)]
pub struct StoredPasskey(Credential);

/// A passkey that was registered.
#[derive(Clone, Debug)]
pub struct NewPasskey {
    pub credential: StoredPasskey,
    /// SHA-256 of the id of the credential.
    pub credential_digest: [u8; 32],
    pub facts: PasskeyFacts,
}

impl Passkeys {
    /// # Errors
    /// When the origin is not in the domain.
    pub fn new(party: RelyingParty<'_>) -> Result<Self, String> {
        let builder = WebauthnBuilder::new(party.id, party.origin).map_err(|error| error.to_string())?;
        let builder = builder.rp_name(party.name).timeout(CHALLENGE_LIFE);
        let builder = party.other_origins.iter().fold(builder, WebauthnBuilder::append_allowed_origin);
        let webauthn = Arc::new(builder.build().map_err(|error| error.to_string())?);
        Ok(Self { webauthn })
    }

    /// Begins to register a passkey. `known` are those of the account: their authenticators make no second one.
    ///
    /// # Errors
    /// When the library fails.
    pub fn start_registration(
        &self,
        owner: PasskeyOwner<'_>,
        known: &[StoredPasskey],
    ) -> Result<StartedCeremony, PasskeyFault> {
        let PasskeyOwner { user_handle, name, display_name } = owner;
        // The known ones go into the options alone: a unique index finds a repeated one later.
        let started = self.webauthn.start_passkey_registration(user_handle, name, display_name, None);
        let (mut asked, ceremony) = started.map_err(PasskeyFault::of)?;
        let options = &mut asked.public_key;
        if let Some(selection) = &mut options.authenticator_selection {
            (selection.resident_key, selection.require_resident_key) = (Some(ResidentKeyRequirement::Required), true);
        }
        options.exclude_credentials = Some(known.iter().map(StoredPasskey::excluded).collect());
        Ok(StartedCeremony { options_json: to_json(options)?, ceremony: CeremonyState(to_json(&ceremony)?) })
    }

    /// The passkey that an authenticator made, or why its answer is not right.
    ///
    /// # Errors
    /// When the ceremony was not written by this module.
    pub fn finish_registration(
        &self,
        ceremony: &CeremonyState,
        answer: &RegistrationResponse,
    ) -> Result<Result<NewPasskey, PasskeyRejected>, PasskeyFault> {
        let state: PasskeyRegistration = from_json(&ceremony.0)?;
        let passkey = match self.webauthn.finish_passkey_registration(answer.response(), &state) {
            Ok(passkey) => passkey,
            Err(error) => return Ok(Err(PasskeyRejected::of(&error))),
        };
        let Some(aaguid) = answer.aaguid() else { return Ok(Err(PasskeyRejected::Wrong)) };
        let mut credential = Credential::from(passkey);
        credential.transports = answer.transports();
        // Nobody looks at it again, and certificates are long.
        credential.attestation =
            ParsedAttestation { data: ParsedAttestationData::None, metadata: AttestationMetadata::None };
        credential.attestation_format = AttestationFormat::None;
        let facts = PasskeyFacts {
            is_backup_eligible: credential.backup_eligible,
            aaguid,
            sign_count: credential.counter,
            needs_password: false,
        };
        let credential_digest = response::digest(&credential.cred_id);
        Ok(Ok(NewPasskey { credential: StoredPasskey(credential), credential_digest, facts }))
    }

    /// Asks for any passkey of the domain.
    ///
    /// # Errors
    /// When the library fails.
    pub fn start_login(&self) -> Result<StartedCeremony, PasskeyFault> {
        self.ask(Vec::new())
    }

    /// Asks for one of these passkeys. `None` without any: no list would allow every passkey.
    ///
    /// # Errors
    /// When the library fails.
    pub fn start_authentication(&self, allowed: &[StoredPasskey]) -> Result<Option<StartedCeremony>, PasskeyFault> {
        if allowed.is_empty() {
            return Ok(None);
        }
        self.ask(allowed.iter().map(StoredPasskey::allowed).collect()).map(Some)
    }

    fn ask(&self, allowed: Vec<AllowCredentials>) -> Result<StartedCeremony, PasskeyFault> {
        let (mut asked, ceremony) = self.webauthn.start_discoverable_authentication().map_err(PasskeyFault::of)?;
        let options = &mut asked.public_key;
        options.allow_credentials = allowed;
        options.extensions = None;
        Ok(StartedCeremony { options_json: to_json(options)?, ceremony: CeremonyState(to_json(&ceremony)?) })
    }

    /// Verifies the signature of a passkey. `sign_count` is the counter of its last use. Returns the new one, or why
    /// the answer is not right.
    ///
    /// # Errors
    /// When the ceremony was not written by this module.
    pub fn verify(
        &self,
        ceremony: &CeremonyState,
        presented: &AuthenticationResponse,
        (credential, sign_count): (StoredPasskey, u32),
    ) -> Result<Result<u32, PasskeyRejected>, PasskeyFault> {
        let state: DiscoverableAuthentication = from_json(&ceremony.0)?;
        let passkey = Passkey::from(Credential { counter: sign_count, ..credential.0 });
        let key = DiscoverableKey::from(passkey);
        let verified = self.webauthn.finish_discoverable_authentication_v2(presented.response(), state, &key);
        Ok(match verified {
            // The library looks at it in registrations alone.
            Ok(_) if presented.is_cross_origin() => Err(PasskeyRejected::OtherOrigin),
            Ok(verified) => Ok(verified.counter()),
            Err(error) => Err(PasskeyRejected::of(&error)),
        })
    }
}

impl StoredPasskey {
    /// # Errors
    /// When it cannot be written.
    pub fn to_bytes(&self) -> Result<Vec<u8>, PasskeyFault> {
        serde_json::to_vec(&self.0).map_err(PasskeyFault::of)
    }

    /// # Errors
    /// When it was not written by [`StoredPasskey::to_bytes`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, PasskeyFault> {
        serde_json::from_slice(bytes).map(Self).map_err(PasskeyFault::of)
    }

    fn allowed(&self) -> AllowCredentials {
        let (id, transports) = (self.0.cred_id.clone(), self.transports());
        AllowCredentials { type_: response::PUBLIC_KEY.to_owned(), id, transports }
    }

    fn excluded(&self) -> PublicKeyCredentialDescriptor {
        let (id, transports) = (self.0.cred_id.clone(), self.transports());
        PublicKeyCredentialDescriptor { type_: response::PUBLIC_KEY.to_owned(), id, transports }
    }

    fn transports(&self) -> Option<Vec<AuthenticatorTransport>> {
        self.0.transports.clone()
    }
}

impl CeremonyState {
    /// The same, sealed in a row.
    ///
    /// # Errors
    /// When it was not written by this module.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, PasskeyFault> {
        String::from_utf8(bytes.to_vec()).map(Self).map_err(PasskeyFault::of)
    }
}

fn to_json(value: &impl Serialize) -> Result<String, PasskeyFault> {
    serde_json::to_string(value).map_err(PasskeyFault::of)
}

fn from_json<T: DeserializeOwned>(text: &str) -> Result<T, PasskeyFault> {
    serde_json::from_str(text).map_err(PasskeyFault::of)
}
