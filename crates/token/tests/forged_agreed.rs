//! Tokens to the public key of an audience that are wrong in one place each. Needs no feature.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod support;

use countersign_token::{Rejected, named_key};
use support::{
    EPHEMERAL, INNER_HEADER, NOW, RECIPIENTS, SEEDS, STRANGE_SEED, agreed_header, agreed_key, agreed_with_inner, b64,
    claims, good, good_agreed, jwe, jws, payload, public_point, reader, with_agreed_header,
};

fn refused(token: &str) -> Rejected {
    reader().read(token, NOW).unwrap_err()
}

fn epk() -> String {
    b64(public_point(EPHEMERAL))
}

#[test]
fn the_forge_makes_good_tokens_when_asked_to() {
    assert_eq!(reader().read(&good_agreed().join("."), NOW), Ok(claims()));
    assert_eq!(reader().read(&with_agreed_header(&agreed_header("agr-1", &epk())), NOW), Ok(claims()));
}

#[test]
fn every_other_outer_header_is_refused_even_if_authentic() {
    let pinned = agreed_header("agr-1", &epk());
    for (from, to) in [
        ("ECDH-ES", "ECDH-ES+A256KW"),
        ("ECDH-ES", "dir"),
        ("ECDH-ES", "none"),
        ("A256GCM", "A128GCM"),
        ("A256GCM", "A128CBC-HS256"),
        ("X25519", "X448"),
        ("X25519", "P-256"),
        ("OKP", "EC"),
        ("agr-1", "agr-3"),
        ("agr-1", "enc-1"),
        (r#""cty":"JWT","#, ""),
        (r#""kid":"agr-1","#, ""),
        (r#""}}"#, r#""},"apu":"QQ","apv":"Qg"}"#),
        (r#""}}"#, r#""},"zip":"DEF"}"#),
        (r#""}}"#, r#""},"crit":["exp"],"exp":0}"#),
        (r#""}}"#, r#"","y":"AA"}}"#),
        (r#""}}"#, r#"","d":"AA"}}"#),
        (r#""}}"#, r#""} }"#),
        (r#""kty":"OKP","crv":"X25519""#, r#""crv":"X25519","kty":"OKP""#),
    ] {
        let other = pinned.replacen(from, to, 1);
        assert_ne!(other, pinned);
        assert_eq!(refused(&with_agreed_header(&other)), Rejected::UnknownKey, "{other}");
    }
}

#[test]
fn an_ephemeral_key_in_another_spelling_is_refused() {
    let x = epk();
    let last = char::from(x.as_bytes()[42] + 1);
    for x in ["", &x[1..], &format!("{x}A"), &format!("{x}="), &format!("{}{last}", &x[..42]), &format!("\\u0041{x}")] {
        let token = with_agreed_header(&agreed_header("agr-1", x));
        assert_eq!(refused(&token), Rejected::UnknownKey, "{x}");
        assert_eq!(named_key(&token), None);
    }
}

#[test]
fn an_ephemeral_key_of_small_order_is_forged() {
    // With such a point the shared secret is zero for everybody, so an attacker knows the content key.
    let zero_secret = {
        let number = |number: u32| number.to_be_bytes();
        let text = [&number(1), [0; 32].as_slice(), &number(7), b"A256GCM", &number(0), &number(0), &number(256)];
        aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &text.concat()).as_ref().try_into().unwrap()
    };
    let one = {
        let mut bytes = [0; 32];
        bytes[0] = 1;
        bytes
    };
    for point in [[0; 32], one] {
        let header = agreed_header("agr-1", &b64(point));
        let token = jwe(&header, &jws(INNER_HEADER, &payload(), SEEDS[0].1), zero_secret).join(".");
        assert_eq!(refused(&token), Rejected::Forged);
    }
}

#[test]
fn another_spelling_of_the_same_point_is_another_token() {
    // RFC 7748 section 5 masks the top bit, so the content key is the same; the header, which is authenticated, is not.
    let mut point = public_point(EPHEMERAL);
    point[31] |= 0x80;
    let mut token = good_agreed();
    token[0] = b64(agreed_header("agr-1", &b64(point)));
    assert_eq!(refused(&token.join(".")), Rejected::Forged);
}

#[test]
fn a_token_to_one_audience_is_forged_under_the_name_of_another() {
    let key = agreed_key(EPHEMERAL, public_point(RECIPIENTS[0].1));
    let header = agreed_header("agr-2", &epk());
    let token = jwe(&header, &jws(INNER_HEADER, &payload(), SEEDS[0].1), key).join(".");
    assert_eq!(refused(&token), Rejected::Forged);
}

#[test]
fn whoever_can_encrypt_still_cannot_sign() {
    // Anybody can encrypt to the audience: its key is public.
    assert_eq!(refused(&agreed_with_inner(&jws(INNER_HEADER, &payload(), STRANGE_SEED))), Rejected::Forged);
    let unsigned = format!("{}.{}.", b64(r#"{"alg":"none"}"#), b64(payload()));
    assert_eq!(refused(&agreed_with_inner(&unsigned)), Rejected::WrongType);
    for inner in ["", "{}", &good_agreed().join("."), &good().join(".")] {
        assert_eq!(refused(&agreed_with_inner(inner)), Rejected::WrongType, "{inner}");
    }
}

#[test]
fn an_encrypted_key_has_no_place_in_direct_agreement() {
    for segment in ["A", &b64([0; 40]), &b64([0; 32])] {
        let mut token = good_agreed();
        token[1] = segment.to_owned();
        assert_eq!(refused(&token.join(".")), Rejected::Malformed);
    }
}

#[test]
fn nonces_and_tags_have_one_length() {
    for (segment, lengths) in [(2, [0, 11, 13, 16]), (4, [0, 12, 15, 17])] {
        for length in lengths {
            let mut token = good_agreed();
            token[segment] = b64(vec![7; length]);
            assert_eq!(refused(&token.join(".")), Rejected::Malformed, "segment {segment}, {length} bytes");
        }
    }
}

#[test]
fn a_part_of_another_token_fits_nowhere() {
    let (direct, agreed) = (good(), good_agreed());
    for segment in [0, 3, 4] {
        let mut mixed = agreed.clone();
        mixed[segment].clone_from(&direct[segment]);
        assert_eq!(refused(&mixed.join(".")), Rejected::Forged, "segment {segment}");
        let mut mixed = direct.clone();
        mixed[segment].clone_from(&agreed[segment]);
        assert_eq!(refused(&mixed.join(".")), Rejected::Forged, "segment {segment}");
    }
}
