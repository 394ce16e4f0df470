//! Valid tokens of both kinds, damaged in many ways. Needs no feature.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod support;

use countersign_token::{KeyId, MAX_ACCESS_TOKEN_BYTES, Rejected, named_key};
use proptest::prelude::*;
use support::{NOW, agreed_header, b64, claims, good, good_agreed, payload, reader, unb64, with_inner, with_payload};

fn good_tokens() -> [String; 2] {
    [good().join("."), good_agreed().join(".")]
}

/// The properties of every text: it is refused unless it is a token that was issued, and it has a key id if the reader
/// found its key.
fn stands_up_to(text: &str) -> Result<(), TestCaseError> {
    let read = reader().read(text, NOW);
    if good_tokens().iter().any(|good| good == text) {
        prop_assert_eq!(&read, &Ok(claims()));
    } else {
        prop_assert!(read.is_err(), "{text}");
    }
    if let Some(kid) = named_key(text) {
        prop_assert!(kid == KeyId::new(kid.as_str()).unwrap());
        let header = String::from_utf8(unb64(text.split('.').next().unwrap())).unwrap();
        let direct = format!(r#"{{"alg":"dir","enc":"A256GCM","cty":"JWT","kid":"{kid}"}}"#);
        let x = header.rsplit('"').nth(1).unwrap();
        prop_assert!(header == direct || header == agreed_header(kid.as_str(), x), "{header}");
    } else {
        let early = [Rejected::TooLong, Rejected::WrongType, Rejected::Malformed, Rejected::UnknownKey];
        prop_assert!(read.is_err_and(|reason| early.contains(&reason)), "{text}");
    }
    Ok(())
}

#[test]
fn every_change_of_one_byte_every_cut_and_every_addition_is_refused() {
    let reader = reader();
    let refused =
        |text: &str, what: &str, at: usize| assert!(reader.read(text, NOW).is_err(), "{what} at {at}: {text}");
    for token in good_tokens() {
        for at in 0..token.len() {
            let (before, after) = token.split_at(at);
            refused(before, "cut", at);
            refused(&token[at + 1..], "cut before", at);
            refused(&format!("{before}{}", &after[1..]), "left out", at);
            refused(&format!("{before}{}{after}", &after[..1]), "doubled", at);
            for bit in 0..7 {
                let flipped = char::from(token.as_bytes()[at] ^ (1 << bit));
                refused(&format!("{before}{flipped}{}", &after[1..]), "flipped", at);
            }
            for other in ['A', '_', '.', '=', ' ', '\0', '\n', 'é'] {
                let changed = format!("{before}{other}{}", &after[1..]);
                assert!(changed == token || reader.read(&changed, NOW).is_err(), "{other:?} at {at}");
            }
        }
    }
}

#[test]
fn every_order_of_the_segments_but_the_right_one_is_refused() {
    for token in [good(), good_agreed()] {
        let right = token.join(".");
        for order in 0..5_usize.pow(5) {
            let segments: Vec<&str> = (0..5).map(|place| token[order / 5_usize.pow(place) % 5].as_str()).collect();
            let text = segments.join(".");
            assert!(text == right || reader().read(&text, NOW).is_err(), "{order}");
        }
    }
}

#[test]
fn a_text_of_many_megabytes_is_refused_unread() {
    let reader = reader();
    for unit in ["A", ".", "{", "\0", "é", &good_agreed()[0], &good().join(".")] {
        let huge = unit.repeat((16 << 20) / unit.len());
        assert_eq!(reader.read(&huge, NOW), Err(Rejected::TooLong));
        assert!(named_key(&huge).is_none() || unit.contains('.'));
    }
    let padded = format!("{}{}", good().join("."), "A".repeat(MAX_ACCESS_TOKEN_BYTES));
    assert_eq!(reader.read(&padded, NOW), Err(Rejected::TooLong));
}

#[test]
fn deep_and_long_claims_are_refused_even_if_signed() {
    // Fits a token after it is encoded as base64url twice.
    let room = 4096;
    for unit in ["[", "{\"a\":", "[{\"a\":", "\"\\u0000", "1", "-", "1e999,", "{\"iss\":[", "\u{1F511}"] {
        let deep = unit.repeat(room / unit.len());
        for payload in [deep.clone(), payload().replacen('{', &format!("{{\"later\":{deep},"), 1)] {
            let token = with_payload(&payload);
            if token.len() <= MAX_ACCESS_TOKEN_BYTES {
                assert_eq!(reader().read(&token, NOW), Err(Rejected::BadClaims), "{unit}");
            }
        }
    }
    let many: String = (0..200).map(|index| format!(r#""x{index}":0,"#)).collect();
    let token = with_payload(&payload().replacen('{', &format!("{{{many}"), 1));
    assert_eq!(reader().read(&token, NOW), Err(Rejected::BadClaims));
}

#[test]
fn an_inner_token_of_dots_is_of_the_wrong_type() {
    let token = with_inner(&".".repeat(5000));
    assert_eq!(reader().read(&token, NOW), Err(Rejected::WrongType));
}

/// One way to damage a token.
#[derive(Clone, Debug)]
enum Damage {
    Flip(prop::sample::Index, u8),
    Cut(prop::sample::Index, prop::sample::Index),
    Insert(prop::sample::Index, String),
    Swap(usize, usize),
    /// Replaces a segment by one of the other kind of token.
    Borrow(usize),
    /// Changes bytes below the base64url of a segment.
    Below(usize, prop::sample::Index, u8),
    Lengthen(usize, Vec<u8>),
    Shorten(usize, usize),
}

fn damage() -> impl Strategy<Value = Damage> {
    let index = any::<prop::sample::Index>;
    prop_oneof![
        (index(), 0..7_u8).prop_map(|(at, bit)| Damage::Flip(at, bit)),
        (index(), index()).prop_map(|(from, to)| Damage::Cut(from, to)),
        (index(), "[A-Za-z0-9_.= -]{1,8}|\\PC{1,4}").prop_map(|(at, text)| Damage::Insert(at, text)),
        (0..5_usize, 0..5_usize).prop_map(|(one, other)| Damage::Swap(one, other)),
        (0..5_usize).prop_map(Damage::Borrow),
        (0..5_usize, index(), 1..=255_u8).prop_map(|(segment, at, mask)| Damage::Below(segment, at, mask)),
        (0..5_usize, prop::collection::vec(any::<u8>(), 1..40))
            .prop_map(|(segment, more)| { Damage::Lengthen(segment, more) }),
        (0..5_usize, 1..40_usize).prop_map(|(segment, less)| Damage::Shorten(segment, less)),
    ]
}

fn damaged(text: &str, other: &[String; 5], damage: &Damage) -> String {
    let bytes_below = |segment: &str, change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, segment);
        bytes.iter_mut().for_each(change);
        bytes.map_or_else(|_| segment.to_owned(), b64)
    };
    let mut segments: Vec<String> = text.split('.').map(str::to_owned).collect();
    let in_segment = |segments: &mut Vec<String>, at: usize, change: &dyn Fn(&mut Vec<u8>)| {
        if let Some(segment) = segments.get_mut(at) {
            *segment = bytes_below(segment, change);
        }
    };
    match damage {
        Damage::Flip(at, bit) => {
            let mut bytes = text.as_bytes().to_vec();
            if !bytes.is_empty() {
                let at = at.index(bytes.len());
                bytes[at] ^= 1 << bit;
            }
            return String::from_utf8_lossy(&bytes).into_owned();
        }
        Damage::Cut(from, to) => {
            let chars: Vec<char> = text.chars().collect();
            let (from, to) = (from.index(chars.len() + 1), to.index(chars.len() + 1));
            return chars[..from.min(to)].iter().chain(&chars[from.max(to)..]).collect();
        }
        Damage::Insert(at, more) => {
            let mut chars: Vec<char> = text.chars().collect();
            let at = at.index(chars.len() + 1);
            chars.splice(at..at, more.chars());
            return chars.into_iter().collect();
        }
        Damage::Swap(one, other) if segments.len() > *one.max(other) => segments.swap(*one, *other),
        Damage::Swap(..) => {}
        Damage::Borrow(at) => {
            if let Some(segment) = segments.get_mut(*at) {
                segment.clone_from(&other[*at]);
            }
        }
        Damage::Below(at, index, mask) => in_segment(&mut segments, *at, &|bytes| {
            if !bytes.is_empty() {
                let at = index.index(bytes.len());
                bytes[at] ^= mask;
            }
        }),
        Damage::Lengthen(at, more) => in_segment(&mut segments, *at, &|bytes| bytes.extend(more)),
        Damage::Shorten(at, less) => {
            in_segment(&mut segments, *at, &|bytes| bytes.truncate(bytes.len().saturating_sub(*less)));
        }
    }
    segments.join(".")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_damage_makes_another_token(which in 0..2_usize, damages in prop::collection::vec(damage(), 1..4)) {
        let other = if which == 0 { good_agreed() } else { good() };
        let text = damages.iter().fold(good_tokens()[which].clone(), |text, damage| damaged(&text, &other, damage));
        stands_up_to(&text)?;
    }

    #[test]
    fn no_text_is_a_token(text in "\\PC{0,300}|[A-Za-z0-9_-]{0,120}(\\.[A-Za-z0-9_-]{0,60}){0,6}") {
        stands_up_to(&text)?;
    }

    #[test]
    fn no_header_around_a_token_is_another_header(
        start in "[ -~]{0,12}",
        end in "[ -~]{0,12}",
        kid in "[A-Za-z0-9_\" -]{0,34}",
        agreed: bool,
    ) {
        let mut token = if agreed { good_agreed() } else { good() };
        let header = String::from_utf8(unb64(&token[0])).unwrap().replace("enc-1", &kid).replace("agr-1", &kid);
        token[0] = b64(format!("{start}{header}{end}"));
        stands_up_to(&token.join("."))?;
        prop_assert_eq!(named_key(&token.join(".")).is_some(), start.is_empty() && end.is_empty() && KeyId::new(&kid).is_ok());
    }
}
