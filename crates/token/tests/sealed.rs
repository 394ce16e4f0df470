//! Refresh tokens, action tokens and keys at rest: all texts that are sealed as PASETO v4.local.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod support;

use countersign_token::{
    ActionPurpose, ActionSealer, ActionToken, CeremonyPurpose, CeremonySealer, CeremonyToken, FactorSealer, IssueFault,
    KeyEncryptionKey, KeyFault, KeyId, MAX_ACTION_TOKEN_BYTES, MAX_CEREMONY_BYTES, MAX_CEREMONY_TOKEN_BYTES,
    MAX_REFRESH_TOKEN_BYTES, MAX_SEALED_BYTES, MAX_SECRET_BYTES, RefreshSealer, RefreshToken, Rejected, SealingKeys,
};
use pasetors::keys::SymmetricKey;
use pasetors::version4::{LocalToken, V4};
use proptest::prelude::*;
use support::{NOW, b64, good, id, reader};
use uuid::Uuid;

const PURPOSES: [ActionPurpose; 5] = [
    ActionPurpose::VerifyAddress,
    ActionPurpose::ResetPassword,
    ActionPurpose::ConfirmNewAddress,
    ActionPurpose::EndSession,
    ActionPurpose::CompleteLogin,
];

fn keys() -> SealingKeys {
    SealingKeys::new((id("seal-1"), [21; 32]), vec![(id("seal-0"), [20; 32])]).unwrap()
}

fn refresh() -> RefreshToken {
    RefreshToken {
        tenant_id: Uuid::from_u128(1),
        session_id: Uuid::from_u128(2),
        generation: 3,
        audience: "default".to_owned(),
    }
}

fn action(purpose: ActionPurpose) -> ActionToken {
    ActionToken { tenant_id: Uuid::from_u128(1), action_id: Uuid::from_u128(2), purpose, expires_at: NOW + 60 }
}

fn ceremony(purpose: CeremonyPurpose) -> CeremonyToken {
    let (tenant_id, ceremony_id) = (Uuid::from_u128(1), Uuid::from_u128(2));
    CeremonyToken { tenant_id, ceremony_id, purpose, expires_at: NOW + 60, content: b"a challenge".to_vec() }
}

/// A token sealed by pasetors directly, so that it can be wrong in one place.
fn sealed_by_hand(message: &[u8], footer: Option<&str>, assertion: Option<&str>) -> String {
    let key = SymmetricKey::<V4>::from(&[21; 32]).unwrap();
    LocalToken::encrypt(&key, message, footer.map(str::as_bytes), assertion.map(str::as_bytes)).unwrap()
}

#[test]
fn a_refresh_token_comes_back_as_it_was() {
    let sealer = RefreshSealer::new(keys());
    let token = sealer.seal(&refresh()).unwrap();
    assert_eq!(sealer.open(&token), Ok(refresh()));
    assert_ne!(token, sealer.seal(&refresh()).unwrap(), "nonces are fresh");
}

#[test]
fn an_action_token_comes_back_as_it_was_until_exactly_its_expiry() {
    let sealer = ActionSealer::new(keys());
    for purpose in PURPOSES {
        let token = sealer.seal(&action(purpose)).unwrap();
        assert_eq!(sealer.open(&token, purpose, NOW + 59), Ok(action(purpose)));
        assert_eq!(sealer.open(&token, purpose, NOW + 60), Err(Rejected::Expired));
    }
}

#[test]
fn a_ceremony_token_comes_back_as_it_was_until_its_expiry_and_for_its_purpose_alone() {
    let (sealer, refreshes, actions) =
        (CeremonySealer::new(keys()), RefreshSealer::new(keys()), ActionSealer::new(keys()));
    let purposes = [CeremonyPurpose::PasskeyLogin, CeremonyPurpose::PasskeyReauthentication];
    for (purpose, other) in [(purposes[0], purposes[1]), (purposes[1], purposes[0])] {
        let token = sealer.seal(&ceremony(purpose)).unwrap();
        assert_eq!(sealer.open(&token, purpose, NOW + 59), Ok(ceremony(purpose)));
        assert_eq!(sealer.open(&token, purpose, NOW + 60), Err(Rejected::Expired));
        assert_eq!(sealer.open(&token, other, NOW), Err(Rejected::Forged));
        assert_eq!(refreshes.open(&token), Err(Rejected::Forged));
        for action in PURPOSES {
            assert_eq!(actions.open(&token, action, NOW), Err(Rejected::Forged));
            let mailed = actions.seal(&self::action(action)).unwrap();
            assert_eq!(sealer.open(&mailed, purpose, NOW), Err(Rejected::Forged));
        }
        assert_eq!(sealer.open(&refreshes.seal(&refresh()).unwrap(), purpose, NOW), Err(Rejected::Forged));
    }
}

#[test]
fn an_authentic_ceremony_outside_the_layout_is_refused() {
    let sealer = CeremonySealer::new(keys());
    let message = [vec![1], vec![0; 32], (NOW + 1).to_be_bytes().to_vec()].concat();
    let open = |message: &[u8]| {
        let assertion = Some("countersign/ceremony/1/passkey-login");
        let token = sealed_by_hand(b64(message).as_bytes(), Some("seal-1"), assertion);
        sealer.open(&token, CeremonyPurpose::PasskeyLogin, NOW)
    };
    assert_eq!(open(&message).unwrap().content, b"");
    for length in [1, 17, 40] {
        assert_eq!(open(&message[..length]), Err(Rejected::BadClaims), "{length} bytes");
    }
    for (at, changed, case) in [(0, 2, "another layout"), (33, 0x80, "a negative expiry")] {
        let mut message = message.clone();
        message[at] = changed;
        assert_eq!(open(&message), Err(Rejected::BadClaims), "{case}");
    }
}

#[test]
fn a_retired_key_still_opens_and_a_removed_one_does_not() {
    let old = SealingKeys::new((id("seal-0"), [20; 32]), vec![]).unwrap();
    let token = RefreshSealer::new(old).seal(&refresh()).unwrap();
    assert_eq!(RefreshSealer::new(keys()).open(&token), Ok(refresh()));
    let new = SealingKeys::new((id("seal-1"), [21; 32]), vec![]).unwrap();
    assert_eq!(RefreshSealer::new(new).open(&token), Err(Rejected::UnknownKey));
    let renamed = SealingKeys::new((id("seal-0"), [21; 32]), vec![]).unwrap();
    assert_eq!(RefreshSealer::new(renamed).open(&token), Err(Rejected::Forged));
}

#[test]
fn sealing_keys_that_share_an_id_are_refused() {
    let others = |ids: [&str; 2]| ids.map(|text| (id(text), [1; 32])).to_vec();
    for ids in [["a", "b"], ["b", "b"]] {
        let made = SealingKeys::new((id("a"), [1; 32]), others(ids));
        assert_eq!(made.unwrap_err(), KeyFault::DuplicateId);
    }
}

#[test]
fn a_purpose_cannot_be_swapped_for_another() {
    let sealer = ActionSealer::new(keys());
    for made in PURPOSES {
        let token = sealer.seal(&action(made)).unwrap();
        for expected in PURPOSES.into_iter().filter(|purpose| *purpose != made) {
            assert_eq!(sealer.open(&token, expected, NOW), Err(Rejected::Forged));
        }
    }
}

#[test]
fn kinds_of_token_are_never_interchangeable() {
    let (refreshes, actions) = (RefreshSealer::new(keys()), ActionSealer::new(keys()));
    let refresh = refreshes.seal(&refresh()).unwrap();
    let reset = actions.seal(&action(ActionPurpose::ResetPassword)).unwrap();
    let access = good().join(".");

    assert_eq!(reader().read(&refresh, NOW), Err(Rejected::WrongType));
    assert_eq!(reader().read(&reset, NOW), Err(Rejected::WrongType));
    assert_eq!(refreshes.open(&reset), Err(Rejected::Forged));
    // A short access token, because a long one is refused for its length first.
    assert!(access.len() > MAX_REFRESH_TOKEN_BYTES);
    assert_eq!(refreshes.open(&access), Err(Rejected::TooLong));
    assert_eq!(refreshes.open(&access[..200]), Err(Rejected::WrongType));
    for purpose in PURPOSES {
        assert!(matches!(actions.open(&refresh, purpose, NOW), Err(Rejected::Forged | Rejected::TooLong)));
        assert_eq!(actions.open(&access[..200], purpose, NOW), Err(Rejected::WrongType));
    }

    // The same key bytes under the id in the footer: only the assertion differs.
    let kek = KeyEncryptionKey::new([21; 32]);
    let keys = SealingKeys::new((id(&kek.id()), [21; 32]), vec![]).unwrap();
    let at_rest = kek.seal(&[1; 41], "").unwrap();
    assert_eq!(RefreshSealer::new(keys.clone()).open(&at_rest), Err(Rejected::Forged));
    let token = RefreshSealer::new(keys).seal(&self::refresh()).unwrap();
    for context in ["", "refresh/1", "countersign/refresh/1"] {
        assert_eq!(kek.open(&token, context), Err(Rejected::Forged));
    }
}

#[test]
fn only_the_pinned_footer_is_taken() {
    let sealer = RefreshSealer::new(keys());
    let token = sealer.seal(&refresh()).unwrap();
    let (body, footer) = token.rsplit_once('.').unwrap();
    assert_eq!(footer, b64("seal-1"));
    assert_eq!(sealer.open(body), Err(Rejected::Malformed));
    assert_eq!(sealer.open(&format!("{body}.")), Err(Rejected::UnknownKey));
    assert_eq!(sealer.open(&format!("{body}.{}", b64(r#"{"kid":"seal-1"}"#))), Err(Rejected::UnknownKey));
    assert_eq!(sealer.open(&format!("{body}.{}", b64("seal-0"))), Err(Rejected::Forged));
    assert_eq!(sealer.open(&format!("{token}.")), Err(Rejected::Malformed));
}

#[test]
fn authentic_content_outside_the_layout_is_refused() {
    let sealer = RefreshSealer::new(keys());
    let mut message = [vec![1], vec![0; 32], 7_i64.to_be_bytes().to_vec(), b"default".to_vec()].concat();
    let token = |message: &[u8]| sealed_by_hand(b64(message).as_bytes(), Some("seal-1"), Some("countersign/refresh/1"));
    assert_eq!(sealer.open(&token(&message)).unwrap().generation, 7);
    for length in [0, 1, 16, 33, 40, 41] {
        if length > 0 {
            assert_eq!(sealer.open(&token(&message[..length])), Err(Rejected::BadClaims), "{length} bytes");
        }
    }
    assert_eq!(sealer.open(&token(&[message.clone(), vec![b'x'; 64]].concat())), Err(Rejected::BadClaims));
    assert_eq!(sealer.open(&token(&[message.clone(), vec![0xff]].concat())), Err(Rejected::BadClaims));
    message[33] = 0x80;
    assert_eq!(sealer.open(&token(&message)), Err(Rejected::BadClaims), "a negative generation");
    message[33] = 0;
    message[0] = 2;
    assert_eq!(sealer.open(&token(&message)), Err(Rejected::BadClaims), "another layout");

    let not_base64 = sealed_by_hand(b"{\"a\":1}", Some("seal-1"), Some("countersign/refresh/1"));
    assert_eq!(sealer.open(&not_base64), Err(Rejected::BadClaims));
    let no_assertion = sealed_by_hand(b"AQ", Some("seal-1"), None);
    assert_eq!(sealer.open(&no_assertion), Err(Rejected::Forged));
}

#[test]
fn an_action_token_has_exactly_one_length() {
    let sealer = ActionSealer::new(keys());
    let message = [vec![1], vec![0; 32], (NOW + 1).to_be_bytes().to_vec()].concat();
    let open = |message: &[u8]| {
        let assertion = Some("countersign/action/1/reset-password");
        let token = sealed_by_hand(b64(message).as_bytes(), Some("seal-1"), assertion);
        sealer.open(&token, ActionPurpose::ResetPassword, NOW)
    };
    assert!(open(&message).is_ok());
    assert_eq!(open(&message[..40]), Err(Rejected::BadClaims));
    assert_eq!(open(&[message.clone(), vec![0]].concat()), Err(Rejected::BadClaims));
    let mut negative = message;
    negative[33] = 0x80;
    assert_eq!(open(&negative), Err(Rejected::BadClaims));
}

#[test]
fn values_out_of_bounds_are_not_sealed() {
    let sealer = RefreshSealer::new(keys());
    for token in [
        RefreshToken { generation: -1, ..refresh() },
        RefreshToken { audience: String::new(), ..refresh() },
        RefreshToken { audience: "a".repeat(65), ..refresh() },
        RefreshToken { audience: "a\0".to_owned(), ..refresh() },
    ] {
        assert_eq!(sealer.seal(&token), Err(IssueFault::BadClaims));
    }
    let token = ActionToken { expires_at: -1, ..action(ActionPurpose::VerifyAddress) };
    assert_eq!(ActionSealer::new(keys()).seal(&token), Err(IssueFault::BadClaims));
    let (sealer, ceremony) = (CeremonySealer::new(keys()), ceremony(CeremonyPurpose::PasskeyLogin));
    let token = CeremonyToken { expires_at: -1, ..ceremony.clone() };
    assert_eq!(sealer.seal(&token), Err(IssueFault::BadClaims));
    let token = CeremonyToken { content: vec![0; MAX_CEREMONY_BYTES + 1], ..ceremony };
    assert_eq!(sealer.seal(&token), Err(IssueFault::TooLong));
}

#[test]
fn the_longest_tokens_fit_their_caps_and_longer_texts_are_not_decoded() {
    let keys = SealingKeys::new((KeyId::new(&"k".repeat(32)).unwrap(), [21; 32]), vec![]).unwrap();
    let (refreshes, actions) = (RefreshSealer::new(keys.clone()), ActionSealer::new(keys.clone()));
    let ceremonies = CeremonySealer::new(keys);
    let longest = RefreshToken { generation: i64::MAX, audience: "a".repeat(64), ..refresh() };
    let token = refreshes.seal(&longest).unwrap();
    assert_eq!(token.len(), 325);
    assert_eq!(refreshes.open(&token), Ok(longest));
    let token = actions.seal(&action(ActionPurpose::ConfirmNewAddress)).unwrap();
    assert_eq!(token.len(), 212);
    let longest =
        CeremonyToken { content: vec![0xff; MAX_CEREMONY_BYTES], ..ceremony(CeremonyPurpose::PasskeyReauthentication) };
    let token = ceremonies.seal(&longest).unwrap();
    assert_eq!(token.len(), 2032);
    assert_eq!(ceremonies.open(&token, longest.purpose, NOW), Ok(longest));

    let text = |length: usize| format!("v4.local.{}", "A".repeat(length - 9));
    assert_eq!(refreshes.open(&text(MAX_REFRESH_TOKEN_BYTES + 1)), Err(Rejected::TooLong));
    assert_eq!(refreshes.open(&text(MAX_REFRESH_TOKEN_BYTES)), Err(Rejected::Malformed));
    let purpose = ActionPurpose::VerifyAddress;
    assert_eq!(actions.open(&text(MAX_ACTION_TOKEN_BYTES + 1), purpose, NOW), Err(Rejected::TooLong));
    assert_eq!(actions.open(&text(MAX_ACTION_TOKEN_BYTES), purpose, NOW), Err(Rejected::Malformed));
    let purpose = CeremonyPurpose::PasskeyLogin;
    assert_eq!(ceremonies.open(&text(MAX_CEREMONY_TOKEN_BYTES + 1), purpose, NOW), Err(Rejected::TooLong));
    assert_eq!(ceremonies.open(&text(MAX_CEREMONY_TOKEN_BYTES), purpose, NOW), Err(Rejected::Malformed));
}

#[test]
fn every_change_of_one_byte_every_cut_and_every_addition_is_refused() {
    let sealer = RefreshSealer::new(keys());
    let token = sealer.seal(&refresh()).unwrap();
    for at in 0..token.len() {
        assert!(sealer.open(&token[..at]).is_err(), "cut at {at}");
        assert!(sealer.open(&token[at + 1..]).is_err(), "cut before {at}");
        for replacement in ['A', 'B', '_', '.', '=', ' ', '\0', 'é'] {
            let changed = format!("{}{replacement}{}", &token[..at], &token[at + 1..]);
            assert!(changed == token || sealer.open(&changed).is_err(), "{replacement:?} at {at}");
            let longer = format!("{}{replacement}{}", &token[..at], &token[at..]);
            assert!(sealer.open(&longer).is_err(), "{replacement:?} put in at {at}");
        }
        let flipped = char::from(token.as_bytes()[at] ^ 1);
        assert!(sealer.open(&format!("{}{flipped}{}", &token[..at], &token[at + 1..])).is_err(), "flip at {at}");
    }
}

#[test]
fn a_key_at_rest_opens_in_its_own_row_only() {
    let kek = KeyEncryptionKey::new([31; 32]);
    let sealed = kek.seal(b"a private key", "keys/1").unwrap();
    assert_eq!(kek.open(&sealed, "keys/1").unwrap().as_slice(), b"a private key");
    assert_eq!(kek.open(&sealed, "keys/2").unwrap_err(), Rejected::Forged);
    assert_eq!(kek.open(&sealed, "").unwrap_err(), Rejected::Forged);
    let other = KeyEncryptionKey::new([32; 32]);
    assert_eq!(other.open(&sealed, "keys/1").unwrap_err(), Rejected::UnknownKey);
}

#[test]
fn secrets_at_rest_may_be_empty_but_not_boundless() {
    let kek = KeyEncryptionKey::new([31; 32]);
    for length in [0, 1, MAX_SECRET_BYTES] {
        let sealed = kek.seal(&vec![7; length], "row").unwrap();
        assert!(sealed.len() <= MAX_SEALED_BYTES, "{}", sealed.len());
        assert_eq!(*kek.open(&sealed, "row").unwrap(), vec![7; length]);
    }
    assert_eq!(kek.seal(&[7; MAX_SECRET_BYTES + 1], "row"), Err(IssueFault::TooLong));
    assert_eq!(kek.open(&"v4.local.".repeat(1000), "row").unwrap_err(), Rejected::TooLong);
}

#[test]
fn the_secret_of_a_factor_opens_in_its_own_row_under_every_key_and_as_nothing_else() {
    let sealer = FactorSealer::new(keys());
    let former = FactorSealer::new(SealingKeys::new((id("seal-0"), [20; 32]), vec![]).unwrap());
    for sealed in
        [sealer.seal(b"a secret", "account/factor").unwrap(), former.seal(b"a secret", "account/factor").unwrap()]
    {
        assert_eq!(sealer.open(&sealed, "account/factor").unwrap().as_slice(), b"a secret");
        for context in ["account/other", "other/factor", ""] {
            assert_eq!(sealer.open(&sealed, context).unwrap_err(), Rejected::Forged, "{context}");
        }
        assert_eq!(RefreshSealer::new(keys()).open(&sealed), Err(Rejected::Forged));
    }
    assert_eq!(former.open(&sealer.seal(b"", "").unwrap(), "").unwrap_err(), Rejected::UnknownKey);
    assert_eq!(sealer.seal(&[7; MAX_SECRET_BYTES + 1], ""), Err(IssueFault::TooLong));
}

#[test]
fn a_fingerprint_is_stable_and_names_one_key() {
    let id = KeyEncryptionKey::new([31; 32]).id();
    assert_eq!(id, KeyEncryptionKey::new([31; 32]).id());
    assert_ne!(id, KeyEncryptionKey::new([32; 32]).id());
    assert_eq!(id.len(), 16);
    assert!(KeyId::new(&id).is_ok());
}

#[test]
fn debug_shows_no_key() {
    let shown = format!("{:?} {:?} {:?}", keys(), RefreshSealer::new(keys()), KeyEncryptionKey::new([31; 32]));
    for secret in ["21, 21", "20, 20", "31, 31"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

proptest! {
    #[test]
    fn all_refresh_tokens_within_bounds_come_back(
        tenant in any::<u128>(), session in any::<u128>(), generation in 0..=i64::MAX, audience in "[ -~]{1,64}",
    ) {
        let (tenant_id, session_id) = (Uuid::from_u128(tenant), Uuid::from_u128(session));
        let token = RefreshToken { tenant_id, session_id, generation, audience };
        let sealer = RefreshSealer::new(keys());
        prop_assert_eq!(sealer.open(&sealer.seal(&token).unwrap()), Ok(token));
    }

    #[test]
    fn all_action_tokens_within_bounds_come_back(
        tenant in any::<u128>(), action in any::<u128>(), expires_at in 1..=i64::MAX, purpose in 0..PURPOSES.len(),
    ) {
        let (tenant_id, action_id) = (Uuid::from_u128(tenant), Uuid::from_u128(action));
        let token = ActionToken { tenant_id, action_id, purpose: PURPOSES[purpose], expires_at };
        let sealer = ActionSealer::new(keys());
        let sealed = sealer.seal(&token).unwrap();
        prop_assert_eq!(sealer.open(&sealed, token.purpose, expires_at - 1), Ok(token.clone()));
        prop_assert_eq!(sealer.open(&sealed, token.purpose, expires_at), Err(Rejected::Expired));
    }

    #[test]
    fn no_text_makes_the_openers_panic(text in any::<String>(), body in prop::collection::vec(any::<u8>(), 0..90)) {
        let sealer = RefreshSealer::new(keys());
        let kek = KeyEncryptionKey::new([31; 32]);
        let shaped = format!("v4.local.{}.{}", b64(&body), b64("seal-1"));
        let at_rest = format!("v4.local.{}.{}", b64(&body), b64(kek.id()));
        prop_assert!(sealer.open(&text).is_err());
        prop_assert!(sealer.open(&shaped).is_err());
        prop_assert!(kek.open(&text, "row").is_err());
        prop_assert!(kek.open(&at_rest, "row").is_err());
    }
}
