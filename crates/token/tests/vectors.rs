//! `vectors/access.json`: fixed tokens that any implementation can be tested with. Needs no feature.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod support;

use countersign_token::{AccessReader, ContentKey, DecryptionKey, RecipientKey, Rejected, VerifyingKey};
use serde_json::{Value, json};
use support::{
    AUDIENCE, CONTENT, EPHEMERAL, INNER_HEADER, ISSUER, NOW, OUTER_HEADER, RECIPIENTS, SEEDS, agreed_header,
    agreed_key, agreed_with_inner, b64, claims, good, good_agreed, id, jwe, jws, jws_of, payload, public, public_point,
    unb64, with_agreed_header, with_inner, with_inner_header, with_outer_header, with_payload,
};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/vectors/access.json");

fn stored() -> Value {
    serde_json::from_str(include_str!("../vectors/access.json")).unwrap()
}

/// One entry of the list of tokens that must be refused.
fn refused(name: &str, token: String, now: i64, reason: Rejected) -> Value {
    json!({ "name": name, "token": token, "now": now, "reason": format!("{reason:?}") })
}

fn change(segment: usize, to: &str) -> String {
    let mut token = good();
    token[segment] = to.to_owned();
    token.join(".")
}

fn refusals() -> Vec<Value> {
    let (outer, inner) = (OUTER_HEADER, INNER_HEADER);
    let signed = jws(inner, &payload(), SEEDS[0].1);
    let exp = claims().expires_at;
    let short_tag = &good()[4][..16];
    let duplicate = payload().replacen('{', r#"{"sub":"somebody else","#, 1);
    let zip = outer.replace('}', r#","zip":"DEF"}"#);
    let crit = outer.replace('}', r#","crit":["x"],"x":1}"#);
    let none = inner.replace("EdDSA", "none");
    let hs256 = inner.replace("EdDSA", "HS256");
    let other_type = inner.replace("at+jwt", "JWT");
    let forged = jws(inner, &payload(), SEEDS[1].1);
    let early = payload().replacen('{', &format!(r#"{{"nbf":{},"#, NOW + 6), 1);
    let long = payload().replace(&exp.to_string(), &(claims().issued_at + 3601).to_string());
    let no_text = with_inner(&jws_of(inner, &[b"{\"new\":\"\xff\",", &payload().as_bytes()[1..]].concat(), SEEDS[0].1));
    vec![
        refused("at exactly exp", good().join("."), exp, Rejected::Expired),
        refused("too far before iat", good().join("."), claims().issued_at - 6, Rejected::NotYetValid),
        refused("nbf in the future", with_payload(&early), NOW, Rejected::NotYetValid),
        refused("a life of more than an hour", with_payload(&long), NOW, Rejected::LivesTooLong),
        refused("bytes that are no text in an unknown claim", no_text, NOW, Rejected::BadClaims),
        refused("another issuer", with_payload(&payload().replace(ISSUER, "x")), NOW, Rejected::WrongIssuer),
        refused("another audience", with_payload(&payload().replace("default", "x")), NOW, Rejected::WrongAudience),
        refused("a repeated claim", with_payload(&duplicate), NOW, Rejected::BadClaims),
        refused("an array of claims", with_payload("[]"), NOW, Rejected::BadClaims),
        refused("another enc", with_outer_header(&outer.replace("A256", "A128")), NOW, Rejected::UnknownKey),
        refused("zip", with_outer_header(&zip), NOW, Rejected::UnknownKey),
        refused("crit", with_outer_header(&crit), NOW, Rejected::UnknownKey),
        refused("an unheld content key", with_outer_header(&outer.replace("-1", "-9")), NOW, Rejected::UnknownKey),
        refused("encrypted under another key", jwe(outer, &signed, [0; 32]).join("."), NOW, Rejected::Forged),
        refused("alg none inside", with_inner_header(&none), NOW, Rejected::WrongType),
        refused("alg HS256 inside", with_inner_header(&hs256), NOW, Rejected::WrongType),
        refused("another typ inside", with_inner_header(&other_type), NOW, Rejected::WrongType),
        refused("an unheld signing key", with_inner_header(&inner.replace("-1", "-9")), NOW, Rejected::UnknownKey),
        refused("signed by another key", with_inner(&forged), NOW, Rejected::Forged),
        refused("not signed", with_inner(&signed[..=signed.rfind('.').unwrap()]), NOW, Rejected::Malformed),
        refused("not encrypted", signed, NOW, Rejected::Malformed),
        refused("a JWE around a bare object", with_inner("{}"), NOW, Rejected::WrongType),
        refused("a JWE around claims with two dots", with_inner(&payload()), NOW, Rejected::WrongType),
        refused("a tag of 12 bytes", change(4, short_tag), NOW, Rejected::Malformed),
        refused("a nonce of 16 bytes", change(2, &b64([7; 16])), NOW, Rejected::Malformed),
        refused("an encrypted key", change(1, &b64([0; 40])), NOW, Rejected::Malformed),
        refused("padding", format!("{}==", good().join(".")), NOW, Rejected::Malformed),
        refused("six segments", format!("{}.", good().join(".")), NOW, Rejected::Malformed),
    ]
}

/// Tokens to the public key of an audience that must be refused.
fn agreed_refusals() -> Vec<Value> {
    let (kid, x) = (RECIPIENTS[0].0, b64(public_point(EPHEMERAL)));
    let pinned = agreed_header(kid, &x);
    let with = |from: &str, to: &str| with_agreed_header(&pinned.replacen(from, to, 1));
    let mut other_spelling = public_point(EPHEMERAL);
    other_spelling[31] |= 0x80;
    let mut respelled = good_agreed();
    respelled[0] = b64(agreed_header(kid, &b64(other_spelling)));
    let mut zero = good_agreed();
    zero[0] = b64(agreed_header(kid, &b64([0; 32])));
    let mut key_segment = good_agreed();
    key_segment[1] = b64([0; 40]);
    let stranger = jws(INNER_HEADER, &payload(), support::STRANGE_SEED);
    let direct = jwe(&OUTER_HEADER.replace("enc-1", kid), &payload(), RECIPIENTS[0].1).join(".");
    let shared = with_agreed_header(&agreed_header("enc-1", &x));
    vec![
        refused("agreed: at exactly exp", good_agreed().join("."), claims().expires_at, Rejected::Expired),
        refused("agreed: signed by a stranger", agreed_with_inner(&stranger), NOW, Rejected::Forged),
        refused("agreed: not signed", agreed_with_inner("{}"), NOW, Rejected::WrongType),
        refused("agreed: apu and apv", with(r#""}}"#, r#""},"apu":"QQ","apv":"Qg"}"#), NOW, Rejected::UnknownKey),
        refused("agreed: zip", with(r#""}}"#, r#""},"zip":"DEF"}"#), NOW, Rejected::UnknownKey),
        refused("agreed: another alg", with("ECDH-ES", "ECDH-ES+A256KW"), NOW, Rejected::UnknownKey),
        refused("agreed: another enc", with("A256", "A128"), NOW, Rejected::UnknownKey),
        refused("agreed: another curve", with("X25519", "X448"), NOW, Rejected::UnknownKey),
        refused("agreed: a key nobody holds", with(kid, "agr-9"), NOW, Rejected::UnknownKey),
        refused("agreed: a key of 31 bytes", with(&x, &b64([7; 31])), NOW, Rejected::UnknownKey),
        refused("agreed: the point in another spelling", respelled.join("."), NOW, Rejected::Forged),
        refused("agreed: a point of small order", zero.join("."), NOW, Rejected::Forged),
        refused("agreed: an encrypted key", key_segment.join("."), NOW, Rejected::Malformed),
        refused("agreed: dir under the key of an audience", direct, NOW, Rejected::UnknownKey),
        refused("agreed: agreement under a shared key", shared, NOW, Rejected::UnknownKey),
    ]
}

/// The expected file. Everything in it is derived from the fixed keys, nonce and claims.
fn vectors() -> Value {
    let (sig, enc) = (SEEDS[1], CONTENT[1]);
    let signed = jws(&INNER_HEADER.replace("sig-1", sig.0), &payload(), sig.1);
    let second = jwe(&OUTER_HEADER.replace("enc-1", enc.0), &signed, enc.1).join(".");
    let (recipient, private) = RECIPIENTS[1];
    let header = agreed_header(recipient, &b64(public_point(EPHEMERAL)));
    let agreed = jwe(&header, &signed, agreed_key(EPHEMERAL, public_point(private))).join(".");
    let extended = with_payload(&payload().replacen('{', r#"{"later":{"a":[null]},"#, 1));
    let soon = payload().replacen('{', &format!(r#"{{"nbf":{},"#, NOW + 5), 1);
    let refused: Vec<Value> = refusals().into_iter().chain(agreed_refusals()).collect();
    let said: Value = serde_json::from_str(&payload()).unwrap();
    let accepted = |name: &str, token: String| json!({ "name": name, "token": token, "now": NOW, "claims": said });
    json!({
        "about": "Access tokens of Countersign under published test keys. A reader takes every one of `accepted` and none of `refused`; the reasons are this crate's own.",
        "issuer": ISSUER,
        "audience": AUDIENCE,
        "verifying": SEEDS.map(|(kid, seed)| json!({ "kty": "OKP", "crv": "Ed25519", "kid": kid, "x": b64(public(seed)), "d": b64(seed) })),
        "content": CONTENT.map(|(kid, key)| json!({ "kty": "oct", "kid": kid, "k": b64(key) })),
        "recipients": RECIPIENTS.map(|(kid, key)| json!({ "kty": "OKP", "crv": "X25519", "kid": kid, "x": b64(public_point(key)), "d": b64(key) })),
        "accepted": [
            accepted("the first keys", good().join(".")),
            accepted("the second keys", second),
            accepted("a claim this version does not know", extended),
            accepted("nbf within the leeway", with_payload(&soon)),
            accepted("agreed: the first keys", good_agreed().join(".")),
            accepted("agreed: the second keys", agreed),
        ],
        "refused": refused,
    })
}

/// A reader made from the file alone.
fn reader_of(file: &Value) -> AccessReader {
    let bytes = |key: &Value, member: &str| -> [u8; 32] { unb64(key[member].as_str().unwrap()).try_into().unwrap() };
    let kid = |key: &Value| id(key["kid"].as_str().unwrap());
    let keys = |member: &str| file[member].as_array().unwrap().clone();
    let verifying = keys("verifying").iter().map(|key| VerifyingKey::new(kid(key), bytes(key, "x")).unwrap()).collect();
    let content = keys("content");
    let shared = content.iter().map(|key| DecryptionKey::from(ContentKey::new(kid(key), bytes(key, "k"))));
    let recipients = keys("recipients");
    let private = recipients.iter().map(|key| RecipientKey::new(kid(key), bytes(key, "d")).unwrap().into());
    let decryption = shared.chain(private).collect();
    let text = |member: &str| file[member].as_str().unwrap().to_owned();
    AccessReader::new(&text("issuer"), &text("audience"), verifying, decryption).unwrap()
}

#[test]
fn every_accepted_vector_says_what_it_should() {
    let file = stored();
    for vector in file["accepted"].as_array().unwrap() {
        let read = reader_of(&file).read(vector["token"].as_str().unwrap(), vector["now"].as_i64().unwrap()).unwrap();
        let said = json!({
            "iss": read.issuer, "aud": read.audience, "sub": read.subject, "iat": read.issued_at,
            "exp": read.expires_at, "jti": read.token_id, "sid": read.session_id, "tid": read.tenant_id,
            "roles": read.roles, "amr": read.methods, "acr": read.level, "auth_time": read.authenticated_at,
        });
        assert_eq!(said, vector["claims"], "{}", vector["name"]);
    }
}

#[test]
fn every_refused_vector_is_refused_for_its_reason() {
    let file = stored();
    for vector in file["refused"].as_array().unwrap() {
        let read = reader_of(&file).read(vector["token"].as_str().unwrap(), vector["now"].as_i64().unwrap());
        assert_eq!(format!("{:?}", read.unwrap_err()), vector["reason"].as_str().unwrap(), "{}", vector["name"]);
    }
}

/// `COUNTERSIGN_TEST_WRITE_DOCUMENTS=1` writes them again, after a change of the profile; then review the difference.
#[test]
fn the_vectors_are_the_ones_that_follow_from_their_keys() {
    if std::env::var_os("COUNTERSIGN_TEST_WRITE_DOCUMENTS").is_some() {
        std::fs::write(FILE, serde_json::to_string_pretty(&vectors()).unwrap() + "\n").unwrap();
    }
    assert_eq!(stored(), vectors());
}
