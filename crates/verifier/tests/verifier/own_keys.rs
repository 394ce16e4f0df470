//! Audiences with a private key of their own.

use std::time::Duration;

use countersign_token::{AccessIssuer, EphemeralDeriver, KeyId, RecipientKey, RecipientPublicKey};
use countersign_verifier::{KeyFault, Rejected, Verifier};

use crate::support::{
    AUDIENCE, Connected, Fake, ISSUER, claims,
    generated::{EncryptionKey, KeyAlgorithm, KeyState, revocation::Target},
    revoked, signing_key, token,
};

const PRIVATE: [u8; 32] = [42; 32];
const NEXT: [u8; 32] = [43; 32];

/// The public half, under the id from the service.
fn public(kid: &str, private: [u8; 32]) -> RecipientPublicKey {
    RecipientKey::new(KeyId::new(kid).unwrap(), private).unwrap().public_key()
}

fn encrypted_to(kid: &str, private: [u8; 32]) -> String {
    let deriver = EphemeralDeriver::new(public(kid, private), [7; 32]);
    AccessIssuer::new(ISSUER, signing_key(1), deriver.into(), AUDIENCE).unwrap().issue(&claims("a")).unwrap()
}

/// Publishes these keys in addition to `enc-1`.
fn hold(fake: &Fake, keys: &[(&str, [u8; 32])]) {
    fake.hold(&[1], &[1]);
    let published = keys.iter().map(|(kid, private)| EncryptionKey {
        key_id: (*kid).to_owned(),
        algorithm: KeyAlgorithm::EcdhEs.into(),
        secret_key: Vec::new(),
        public_key: public(kid, *private).bytes().to_vec(),
        state: KeyState::Active.into(),
    });
    fake.state().keys.encryption_keys.extend(published);
}

/// A verifier with these private keys, connected to a service with those public ones.
async fn connected(private: &[[u8; 32]], published: &[(&str, [u8; 32])]) -> Connected {
    let connected = crate::support::connected(with(private)).await;
    change(&connected, published).await;
    connected
}

fn with(private: &[[u8; 32]]) -> countersign_verifier::VerifierBuilder {
    private.iter().fold(Verifier::builder(), |builder, private| builder.recipient_key(*private).unwrap())
}

/// Publishes other keys, and waits until they have been fetched.
async fn change(connected: &Connected, published: &[(&str, [u8; 32])]) {
    hold(&connected.fake, published);
    connected.watcher.changes("2", vec![revoked(Target::KeySet("7".to_owned()))]);
    tokio::time::sleep(Duration::from_secs(2)).await;
}

#[tokio::test(start_paused = true)]
async fn a_token_is_read_with_the_private_half_whatever_the_service_calls_the_key() {
    let connected = connected(&[PRIVATE], &[("drawn-1", PRIVATE)]).await;
    let first = encrypted_to("drawn-1", PRIVATE);
    connected.verifier.verify(&first).unwrap();
    // The next key of the service is the same point under another id.
    change(&connected, &[("drawn-1", PRIVATE), ("drawn-2", PRIVATE)]).await;
    let second = encrypted_to("drawn-2", PRIVATE);
    for token in [&first, &second] {
        connected.verifier.verify(token).unwrap();
    }
    change(&connected, &[("drawn-2", PRIVATE)]).await;
    connected.verifier.verify(&second).unwrap();
    assert_eq!(connected.verifier.verify(&first), Err(Rejected::UnknownKey));
}

#[tokio::test(start_paused = true)]
async fn while_a_key_is_exchanged_for_another_both_are_held() {
    let connected = connected(&[PRIVATE, NEXT], &[("drawn-1", PRIVATE)]).await;
    let (old, new) = (encrypted_to("drawn-1", PRIVATE), encrypted_to("drawn-2", NEXT));
    connected.verifier.verify(&old).unwrap();
    change(&connected, &[("drawn-1", PRIVATE), ("drawn-2", NEXT)]).await;
    for token in [&old, &new] {
        connected.verifier.verify(token).unwrap();
    }
    change(&connected, &[("drawn-2", NEXT)]).await;
    connected.verifier.verify(&new).unwrap();
    assert_eq!(connected.verifier.status().encryption_keys, 2, "and the one that is shared");
}

#[tokio::test(start_paused = true)]
async fn without_its_private_half_a_key_opens_nothing() {
    for private in [&[][..], &[NEXT]] {
        let connected = connected(private, &[("drawn-1", PRIVATE)]).await;
        assert_eq!(connected.verifier.verify(&encrypted_to("drawn-1", PRIVATE)), Err(Rejected::UnknownKey));
        connected.verifier.verify(&token("a")).unwrap();
    }
}

#[test]
fn a_private_key_of_zeros_is_refused_and_none_shows_itself() {
    assert_eq!(Verifier::builder().recipient_key([0; 32]).unwrap_err(), KeyFault::Unusable);
    let shown = format!("{:?}", with(&[PRIVATE]));
    assert!(!shown.contains("42, 42"), "{shown}");
}
