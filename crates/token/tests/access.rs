//! Issuer and reader together, with josekit and jsonwebtoken as oracles.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod support;

use countersign_token::{
    AccessClaims, AccessIssuer, ContentKey, IssueFault, LONGEST_LIFE_SECONDS, Rejected, SigningKey, jwk_set,
};
use josekit::jwe::alg::direct::DirectJweAlgorithm;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use proptest::prelude::*;
use support::{
    AUDIENCE, CONTENT, INNER_HEADER, ISSUER, NOW, OUTER_HEADER, SEEDS, b64, claims, good, id, payload, public, reader,
    unb64, with_payload,
};

fn issuer() -> AccessIssuer {
    let signing = SigningKey::from_seed(id(SEEDS[0].0), SEEDS[0].1);
    AccessIssuer::new(ISSUER, signing, ContentKey::new(id(CONTENT[0].0), CONTENT[0].1).into(), AUDIENCE).unwrap()
}

/// Decrypts the outer layer with josekit.
fn decrypted_by_josekit(token: &str) -> (String, String) {
    let decrypter = DirectJweAlgorithm::Dir.decrypter_from_bytes(CONTENT[0].1).unwrap();
    let (plain, header) = josekit::jwe::deserialize_compact(token, &decrypter).unwrap();
    (String::from_utf8(plain).unwrap(), header.to_string())
}

/// Verifies the inner layer with jsonwebtoken.
fn verified_by_jsonwebtoken(inner: &str) -> jsonwebtoken::errors::Result<serde_json::Value> {
    let mut rules = Validation::new(Algorithm::EdDSA);
    rules.validate_exp = false;
    rules.set_audience(&[AUDIENCE]);
    rules.set_issuer(&[ISSUER]);
    rules.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    let key = DecodingKey::from_ed_der(&public(SEEDS[0].1));
    jsonwebtoken::decode(inner, &key, &rules).map(|data| data.claims)
}

#[test]
fn what_is_issued_is_read() {
    let token = issuer().issue(&claims()).unwrap();
    assert_eq!(reader().read(&token, NOW), Ok(claims()));
    assert_ne!(token, issuer().issue(&claims()).unwrap(), "nonces are fresh");
}

#[test]
fn what_is_issued_carries_the_pinned_headers() {
    let token = issuer().issue(&claims()).unwrap();
    assert!(token.starts_with(&format!("{}..", b64(OUTER_HEADER))));
    let (inner, _) = decrypted_by_josekit(&token);
    assert!(inner.starts_with(&format!("{}.", b64(INNER_HEADER))));
    assert_eq!(inner.split('.').nth(1), Some(b64(payload()).as_str()), "claims keep their order");
}

#[test]
fn josekit_and_jsonwebtoken_read_what_is_issued() {
    let (inner, header) = decrypted_by_josekit(&issuer().issue(&claims()).unwrap());
    assert_eq!(header, OUTER_HEADER);
    let read = verified_by_jsonwebtoken(&inner).unwrap();
    assert_eq!(read, serde_json::from_str::<serde_json::Value>(&payload()).unwrap());
}

#[test]
fn jsonwebtoken_reads_the_published_key_set() {
    let key = SigningKey::from_seed(id("sig-1"), SEEDS[0].1).verifying_key();
    let set: jsonwebtoken::jwk::JwkSet = serde_json::from_str(&jwk_set([&key])).unwrap();
    let found = DecodingKey::from_jwk(set.find("sig-1").unwrap()).unwrap();
    let (inner, _) = decrypted_by_josekit(&issuer().issue(&claims()).unwrap());
    let mut rules = Validation::new(Algorithm::EdDSA);
    rules.validate_exp = false;
    rules.set_audience(&[AUDIENCE]);
    assert!(jsonwebtoken::decode::<serde_json::Value>(&inner, &found, &rules).is_ok());
}

#[test]
fn the_published_public_key_is_the_one_the_seed_makes() {
    // RFC 8037 appendix A.1 and A.2.
    let seed: [u8; 32] = unb64("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A").try_into().unwrap();
    let key = SigningKey::from_seed(id("k"), seed).verifying_key();
    assert_eq!(b64(key.bytes()), "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
}

#[test]
fn an_issuer_refuses_claims_that_no_reader_would_take() {
    let changes: [fn(&mut AccessClaims); 8] = [
        |claims| claims.issuer.push('x'),
        |claims| claims.audience.push('x'),
        |claims| claims.subject.clear(),
        |claims| claims.level = "\n".to_owned(),
        |claims| claims.expires_at = claims.issued_at,
        |claims| claims.authenticated_at = -1,
        |claims| claims.roles = vec!["r".to_owned(); 33],
        |claims| claims.methods = vec!["m".repeat(33)],
    ];
    for change in changes {
        let mut claims = claims();
        change(&mut claims);
        assert_eq!(issuer().issue(&claims), Err(IssueFault::BadClaims));
    }
}

#[test]
fn an_issuer_is_not_made_for_a_name_that_no_token_may_carry() {
    let long = "i".repeat(257);
    for (issuer, audience) in [("", AUDIENCE), (ISSUER, ""), (&long, AUDIENCE), (ISSUER, &long[..65]), ("\n", AUDIENCE)]
    {
        let signing = SigningKey::from_seed(id("s"), [1; 32]);
        let made = AccessIssuer::new(issuer, signing, ContentKey::new(id("c"), [2; 32]).into(), audience);
        assert_eq!(made.unwrap_err(), IssueFault::BadClaims);
    }
}

#[test]
fn the_largest_claims_still_fit() {
    let mut claims = claims();
    let name = || "n".repeat(64);
    claims.roles = vec![name(); 32];
    claims.methods = vec!["m".repeat(32); 8];
    (claims.subject, claims.token_id, claims.session_id) = (name(), name(), name());
    (claims.tenant_id, claims.level) = (name(), name());
    let token = issuer().issue(&claims).unwrap();
    assert_eq!(reader().read(&token, NOW), Ok(claims));
}

#[test]
fn a_token_too_long_for_readers_is_not_issued() {
    let mut claims = claims();
    // A quotation mark takes two bytes in JSON.
    claims.roles = vec!["\"".repeat(64); 32];
    claims.methods = vec!["\"".repeat(32); 8];
    assert_eq!(issuer().issue(&claims), Err(IssueFault::TooLong));
}

#[test]
fn every_change_of_one_byte_every_cut_and_every_addition_is_refused() {
    let (reader, token) = (reader(), issuer().issue(&claims()).unwrap());
    assert!(token.is_ascii());
    for at in 0..token.len() {
        assert!(reader.read(&token[..at], NOW).is_err(), "cut at {at}");
        assert!(reader.read(&token[at + 1..], NOW).is_err(), "cut before {at}");
        for replacement in ['A', 'B', '_', '.', '=', ' ', '\0', 'é'] {
            let changed = format!("{}{replacement}{}", &token[..at], &token[at + 1..]);
            assert!(changed == token || reader.read(&changed, NOW).is_err(), "{replacement:?} at {at}");
            let longer = format!("{}{replacement}{}", &token[..at], &token[at..]);
            assert!(reader.read(&longer, NOW).is_err(), "{replacement:?} put in at {at}");
        }
        let flipped = char::from(token.as_bytes()[at] ^ 1);
        assert!(reader.read(&format!("{}{flipped}{}", &token[..at], &token[at + 1..]), NOW).is_err(), "flip at {at}");
    }
    for addition in ["A", ".", "=", " ", "\n", "AAAA", ".AAAA"] {
        assert!(reader.read(&format!("{token}{addition}"), NOW).is_err());
        assert!(reader.read(&format!("{addition}{token}"), NOW).is_err());
    }
}

#[test]
fn debug_of_an_issuer_shows_no_key() {
    let shown = format!("{:?} {:?}", issuer(), SigningKey::from_seed(id("k"), [77; 32]));
    for secret in ["11, 11", "77, 77", "1, 1,", &b64(CONTENT[0].1)] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

fn any_name(max: usize) -> impl Strategy<Value = String> {
    // Also quotation marks, backslashes and characters beyond ASCII.
    prop::collection::vec(prop::char::range(' ', '\u{24f}'), 1..=max / 2)
        .prop_map(|chars| chars.into_iter().filter(|c| !c.is_control()).collect::<String>())
        .prop_filter("not empty", |text| !text.is_empty())
}

fn any_claims() -> impl Strategy<Value = AccessClaims> {
    let names = prop::array::uniform5(any_name(64));
    let lists = (prop::collection::vec(any_name(64), 0..4), prop::collection::vec(any_name(32), 0..4));
    let times = (0..=1_i64 << 52, 1..=LONGEST_LIFE_SECONDS, 0..=1_i64 << 53);
    (names, lists, times).prop_map(|(names, (roles, methods), (issued_at, lifetime, authenticated_at))| {
        let [subject, token_id, session_id, tenant_id, level] = names;
        let (issuer, audience) = (ISSUER.to_owned(), AUDIENCE.to_owned());
        let expires_at = issued_at + lifetime;
        AccessClaims {
            issuer,
            audience,
            subject,
            issued_at,
            expires_at,
            token_id,
            session_id,
            tenant_id,
            roles,
            methods,
            level,
            authenticated_at,
        }
    })
}

proptest! {
    #[test]
    fn all_claims_within_bounds_come_back_as_they_were(claims in any_claims()) {
        let token = issuer().issue(&claims).unwrap();
        prop_assert_eq!(reader().read(&token, claims.issued_at), Ok(claims.clone()));
        prop_assert_eq!(reader().read(&token, claims.expires_at), Err(Rejected::Expired));
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in any::<String>(), now in any::<i64>()) {
        prop_assert!(reader().read(&text, now).is_err());
    }

    #[test]
    fn no_segments_make_the_reader_panic(
        parts in prop::array::uniform4(prop::collection::vec(any::<u8>(), 0..40)),
        now in any::<i64>(),
    ) {
        let header = good()[0].clone();
        let token = format!("{header}.{}.{}.{}.{}", b64(&parts[0]), b64(&parts[1]), b64(&parts[2]), b64(&parts[3]));
        prop_assert!(reader().read(&token, now).is_err());
    }

    #[test]
    fn no_signed_payload_makes_the_reader_panic(payload in any::<String>(), now in any::<i64>()) {
        prop_assert!(reader().read(&with_payload(&payload), now).is_err());
    }
}

#[test]
fn everything_that_holds_keys_can_be_shared_by_threads() {
    fn shared<T: Send + Sync + 'static>() {}
    shared::<AccessIssuer>();
    shared::<countersign_token::AccessReader>();
    shared::<countersign_token::RefreshSealer>();
    shared::<countersign_token::ActionSealer>();
    shared::<countersign_token::KeyEncryptionKey>();
}
