//! Access tokens that are wrong in one place each. Needs no feature: a backend links the same code.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod support;

use countersign_token::{
    AccessReader, ContentKey, ISSUED_AT_LEEWAY_SECONDS, KeyFault, LONGEST_LIFE_SECONDS, MAX_ACCESS_TOKEN_BYTES,
    RecipientKey, Rejected, VerifyingKey,
};
use support::{
    AUDIENCE, CONTENT, INNER_HEADER, ISSUER, NOW, OUTER_HEADER, SEEDS, STRANGE_CONTENT, STRANGE_SEED, b64, claims,
    good, id, jwe, jws, payload, public, reader, unb64, with_inner, with_inner_header, with_outer_header, with_payload,
};

fn refused(token: &str) -> Rejected {
    reader().read(token, NOW).unwrap_err()
}

#[test]
fn the_forge_makes_good_tokens_when_asked_to() {
    assert_eq!(reader().read(&good().join("."), NOW), Ok(claims()));
}

#[test]
fn every_key_of_a_set_opens_its_own_tokens() {
    for (sig, seed) in SEEDS {
        for (enc, key) in CONTENT {
            let inner = jws(&INNER_HEADER.replace("sig-1", sig), &payload(), seed);
            let token = jwe(&OUTER_HEADER.replace("enc-1", enc), &inner, key).join(".");
            assert_eq!(reader().read(&token, NOW), Ok(claims()));
        }
    }
}

#[test]
fn a_key_set_with_a_repeated_id_is_refused() {
    let verifying = |seed| VerifyingKey::new(id("same"), public(seed)).unwrap();
    let twice = vec![verifying(SEEDS[0].1), verifying(SEEDS[1].1)];
    assert_eq!(AccessReader::new(ISSUER, AUDIENCE, twice, vec![]).unwrap_err(), KeyFault::DuplicateId);
    let content = || ContentKey::new(id("same"), [1; 32]).into();
    let agreed = || RecipientKey::new(id("same"), [1; 32]).unwrap().into();
    for twice in [vec![content(), content()], vec![agreed(), agreed()], vec![content(), agreed()]] {
        assert_eq!(AccessReader::new(ISSUER, AUDIENCE, vec![], twice).unwrap_err(), KeyFault::DuplicateId);
    }
}

#[test]
fn a_reader_without_keys_knows_no_token() {
    let empty = AccessReader::new(ISSUER, AUDIENCE, vec![], vec![]).unwrap();
    assert_eq!(empty.read(&good().join("."), NOW), Err(Rejected::UnknownKey));
}

#[test]
fn every_other_outer_header_is_refused_even_if_authentic() {
    for header in [
        r#"{"alg":"none","enc":"A256GCM","cty":"JWT","kid":"enc-1"}"#,
        r#"{"alg":"A256KW","enc":"A256GCM","cty":"JWT","kid":"enc-1"}"#,
        r#"{"alg":"dir","enc":"A128GCM","cty":"JWT","kid":"enc-1"}"#,
        r#"{"alg":"dir","enc":"A128CBC-HS256","cty":"JWT","kid":"enc-1"}"#,
        r#"{"alg":"dir","enc":"A256GCM","cty":"JWT","kid":"enc-1","zip":"DEF"}"#,
        r#"{"alg":"dir","enc":"A256GCM","cty":"JWT","kid":"enc-1","crit":["exp"],"exp":0}"#,
        r#"{"alg":"dir","enc":"A256GCM","cty":"JWT","kid":"enc-1","jwk":{}}"#,
        r#"{"alg":"dir","enc":"A256GCM","kid":"enc-1"}"#,
        r#"{"alg":"dir","enc":"A256GCM","cty":"JWT"}"#,
        r#"{"alg":"dir","enc":"A256GCM","cty":"JWT","kid":"enc-3"}"#,
        r#"{"alg":"dir","enc":"A256GCM","cty":"JWT","kid":"enc-1","kid":"enc-1"}"#,
        r#"{"enc":"A256GCM","alg":"dir","cty":"JWT","kid":"enc-1"}"#,
        r#"{"alg":"dir","enc":"A256GCM","cty":"JWT","kid":"enc-1"} "#,
        "{}",
        "",
    ] {
        assert_eq!(refused(&with_outer_header(header)), Rejected::UnknownKey, "{header}");
    }
}

#[test]
fn every_other_inner_header_is_refused_even_if_signed() {
    for header in [
        r#"{"typ":"at+jwt","alg":"none","kid":"sig-1"}"#,
        r#"{"typ":"at+jwt","alg":"HS256","kid":"sig-1"}"#,
        r#"{"typ":"at+jwt","alg":"Ed25519","kid":"sig-1"}"#,
        r#"{"typ":"JWT","alg":"EdDSA","kid":"sig-1"}"#,
        r#"{"alg":"EdDSA","kid":"sig-1"}"#,
        r#"{"typ":"at+jwt","alg":"EdDSA","kid":"sig-1","crit":["b64"],"b64":false}"#,
        r#"{"typ":"at+jwt","alg":"EdDSA","kid":"sig-1","jwk":{}}"#,
        "{}",
        "",
    ] {
        assert_eq!(refused(&with_inner_header(header)), Rejected::WrongType, "{header}");
    }
    let of_another_key = r#"{"typ":"at+jwt","alg":"EdDSA","kid":"sig-3"}"#;
    assert_eq!(refused(&with_inner_header(of_another_key)), Rejected::UnknownKey);
}

#[test]
fn an_inner_token_that_is_not_signed_by_the_named_key_is_forged() {
    let (_, seed) = SEEDS[1];
    assert_eq!(refused(&with_inner(&jws(INNER_HEADER, &payload(), seed))), Rejected::Forged);
    assert_eq!(refused(&with_inner(&jws(INNER_HEADER, &payload(), STRANGE_SEED))), Rejected::Forged);

    let signed = jws(INNER_HEADER, &payload(), SEEDS[0].1);
    let unsigned = &signed[..=signed.rfind('.').unwrap()];
    assert_eq!(refused(&with_inner(unsigned)), Rejected::Malformed);
    let zeros = format!("{unsigned}{}", b64([0; 64]));
    assert_eq!(refused(&with_inner(&zeros)), Rejected::Forged);
    let none = format!("{}.{}.", b64(r#"{"alg":"none"}"#), b64(payload()));
    assert_eq!(refused(&with_inner(&none)), Rejected::WrongType);
}

#[test]
fn a_signature_with_an_unreduced_scalar_is_forged() {
    // s + L verifies in libraries that do not check the range: a second signature for one message (RFC 8032, 5.1.7).
    const ORDER: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let signed = jws(INNER_HEADER, &payload(), SEEDS[0].1);
    let (message, signature) = signed.rsplit_once('.').unwrap();
    let mut signature = unb64(signature);
    let mut carry = 0;
    for (byte, add) in signature[32..].iter_mut().zip(ORDER) {
        let sum = u16::from(*byte) + u16::from(add) + carry;
        (*byte, carry) = (sum.to_le_bytes()[0], sum >> 8);
    }
    assert_eq!(carry, 0);
    assert_eq!(refused(&with_inner(&format!("{message}.{}", b64(signature)))), Rejected::Forged);
}

#[test]
fn a_jwe_around_anything_but_a_jws_is_of_the_wrong_type() {
    let nested_again = with_inner(&good().join("."));
    for inner in ["", "hello", "{}", r#"{"sub":"s"}"#, "a.b", "a.b.c.d"] {
        assert_eq!(refused(&with_inner(inner)), Rejected::WrongType, "{inner}");
    }
    assert_eq!(refused(&nested_again), Rejected::WrongType);
    // The two dots of the issuer make three segments of the claims.
    assert_eq!(payload().split('.').count(), 3);
    assert_eq!(refused(&with_inner(&payload())), Rejected::WrongType);
}

#[test]
fn a_bare_jws_is_no_access_token() {
    assert_eq!(refused(&jws(INNER_HEADER, &payload(), SEEDS[0].1)), Rejected::Malformed);
}

#[test]
fn a_jwe_under_another_key_is_forged() {
    let inner = jws(INNER_HEADER, &payload(), SEEDS[0].1);
    for key in [STRANGE_CONTENT, CONTENT[1].1] {
        assert_eq!(refused(&jwe(OUTER_HEADER, &inner, key).join(".")), Rejected::Forged);
    }
}

#[test]
fn nonces_and_tags_have_one_length() {
    for (segment, lengths) in [(2, [0, 11, 13, 16, 64]), (4, [0, 4, 12, 15, 17])] {
        for length in lengths {
            let mut token = good();
            let mut bytes = unb64(&token[segment]);
            bytes.resize(length, 7);
            token[segment] = b64(bytes);
            assert_eq!(refused(&token.join(".")), Rejected::Malformed, "segment {segment}, {length} bytes");
        }
    }
}

#[test]
fn an_encrypted_key_has_no_place_in_direct_encryption() {
    let mut token = good();
    token[1] = b64([0; 40]);
    assert_eq!(refused(&token.join(".")), Rejected::Malformed);
    token[1] = "A".to_owned();
    assert_eq!(refused(&token.join(".")), Rejected::Malformed);
}

#[test]
fn base64_has_one_spelling() {
    // The last character of a 16-byte tag carries four bits that must be zero.
    let token = good();
    let (rest, last) = token[4].split_at(21);
    let next = char::from(last.as_bytes()[0] + 1);
    for tag in [format!("{rest}{next}"), format!("{}==", token[4]), format!("{}=", token[4])] {
        let mut token = token.clone();
        token[4] = tag;
        assert_eq!(refused(&token.join(".")), Rejected::Malformed);
    }
    let mut token = token;
    token[3].insert(4, '\n');
    assert_eq!(refused(&token.join(".")), Rejected::Malformed);
}

#[test]
fn a_signature_or_payload_in_another_spelling_is_malformed() {
    let signed = jws(INNER_HEADER, &payload(), SEEDS[0].1);
    assert_eq!(refused(&with_inner(&format!("{signed}=="))), Rejected::Malformed);
    let mut other = signed.into_bytes();
    *other.last_mut().unwrap() += 1;
    assert_eq!(refused(&with_inner(str::from_utf8(&other).unwrap())), Rejected::Malformed);
}

#[test]
fn a_token_is_good_until_exactly_its_expiry() {
    let token = good().join(".");
    let exp = claims().expires_at;
    assert!(reader().read(&token, exp - 1).is_ok());
    for after in [exp, exp + 1, i64::MAX] {
        assert_eq!(reader().read(&token, after), Err(Rejected::Expired));
    }
}

#[test]
fn a_token_from_the_future_is_refused_beyond_the_leeway() {
    let token = good().join(".");
    let iat = claims().issued_at;
    assert!(reader().read(&token, iat - ISSUED_AT_LEEWAY_SECONDS).is_ok());
    for before in [iat - ISSUED_AT_LEEWAY_SECONDS - 1, 0, i64::MIN] {
        assert_eq!(reader().read(&token, before), Err(Rejected::NotYetValid));
    }
}

#[test]
fn a_token_is_not_good_before_the_time_it_names() {
    let nbf = NOW + 100;
    let token = with_payload(&payload().replacen('{', &format!(r#"{{"nbf":{nbf},"#), 1));
    assert_eq!(reader().read(&token, nbf - ISSUED_AT_LEEWAY_SECONDS), Ok(claims()));
    for before in [nbf - ISSUED_AT_LEEWAY_SECONDS - 1, NOW] {
        assert_eq!(reader().read(&token, before), Err(Rejected::NotYetValid));
    }
}

#[test]
fn whoever_has_the_signing_key_makes_no_token_that_lives_for_ever() {
    let (iat, exp) = (claims().issued_at, claims().expires_at);
    let living = |seconds: i64| with_payload(&payload().replace(&exp.to_string(), &(iat + seconds).to_string()));
    assert!(reader().read(&living(LONGEST_LIFE_SECONDS), NOW).is_ok());
    for seconds in [LONGEST_LIFE_SECONDS + 1, 100 * 365 * 24 * 60 * 60] {
        assert_eq!(refused(&living(seconds)), Rejected::LivesTooLong, "{seconds}");
    }
    let strict = reader().with_longest_life(600);
    assert!(strict.read(&living(600), NOW).is_ok());
    assert_eq!(strict.read(&living(601), NOW), Err(Rejected::LivesTooLong));
}

#[test]
fn issuer_and_audience_must_be_the_readers_own() {
    let other_issuer = payload().replace(ISSUER, "https://id.example.test/");
    assert_eq!(refused(&with_payload(&other_issuer)), Rejected::WrongIssuer);
    let other_audience = payload().replace(r#""aud":"default""#, r#""aud":"Default""#);
    assert_eq!(refused(&with_payload(&other_audience)), Rejected::WrongAudience);
}

#[test]
fn claims_outside_the_profile_are_refused_even_if_signed() {
    let array = r#"["https://id.example.test","default","s",1,2,"j","d","t",[],[],"1",1]"#;
    let repeated = payload().replacen('{', r#"{"sub":"somebody else","#, 1);
    let list = payload().replace(r#""aud":"default""#, r#""aud":["default"]"#);
    for payload in [array, &repeated, &list, "{}", "", "null", "\"text\""] {
        assert_eq!(refused(&with_payload(payload)), Rejected::BadClaims, "{payload}");
    }
}

#[test]
fn too_long_is_said_before_anything_else() {
    assert_eq!(refused(&"v4.".repeat(MAX_ACCESS_TOKEN_BYTES)), Rejected::TooLong);
    assert_eq!(refused(&".".repeat(MAX_ACCESS_TOKEN_BYTES + 1)), Rejected::TooLong);
    assert_eq!(refused(&".".repeat(MAX_ACCESS_TOKEN_BYTES)), Rejected::Malformed);
}

#[test]
fn debug_shows_no_key() {
    let shown = format!("{:?}", reader());
    assert!(!shown.contains("11, 11") && !shown.contains(&b64(CONTENT[0].1)), "{shown}");
}
