use super::library::Library;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use countersign_token::{
    AccessClaims, AccessReader, ContentKey, KeyId, RecipientKey,
    Rejected::{self, *},
    SigningKey,
};
use serde_json::{Value, json};

const ISSUER: &str = "https://id.example.test";
const NOW: i64 = 1_800_000_000;

// Headers are compared as text: the order of their members is part of the profile.
const DIRECT: &str = r#"{"alg":"dir","enc":"A256GCM","cty":"JWT","kid":"enc-1"}"#;
/// The library adds the `epk`.
const AGREED: &str = r#"{"alg":"ECDH-ES","enc":"A256GCM","cty":"JWT","kid":"agr-1"}"#;
const SIGNED: &str = r#"{"typ":"at+jwt","alg":"EdDSA","kid":"sig-1"}"#;

const SEED: [u8; 32] = [1; 32];
const SECRET: [u8; 32] = [11; 32];
const PRIVATE: [u8; 32] = [21; 32];

fn id(text: &str) -> KeyId {
    KeyId::new(text).unwrap()
}

fn signing_key(seed: [u8; 32]) -> Value {
    let public = BASE64URL.encode(SigningKey::from_seed(id("any"), seed).verifying_key().bytes());
    json!({"kty": "OKP", "crv": "Ed25519", "x": public, "d": BASE64URL.encode(seed)})
}

fn shared_key(secret: [u8; 32]) -> Value {
    json!({"kty": "oct", "k": BASE64URL.encode(secret)})
}

/// Issuers of tokens for this key know the public half only.
fn agreed_key() -> Value {
    let public = RecipientKey::new(id("any"), PRIVATE).unwrap().public_key();
    json!({"kty": "OKP", "crv": "X25519", "x": BASE64URL.encode(public.bytes())})
}

fn reader() -> AccessReader {
    let verifying = SigningKey::from_seed(id("sig-1"), SEED).verifying_key();
    let decryption =
        vec![ContentKey::new(id("enc-1"), SECRET).into(), RecipientKey::new(id("agr-1"), PRIVATE).unwrap().into()];
    AccessReader::new(ISSUER, "default", vec![verifying], decryption).unwrap()
}

fn claims() -> Value {
    json!({
        "iss": ISSUER, "aud": "default", "sub": "ada", "jti": "token", "sid": "session", "tid": "tenant",
        "iat": NOW - 60, "exp": NOW + 540, "auth_time": NOW - 3600, "roles": ["editor", "päpstlich"],
        "amr": ["pwd", "otp"], "acr": "2",
    })
}

fn expected_claims() -> AccessClaims {
    AccessClaims {
        issuer: ISSUER.to_owned(),
        audience: "default".to_owned(),
        subject: "ada".to_owned(),
        issued_at: NOW - 60,
        expires_at: NOW + 540,
        token_id: "token".to_owned(),
        session_id: "session".to_owned(),
        tenant_id: "tenant".to_owned(),
        roles: vec!["editor".to_owned(), "päpstlich".to_owned()],
        methods: vec!["pwd".to_owned(), "otp".to_owned()],
        level: "2".to_owned(),
        authenticated_at: NOW - 3600,
    }
}

/// What a library makes from this recipe, unchanged: a token of the profile.
fn recipe() -> Value {
    json!({
        "outer": DIRECT, "inner": SIGNED, "claims": claims().to_string(),
        "signing": signing_key(SEED), "encryption": shared_key(SECRET), "ordered": true,
    })
}

/// The recipe with one thing changed.
fn but(member: &str, value: impl Into<Value>) -> Value {
    let mut changed = recipe();
    assert_ne!(changed[member].take(), Value::Null, "{member}");
    changed[member] = value.into();
    changed
}

/// The recipe with one claim changed.
fn claiming(name: &str, value: Value) -> Value {
    let mut changed = claims();
    changed[name] = value;
    but("claims", changed.to_string())
}

/// Claims of an issuer, encrypted without a signature.
fn unsigned(issuer: &str) -> Value {
    let mut changed = claiming("iss", issuer.into());
    changed["inner"] = Value::Null;
    changed
}

/// The recipe for an agreed key.
fn agreed(ordered: bool) -> Value {
    let mut changed = but("outer", AGREED);
    (changed["encryption"], changed["ordered"]) = (agreed_key(), ordered.into());
    changed
}

/// The recipe with a piece of one of its headers changed.
fn spelled(member: &str, from: &str, to: &str) -> Value {
    let header = recipe()[member].as_str().unwrap().replacen(from, to, 1);
    assert_ne!(recipe()[member], header);
    but(member, header)
}

/// Lets a library make tokens, and reads each.
fn read(library: Library, recipes: &[Value]) -> Option<Vec<Result<AccessClaims, Rejected>>> {
    let tokens = library.ask(&json!({ "recipes": recipes }))?;
    Some(tokens.iter().map(|token| reader().read(token.as_str().unwrap(), NOW)).collect())
}

/// Anything in the outer header besides or instead of the pinned text names no key.
fn of_another_header_outside() -> Vec<(&'static str, Value)> {
    vec![
        ("encrypted another way", spelled("outer", "A256GCM", "A128CBC-HS256")),
        ("with a type outside", spelled("outer", r#"{"#, r#"{"typ":"JWT","#)),
        ("without the type of its content", spelled("outer", r#""cty":"JWT","#, "")),
        (
            "in another order outside",
            spelled("outer", r#""alg":"dir","enc":"A256GCM""#, r#""enc":"A256GCM","alg":"dir""#),
        ),
        ("under a key that nobody holds", spelled("outer", "enc-1", "enc-2")),
        ("under an agreed key that is called shared", spelled("outer", "enc-1", "agr-1")),
    ]
}

/// Anything else in the inner header makes a token that is no access token.
fn of_another_header_inside() -> Vec<(&'static str, Value)> {
    vec![
        ("of another type", spelled("inner", "at+jwt", "JWT")),
        ("of a type in capitals", spelled("inner", "at+jwt", "AT+JWT")),
        ("of no type", spelled("inner", r#""typ":"at+jwt","#, "")),
        ("signed by the name of RFC 9864", spelled("inner", "EdDSA", "Ed25519")),
        (
            "in another order inside",
            spelled("inner", r#""typ":"at+jwt","alg":"EdDSA""#, r#""alg":"EdDSA","typ":"at+jwt""#),
        ),
        ("unsigned", but("inner", r#"{"alg":"none"}"#)),
    ]
}

/// The pinned headers around other content.
fn of_another_content() -> Vec<(&'static str, Value, Rejected)> {
    vec![
        ("signed with another key", but("signing", signing_key([2; 32])), Forged),
        ("encrypted with another key", but("encryption", shared_key([12; 32])), Forged),
        ("encrypted and not signed", unsigned("countersign"), WrongType),
        // Its two dots make three segments of the claims, and the first segment is no header.
        ("encrypted and not signed, by a host", unsigned(ISSUER), WrongType),
        ("signed by nobody who is known", spelled("inner", "sig-1", "sig-2"), UnknownKey),
        ("of another issuer", claiming("iss", json!("https://id.example.org")), WrongIssuer),
        ("for another audience", claiming("aud", json!("orders")), WrongAudience),
        ("for several audiences", claiming("aud", json!(["default"])), BadClaims),
        ("without a session", claiming("sid", Value::Null), BadClaims),
        ("over", claiming("exp", json!(NOW)), Expired),
        ("of tomorrow", claiming("iat", json!(NOW + 6)), NotYetValid),
    ]
}

fn is_refused_off_profile(library: Library) {
    let mut cases = of_another_content();
    cases.extend(of_another_header_outside().into_iter().map(|(what, recipe)| (what, recipe, UnknownKey)));
    cases.extend(of_another_header_inside().into_iter().map(|(what, recipe)| (what, recipe, WrongType)));
    // jose compresses with an API of Node.js 20 and later.
    if library == Library::Joserfc {
        cases.push(("compressed", spelled("outer", r#""cty""#, r#""zip":"DEF","cty""#), UnknownKey));
    }
    let recipes: Vec<_> = cases.iter().map(|(_, recipe, _)| recipe.clone()).collect();
    let Some(found) = read(library, &recipes) else { return };
    for ((what, _, reason), found) in cases.into_iter().zip(found) {
        assert_eq!(found, Err(reason), "{library:?}: {what}");
    }
}

#[test]
fn a_token_that_jose_makes_under_a_shared_key_is_accepted() {
    let Some(found) = read(Library::Jose, &[recipe()]) else { return };
    assert_eq!(found, [Ok(expected_claims())]);
}

/// jose always writes the `epk` as `x`, `crv`, `kty`, so it makes no token of the profile for an agreed key. It reads
/// those of the service: `issued.rs`.
#[test]
fn a_token_that_jose_makes_for_an_agreed_key_has_another_header() {
    let Some(found) = read(Library::Jose, &[agreed(true)]) else { return };
    assert_eq!(found, [Err(UnknownKey)]);
}

#[test]
fn tokens_that_joserfc_makes_are_accepted_when_the_members_of_the_epk_are_in_order() {
    let Some(found) = read(Library::Joserfc, &[recipe(), agreed(true), agreed(false)]) else { return };
    assert_eq!(found, [Ok(expected_claims()), Ok(expected_claims()), Err(UnknownKey)]);
}

#[test]
fn what_jose_makes_off_the_profile_is_refused() {
    is_refused_off_profile(Library::Jose);
}

#[test]
fn what_joserfc_makes_off_the_profile_is_refused() {
    is_refused_off_profile(Library::Joserfc);
}
