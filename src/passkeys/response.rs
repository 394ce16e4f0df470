use aws_lc_rs::digest;
use serde::Deserialize;
use serde_cbor_2::Value;
use std::fmt;
use uuid::Uuid;
use webauthn_rs::prelude::{PublicKeyCredential, RegisterPublicKeyCredential};
use webauthn_rs_proto::AuthenticatorTransport;

/// The longest answer of an authenticator that is read, in bytes. The longest credential id has 1023, an RSA key 512,
/// and an attestation some certificates.
pub const MAX_RESPONSE_BYTES: usize = 16 * 1024;
/// The most ways to reach an authenticator that are stored.
const MAX_TRANSPORTS: usize = 6;
/// The only type of credentials.
pub(super) const PUBLIC_KEY: &str = "public-key";

/// What a passkey signed. Nothing of it is verified yet.
#[derive(Clone)]
pub struct AuthenticationResponse(Box<PublicKeyCredential>);

/// What an authenticator answered to a registration. Nothing of it is verified yet.
#[derive(Clone)]
pub struct RegistrationResponse(Box<RegisterPublicKeyCredential>);

/// What the browser says of the page that asked.
#[derive(Deserialize)]
struct ClientData {
    #[serde(rename = "crossOrigin", default)]
    cross_origin: bool,
    #[serde(rename = "topOrigin")]
    top_origin: Option<String>,
}

impl AuthenticationResponse {
    /// Reads an `AuthenticationResponseJSON`. `None` for any other text.
    pub fn parse(json: &str) -> Option<Self> {
        let credential: PublicKeyCredential = read(json)?;
        (credential.type_ == PUBLIC_KEY).then(|| Self(Box::new(credential)))
    }

    /// SHA-256 of the id of the credential.
    pub fn credential_digest(&self) -> [u8; 32] {
        digest(&self.0.raw_id)
    }

    /// The account that the authenticator names. `Ok(None)` when it names none: it may, when the credentials of one
    /// account were allowed.
    ///
    /// # Errors
    /// When it is none of this service.
    pub fn user_handle(&self) -> Result<Option<Uuid>, uuid::Error> {
        self.0.response.user_handle.as_deref().filter(|handle| !handle.is_empty()).map(Uuid::from_slice).transpose()
    }

    /// Whether the page that asked was in a frame of another site (WebAuthn Level 3 section 5.8.1).
    pub(super) fn is_cross_origin(&self) -> bool {
        let client: Result<ClientData, _> = serde_json::from_slice(&self.0.response.client_data_json);
        client.is_ok_and(|client| client.cross_origin || client.top_origin.is_some())
    }

    pub(super) fn response(&self) -> &PublicKeyCredential {
        &self.0
    }
}

impl RegistrationResponse {
    /// Reads a `RegistrationResponseJSON`. `None` for any other text.
    pub fn parse(json: &str) -> Option<Self> {
        let credential: RegisterPublicKeyCredential = read(json)?;
        (credential.type_ == PUBLIC_KEY).then(|| Self(Box::new(credential)))
    }

    pub(super) fn response(&self) -> &RegisterPublicKeyCredential {
        &self.0
    }

    /// How the authenticator can be reached, as the browser says.
    pub(super) fn transports(&self) -> Option<Vec<AuthenticatorTransport>> {
        let said = self.0.response.transports.as_ref()?.iter();
        let known = said.filter(|transport| **transport != AuthenticatorTransport::Unknown).take(MAX_TRANSPORTS);
        Some(known.cloned().collect())
    }

    /// The model of the authenticator: bytes 37 to 52 of its data (WebAuthn Level 3 section 6.5.1).
    pub(super) fn aaguid(&self) -> Option<[u8; 16]> {
        let Ok(Value::Map(attestation)) = serde_cbor_2::from_slice(&self.0.response.attestation_object) else {
            return None;
        };
        let Some(Value::Bytes(data)) = attestation.get(&Value::Text("authData".to_owned())) else { return None };
        data.get(37..53)?.try_into().ok()
    }
}

pub(super) fn digest(credential_id: &[u8]) -> [u8; 32] {
    let mut digest = [0; 32];
    digest.copy_from_slice(digest::digest(&digest::SHA256, credential_id).as_ref());
    digest
}

fn read<T: serde::de::DeserializeOwned>(json: &str) -> Option<T> {
    if json.len() > MAX_RESPONSE_BYTES {
        return None;
    }
    serde_json::from_str(json).ok()
}

impl fmt::Debug for AuthenticationResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AuthenticationResponse")
    }
}

impl fmt::Debug for RegistrationResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RegistrationResponse")
    }
}
