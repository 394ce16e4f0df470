//! Fixed keys, and a forge: tokens made by hand, so that each can be wrong in exactly one place.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
#![allow(dead_code, reason = "each test binary uses a part of this")]

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign_token::{AccessClaims, AccessReader, ContentKey, KeyId, VerifyingKey};
use ed25519_dalek::Signer as _;

pub(crate) const ISSUER: &str = "https://id.example.test";
pub(crate) const AUDIENCE: &str = "default";
pub(crate) const NOW: i64 = 1_800_000_000;

/// Two signing seeds and two content keys. Test keys, as public as this file.
pub(crate) const SEEDS: [(&str, [u8; 32]); 2] = [("sig-1", [1; 32]), ("sig-2", [2; 32])];
pub(crate) const CONTENT: [(&str, [u8; 32]); 2] = [("enc-1", [11; 32]), ("enc-2", [12; 32])];
/// Keys that no reader holds.
pub(crate) const STRANGE_SEED: [u8; 32] = [9; 32];
pub(crate) const STRANGE_CONTENT: [u8; 32] = [19; 32];

pub(crate) const INNER_HEADER: &str = r#"{"typ":"at+jwt","alg":"EdDSA","kid":"sig-1"}"#;
pub(crate) const OUTER_HEADER: &str = r#"{"alg":"dir","enc":"A256GCM","cty":"JWT","kid":"enc-1"}"#;

pub(crate) fn id(text: &str) -> KeyId {
    KeyId::new(text).unwrap()
}

pub(crate) fn public(seed: [u8; 32]) -> [u8; 32] {
    ed25519_dalek::SigningKey::from_bytes(&seed).verifying_key().to_bytes()
}

pub(crate) fn reader() -> AccessReader {
    let verifying = SEEDS.map(|(kid, seed)| VerifyingKey::new(id(kid), public(seed)).unwrap());
    let content = CONTENT.map(|(kid, key)| ContentKey::new(id(kid), key));
    AccessReader::new(ISSUER, AUDIENCE, verifying.into(), content.into()).unwrap()
}

/// Claims that are valid at [`NOW`].
pub(crate) fn claims() -> AccessClaims {
    AccessClaims {
        issuer: ISSUER.to_owned(),
        audience: AUDIENCE.to_owned(),
        subject: "018f3c9e-0000-7000-8000-000000000001".to_owned(),
        issued_at: NOW - 60,
        expires_at: NOW + 540,
        token_id: "018f3c9e-0000-7000-8000-000000000002".to_owned(),
        session_id: "018f3c9e-0000-7000-8000-000000000003".to_owned(),
        tenant_id: "018f3c9e-0000-7000-8000-000000000004".to_owned(),
        roles: vec!["editor".to_owned(), "billing".to_owned()],
        methods: vec!["pwd".to_owned(), "otp".to_owned()],
        level: "2".to_owned(),
        authenticated_at: NOW - 3600,
    }
}

/// The claims of [`claims`] as JSON, by hand.
pub(crate) fn payload() -> String {
    let c = claims();
    format!(
        r#"{{"iss":"{}","aud":"{}","sub":"{}","iat":{},"exp":{},"jti":"{}","sid":"{}","tid":"{}","roles":["editor","billing"],"amr":["pwd","otp"],"acr":"2","auth_time":{}}}"#,
        c.issuer,
        c.audience,
        c.subject,
        c.issued_at,
        c.expires_at,
        c.token_id,
        c.session_id,
        c.tenant_id,
        c.authenticated_at
    )
}

pub(crate) fn b64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub(crate) fn unb64(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).unwrap()
}

/// A compact JWS.
pub(crate) fn jws(header: &str, payload: &str, seed: [u8; 32]) -> String {
    let message = format!("{}.{}", b64(header), b64(payload));
    let signature = ed25519_dalek::SigningKey::from_bytes(&seed).sign(message.as_bytes());
    format!("{message}.{}", b64(signature.to_bytes()))
}

/// The five segments of a compact JWE, with a fixed nonce: the same text every time.
pub(crate) fn jwe(header: &str, plaintext: &str, key: [u8; 32]) -> [String; 5] {
    let header = b64(header);
    let nonce = [7; 12];
    let cipher = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &key).unwrap());
    let mut text = plaintext.as_bytes().to_vec();
    let tag = cipher
        .seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), Aad::from(header.as_bytes()), &mut text)
        .unwrap();
    [header, String::new(), b64(nonce), b64(text), b64(tag)]
}

/// A token that is right in everything but its payload.
pub(crate) fn with_payload(payload: &str) -> String {
    with_inner(&jws(INNER_HEADER, payload, SEEDS[0].1))
}

/// A JWE, right in everything, around `inner`.
pub(crate) fn with_inner(inner: &str) -> String {
    jwe(OUTER_HEADER, inner, CONTENT[0].1).join(".")
}

/// A token that is right in everything but its inner header.
pub(crate) fn with_inner_header(header: &str) -> String {
    with_inner(&jws(header, &payload(), SEEDS[0].1))
}

/// A token that is right in everything but its outer header, which is authentic all the same.
pub(crate) fn with_outer_header(header: &str) -> String {
    jwe(header, &jws(INNER_HEADER, &payload(), SEEDS[0].1), CONTENT[0].1).join(".")
}

/// The segments of a good token, to be changed.
pub(crate) fn good() -> [String; 5] {
    jwe(OUTER_HEADER, &jws(INNER_HEADER, &payload(), SEEDS[0].1), CONTENT[0].1)
}
