//! Tokens encrypted to the public key of an audience, with josekit as the oracle.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod support;

use countersign_token::{
    AccessIssuer, AccessReader, ContentKey, DecryptionKey, EncryptionKey, EphemeralDeriver, KeysUsed, RecipientKey,
    RecipientPublicKey, Rejected, SigningKey, VerifyingKey, named_key,
};
use josekit::jwe::JweHeader;
use josekit::jwe::alg::ecdh_es::EcdhEsJweAlgorithm;
use josekit::jwk::Jwk;
use support::{AUDIENCE, INNER_HEADER, ISSUER, NOW, RECIPIENTS, SEEDS, b64, claims, id, jws, payload, public, reader};

const SECRET: [u8; 32] = [31; 32];

fn recipient() -> RecipientKey {
    RecipientKey::new(id(RECIPIENTS[0].0), RECIPIENTS[0].1).unwrap()
}

fn deriver() -> EphemeralDeriver {
    EphemeralDeriver::new(recipient().public_key(), SECRET)
}

fn issued() -> String {
    let signing = SigningKey::from_seed(id(SEEDS[0].0), SEEDS[0].1);
    AccessIssuer::new(ISSUER, signing, deriver().into(), AUDIENCE).unwrap().issue(&claims()).unwrap()
}

fn reader_with(keys: Vec<DecryptionKey>) -> AccessReader {
    let verifying = VerifyingKey::new(id(SEEDS[0].0), public(SEEDS[0].1)).unwrap();
    AccessReader::new(ISSUER, AUDIENCE, vec![verifying], keys).unwrap()
}

fn jwk(private: bool) -> Jwk {
    let mut jwk = Jwk::new("OKP");
    jwk.set_curve("X25519");
    jwk.set_parameter("x", Some(b64(recipient().public_key().bytes()).into())).unwrap();
    if private {
        jwk.set_parameter("d", Some(b64(RECIPIENTS[0].1).into())).unwrap();
    }
    jwk
}

fn header(epk: &str) -> String {
    format!(
        r#"{{"alg":"ECDH-ES","enc":"A256GCM","cty":"JWT","kid":"agr-1","epk":{{"kty":"OKP","crv":"X25519","x":"{epk}"}}}}"#
    )
}

#[test]
fn what_is_issued_is_read_by_the_audience_and_by_the_service() {
    let token = issued();
    assert_eq!(reader().read(&token, NOW), Ok(claims()));
    assert_eq!(reader_with(vec![recipient().into()]).read(&token, NOW), Ok(claims()));
    assert_eq!(reader_with(vec![deriver().into()]).read(&token, NOW), Ok(claims()));
    assert_eq!(reader_with(vec![EncryptionKey::from(deriver()).into()]).read(&token, NOW), Ok(claims()));
    assert_ne!(token, issued(), "nonces are fresh");
}

#[test]
fn a_reader_tells_which_keys_held() {
    let keys = KeysUsed { encryption: &id("agr-1"), signing: &id("sig-1") };
    assert_eq!(reader().read_with_keys(&issued(), NOW), Ok((claims(), keys)));
    let keys = KeysUsed { encryption: &id("enc-1"), signing: &id("sig-1") };
    assert_eq!(reader().read_with_keys(&support::good().join("."), NOW), Ok((claims(), keys)));
}

#[test]
fn a_token_names_its_key_before_anybody_holds_it() {
    assert_eq!(named_key(&issued()).unwrap().as_str(), "agr-1");
    assert_eq!(named_key(&support::good().join(".")).unwrap(), id("enc-1"));
    assert_eq!(named_key(&jws(INNER_HEADER, &payload(), SEEDS[0].1)), None);
}

#[test]
fn josekit_opens_what_is_issued() {
    let decrypter = EcdhEsJweAlgorithm::EcdhEs.decrypter_from_jwk(&jwk(true)).unwrap();
    let token = issued();
    let (inner, opened) = josekit::jwe::deserialize_compact(&token, &decrypter).unwrap();
    assert!(str::from_utf8(&inner).unwrap().starts_with(&format!("{}.", b64(INNER_HEADER))));
    let epk = opened.claim("epk").unwrap()["x"].as_str().unwrap().to_owned();
    assert!(token.starts_with(&format!("{}..", b64(header(&epk)))), "the header is the pinned one");
}

/// A token by josekit, which generates the ephemeral key itself, with the members of the header in the order of
/// `first`.
fn encrypted_by_josekit(first: &str) -> String {
    let encrypter = EcdhEsJweAlgorithm::EcdhEs.encrypter_from_jwk(&jwk(false)).unwrap();
    let inner = jws(INNER_HEADER, &payload(), SEEDS[0].1);
    let header = JweHeader::from_bytes(first.as_bytes()).unwrap();
    josekit::jwe::serialize_compact(inner.as_bytes(), &header, &encrypter).unwrap()
}

#[test]
fn what_josekit_encrypts_opens_under_the_pinned_header_and_under_no_other() {
    let pinned = encrypted_by_josekit(r#"{"alg":"ECDH-ES","enc":"A256GCM","cty":"JWT","kid":"agr-1"}"#);
    assert_eq!(reader().read(&pinned, NOW), Ok(claims()));
    // Only the audience can read it, because the service did not make it.
    assert_eq!(reader_with(vec![deriver().into()]).read(&pinned, NOW), Err(Rejected::Forged));

    let reordered = encrypted_by_josekit(r#"{"enc":"A256GCM","cty":"JWT","kid":"agr-1"}"#);
    let with_parties =
        encrypted_by_josekit(r#"{"alg":"ECDH-ES","enc":"A256GCM","cty":"JWT","kid":"agr-1","apu":"QQ","apv":"Qg"}"#);
    for token in [reordered, with_parties] {
        assert_eq!(reader().read(&token, NOW), Err(Rejected::UnknownKey));
        assert_eq!(named_key(&token), None);
    }
}

#[test]
fn neither_another_audience_nor_another_secret_opens_a_token() {
    let other = RecipientKey::new(id("agr-1"), [99; 32]).unwrap();
    assert_eq!(reader_with(vec![other.into()]).read(&issued(), NOW), Err(Rejected::Forged));
    let other = EphemeralDeriver::new(recipient().public_key(), [99; 32]);
    assert_eq!(reader_with(vec![other.into()]).read(&issued(), NOW), Err(Rejected::Forged));
    let other = EphemeralDeriver::new(RecipientPublicKey::new(id("agr-1"), public([5; 32])).unwrap(), SECRET);
    assert_eq!(reader_with(vec![other.into()]).read(&issued(), NOW), Err(Rejected::Forged));
}

#[test]
fn the_key_decides_how_a_token_is_encrypted_and_never_the_token() {
    let shared = reader_with(vec![ContentKey::new(id("agr-1"), [1; 32]).into()]);
    assert_eq!(shared.read(&issued(), NOW), Err(Rejected::UnknownKey));
    // The same id with `dir`, for readers that hold no shared key of this id.
    let direct = support::jwe(&support::OUTER_HEADER.replace("enc-1", "agr-1"), "", RECIPIENTS[0].1).join(".");
    assert_eq!(named_key(&direct).unwrap(), id("agr-1"));
    for key in [DecryptionKey::from(recipient()), deriver().into()] {
        assert_eq!(reader_with(vec![key]).read(&direct, NOW), Err(Rejected::UnknownKey));
    }
}
