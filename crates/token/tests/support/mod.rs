//! Fixed keys, and functions that forge tokens, so that each can be wrong in exactly one place.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
#![allow(dead_code, reason = "each test binary uses a part of this")]

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::agreement::{PrivateKey, UnparsedPublicKey, X25519, agree};
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign_token::{AccessClaims, AccessReader, ContentKey, DecryptionKey, KeyId, RecipientKey, VerifyingKey};
use ed25519_dalek::Signer as _;

pub(crate) const ISSUER: &str = "https://id.example.test";
pub(crate) const AUDIENCE: &str = "default";
pub(crate) const NOW: i64 = 1_800_000_000;

/// Two signing seeds and two content keys. Test keys, as public as this file.
pub(crate) const SEEDS: [(&str, [u8; 32]); 2] = [("sig-1", [1; 32]), ("sig-2", [2; 32])];
pub(crate) const CONTENT: [(&str, [u8; 32]); 2] = [("enc-1", [11; 32]), ("enc-2", [12; 32])];
/// The private keys of two audiences, held by the same reader.
pub(crate) const RECIPIENTS: [(&str, [u8; 32]); 2] = [("agr-1", [21; 32]), ("agr-2", [22; 32])];
/// The ephemeral private key of every forged token to an audience.
pub(crate) const EPHEMERAL: [u8; 32] = [41; 32];
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
    let content = CONTENT.map(|(kid, key)| DecryptionKey::from(ContentKey::new(id(kid), key)));
    let agreed = RECIPIENTS.map(|(kid, key)| RecipientKey::new(id(kid), key).unwrap().into());
    AccessReader::new(ISSUER, AUDIENCE, verifying.into(), content.into_iter().chain(agreed).collect()).unwrap()
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
    jws_of(header, payload.as_bytes(), seed)
}

/// The same for bytes that need not be text.
pub(crate) fn jws_of(header: &str, payload: &[u8], seed: [u8; 32]) -> String {
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

/// A token that is valid except for its payload.
pub(crate) fn with_payload(payload: &str) -> String {
    with_inner(&jws(INNER_HEADER, payload, SEEDS[0].1))
}

/// A valid JWE around `inner`.
pub(crate) fn with_inner(inner: &str) -> String {
    jwe(OUTER_HEADER, inner, CONTENT[0].1).join(".")
}

/// A token that is valid except for its inner header.
pub(crate) fn with_inner_header(header: &str) -> String {
    with_inner(&jws(header, &payload(), SEEDS[0].1))
}

/// A token that is valid except for its outer header, which is authenticated all the same.
pub(crate) fn with_outer_header(header: &str) -> String {
    jwe(header, &jws(INNER_HEADER, &payload(), SEEDS[0].1), CONTENT[0].1).join(".")
}

/// The segments of a valid token, to be changed.
pub(crate) fn good() -> [String; 5] {
    jwe(OUTER_HEADER, &jws(INNER_HEADER, &payload(), SEEDS[0].1), CONTENT[0].1)
}

/// The X25519 public key of `private`.
pub(crate) fn public_point(private: [u8; 32]) -> [u8; 32] {
    let key = PrivateKey::from_private_key(&X25519, &private).unwrap();
    key.compute_public_key().unwrap().as_ref().try_into().unwrap()
}

/// The outer header of a token to the audience `kid`.
pub(crate) fn agreed_header(kid: &str, x: &str) -> String {
    format!(
        r#"{{"alg":"ECDH-ES","enc":"A256GCM","cty":"JWT","kid":"{kid}","epk":{{"kty":"OKP","crv":"X25519","x":"{x}"}}}}"#
    )
}

/// The content key for the holder of `private` and the owner of `public` (RFC 7518 section 4.6.2), in a second
/// implementation.
pub(crate) fn agreed_key(private: [u8; 32], public: [u8; 32]) -> [u8; 32] {
    let private = PrivateKey::from_private_key(&X25519, &private).unwrap();
    let secret = agree(&private, UnparsedPublicKey::new(&X25519, public), (), |secret| Ok(secret.to_vec())).unwrap();
    let number = |number: u32| number.to_be_bytes();
    let text = [&number(1), secret.as_slice(), &number(7), b"A256GCM", &number(0), &number(0), &number(256)].concat();
    digest(&SHA256, &text).as_ref().try_into().unwrap()
}

/// The segments of a valid token to the first audience, to be changed.
pub(crate) fn good_agreed() -> [String; 5] {
    let (kid, private) = RECIPIENTS[0];
    let header = agreed_header(kid, &b64(public_point(EPHEMERAL)));
    jwe(&header, &jws(INNER_HEADER, &payload(), SEEDS[0].1), agreed_key(EPHEMERAL, public_point(private)))
}

/// A token to the first audience that is valid except for its outer header, which is authenticated all the same.
pub(crate) fn with_agreed_header(header: &str) -> String {
    let key = agreed_key(EPHEMERAL, public_point(RECIPIENTS[0].1));
    jwe(header, &jws(INNER_HEADER, &payload(), SEEDS[0].1), key).join(".")
}

/// A valid JWE to the first audience around `inner`.
pub(crate) fn agreed_with_inner(inner: &str) -> String {
    let (kid, private) = RECIPIENTS[0];
    let header = agreed_header(kid, &b64(public_point(EPHEMERAL)));
    jwe(&header, inner, agreed_key(EPHEMERAL, public_point(private))).join(".")
}
