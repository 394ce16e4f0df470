use super::HeldKey;
use aws_lc_rs::digest;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use countersign_domain::{key::KeyState, secret::SecretBytes};
use countersign_token::{VerifyingKey, jwk_set};

/// The keys with which a backend of one audience verifies and decrypts access tokens.
#[derive(Clone, Debug)]
pub struct KeySetView {
    pub signing: Vec<SigningKeyView>,
    pub content: Vec<ContentKeyView>,
}

/// A public key that verifies access tokens.
#[derive(Clone, Debug)]
pub struct SigningKeyView {
    pub id: String,
    /// Encoded as in RFC 8032.
    pub public: [u8; 32],
    pub state: KeyState,
}

/// A key that access tokens of one audience are encrypted with.
#[derive(Clone, Debug)]
pub struct ContentKeyView {
    pub id: String,
    pub state: KeyState,
    pub key: ContentKeyKind,
}

/// The key as a backend needs it.
#[derive(Clone, Debug)]
pub enum ContentKeyKind {
    /// `dir`: the key itself. For backends of the audience only.
    Shared(SecretBytes<32>),
    /// `ECDH-ES`: the public key that the audience registered; the backend has the private one.
    Registered([u8; 32]),
}

impl ContentKeyView {
    pub(super) fn of(held: &HeldKey) -> Self {
        let key = match held.material.recipient {
            Some(public) => ContentKeyKind::Registered(public),
            None => ContentKeyKind::Shared(held.material.secret.clone()),
        };
        Self { id: held.material.id.clone(), state: held.state, key }
    }
}

/// The public signing keys, which anybody may load.
#[derive(Debug)]
pub struct PublicKeySet {
    /// A JWK set (RFC 7517 section 5).
    pub json: String,
    /// Changes when, and only when, the set does; a strong entity tag (RFC 9110 section 8.8.3), quotes included.
    pub tag: String,
}

impl PublicKeySet {
    pub(super) fn of(keys: &[VerifyingKey]) -> Self {
        let json = jwk_set(keys);
        let mut tag = BASE64URL.encode(digest::digest(&digest::SHA256, json.as_bytes()));
        tag.truncate(22);
        Self { json, tag: format!("\"{tag}\"") }
    }
}
