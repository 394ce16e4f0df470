//! Valid tokens from the published vectors, and the keys to make others.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::agreement::{PrivateKey, UnparsedPublicKey, X25519, agree};
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign_token::{AccessReader, ContentKey, DecryptionKey, KeyId, RecipientKey, VerifyingKey};
use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::Value;

const EPHEMERAL: [u8; 32] = [41; 32];

pub(crate) struct Forge {
    pub(crate) reader: AccessReader,
    pub(crate) accepted: Vec<String>,
    pub(crate) now: i64,
    /// The signed text inside every valid token of the first signing key.
    pub(crate) inner: String,
    signing: SigningKey,
    inner_header: String,
    direct: (String, [u8; 32]),
    agreed: (String, [u8; 32]),
}

impl Forge {
    pub(crate) fn new() -> Self {
        let file: Value = serde_json::from_str(include_str!("../../crates/token/vectors/access.json")).expect("JSON");
        let keys = |member: &str| file[member].as_array().expect("keys").clone();
        let (signing, shared, recipients) = (keys("verifying"), keys("content"), keys("recipients"));
        let verifying = signing.iter().map(|key| VerifyingKey::new(id(key), bytes(key, "x")).expect("a key"));
        let direct = shared.iter().map(|key| DecryptionKey::from(ContentKey::new(id(key), bytes(key, "k"))));
        let agreed = recipients.iter().map(|key| RecipientKey::new(id(key), bytes(key, "d")).expect("a key").into());
        let text = |member: &str| file[member].as_str().expect("a text").to_owned();
        let accepted = file["accepted"].as_array().expect("tokens");
        let token = |vector: &Value| vector["token"].as_str().expect("a token").to_owned();
        let kid = |key: &Value| id(key).to_string();
        let point = encode(public_point(EPHEMERAL));
        let mut made = Self {
            reader: AccessReader::new(
                &text("issuer"),
                &text("audience"),
                verifying.collect(),
                direct.chain(agreed).collect(),
            )
            .expect("a reader"),
            accepted: accepted.iter().map(token).collect(),
            now: accepted[0]["now"].as_i64().expect("a time"),
            inner: String::new(),
            signing: SigningKey::from_bytes(&bytes(&signing[0], "d")),
            inner_header: encode(format!(r#"{{"typ":"at+jwt","alg":"EdDSA","kid":"{}"}}"#, kid(&signing[0]))),
            direct: (
                format!(r#"{{"alg":"dir","enc":"A256GCM","cty":"JWT","kid":"{}"}}"#, kid(&shared[0])),
                bytes(&shared[0], "k"),
            ),
            agreed: (
                format!(
                    r#"{{"alg":"ECDH-ES","enc":"A256GCM","cty":"JWT","kid":"{}","epk":{{"kty":"OKP","crv":"X25519","x":"{point}"}}}}"#,
                    kid(&recipients[0])
                ),
                agreed_key(EPHEMERAL, public_point(bytes(&recipients[0], "d"))),
            ),
        };
        made.inner = made.opened(&made.accepted[0].clone());
        made
    }

    /// A valid token to start with.
    pub(crate) fn good(&self, which: u8) -> &str {
        &self.accepted[usize::from(which) % self.accepted.len()]
    }

    /// A JWE around any bytes, valid otherwise.
    pub(crate) fn encrypted(&self, agreed: bool, plaintext: &[u8]) -> String {
        let (header, key) = if agreed { &self.agreed } else { &self.direct };
        let header = encode(header);
        let mut text = plaintext.to_vec();
        let nonce = Nonce::assume_unique_for_key([7; 12]);
        let tag = cipher(key).seal_in_place_separate_tag(nonce, Aad::from(header.as_bytes()), &mut text);
        let tag = tag.expect("a tag");
        format!("{header}..{}.{}.{}", encode([7; 12]), encode(text), encode(tag))
    }

    /// A JWS around any bytes, valid otherwise.
    pub(crate) fn signed(&self, payload: &[u8]) -> String {
        let message = format!("{}.{}", self.inner_header, encode(payload));
        let signature = self.signing.sign(message.as_bytes());
        format!("{message}.{}", encode(signature.to_bytes()))
    }

    fn opened(&self, token: &str) -> String {
        let segments: Vec<&str> = token.split('.').collect();
        let nonce = decode(segments[2]).try_into().expect("a nonce");
        let mut text = [decode(segments[3]), decode(segments[4])].concat();
        let aad = Aad::from(segments[0].as_bytes());
        let plain = cipher(&self.direct.1).open_in_place(Nonce::assume_unique_for_key(nonce), aad, &mut text);
        String::from_utf8(plain.expect("a plaintext").to_vec()).expect("text")
    }
}

fn cipher(key: &[u8; 32]) -> LessSafeKey {
    LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).expect("a key"))
}

fn id(key: &Value) -> KeyId {
    KeyId::new(key["kid"].as_str().expect("a kid")).expect("an id")
}

fn bytes(key: &Value, member: &str) -> [u8; 32] {
    decode(key[member].as_str().expect("a member")).try_into().expect("32 bytes")
}

pub(crate) fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn decode(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).expect("base64url")
}

fn public_point(private: [u8; 32]) -> [u8; 32] {
    let key = PrivateKey::from_private_key(&X25519, &private).expect("a key");
    key.compute_public_key().expect("a point").as_ref().try_into().expect("32 bytes")
}

/// RFC 7518 section 4.6.2.
fn agreed_key(private: [u8; 32], public: [u8; 32]) -> [u8; 32] {
    let private = PrivateKey::from_private_key(&X25519, &private).expect("a key");
    let secret = agree(&private, UnparsedPublicKey::new(&X25519, public), (), |secret| Ok(secret.to_vec()));
    let number = |number: u32| number.to_be_bytes();
    let secret = secret.expect("a secret");
    let text = [&number(1), secret.as_slice(), &number(7), b"A256GCM", &number(0), &number(0), &number(256)].concat();
    digest(&SHA256, &text).as_ref().try_into().expect("32 bytes")
}
