use crate::support::{App, Backend, Person, Refused as _, bearer, on_each_database};
use countersign::{
    grpc::wire::proto::*,
    usecase::{Origin, service::NewService},
};
use countersign_domain::{
    key::{KeyPurpose, KeySlot},
    revocation::REVOCATION_LIFE,
};
use countersign_token::{AccessReader, ContentKey, KeyId, RecipientKey, VerifyingKey};
use tonic::Status;

async fn fetch(app: &App, backend: &Backend, audience: &str) -> Result<GetVerificationKeysResponse, Status> {
    let question = GetVerificationKeysRequest { audience: audience.to_owned() };
    Ok(app.verification().get_verification_keys(backend.asks(question)).await?.into_inner())
}

/// The states of the keys of one kind, in their order.
fn states(keys: impl Iterator<Item = KeyState>) -> Vec<KeyState> {
    let mut states: Vec<_> = keys.collect();
    states.sort();
    states
}

async fn rotate(app: &App, slot: &KeySlot) {
    app.key_operations.rotate.now(&Origin::terminal(), slot).await.unwrap().unwrap();
    app.keys.reload.reload().await.unwrap();
}

#[test]
fn with_the_keys_of_its_audience_a_backend_opens_its_tokens_by_itself() {
    on_each_database(async |app| {
        let backend = Backend::enrol(app, "orders").await;
        let ada = Person::sign_up(app, "ada@example.org").await;
        let keys = fetch(app, &backend, "default").await.unwrap();
        assert_eq!((keys.issuer.as_str(), keys.audience.as_str()), ("https://id.example.org", "default"));
        let longest = u64::try_from(keys.longest_token_life_seconds).unwrap();
        assert!(longest > 0 && longest <= REVOCATION_LIFE.as_secs());

        let id = |text: &str| KeyId::new(text).unwrap();
        let verifying = keys
            .signing_keys
            .iter()
            .map(|key| VerifyingKey::new(id(&key.key_id), key.public_key.as_slice().try_into().unwrap()).unwrap());
        let decryption = keys.encryption_keys.iter().map(|key| {
            assert_eq!((key.algorithm(), key.public_key.len()), (KeyAlgorithm::Direct, 0));
            ContentKey::new(id(&key.key_id), key.secret_key.as_slice().try_into().unwrap()).into()
        });
        let reader =
            AccessReader::new(&keys.issuer, &keys.audience, verifying.collect(), decryption.collect()).unwrap();
        let claims = reader.read(&ada.session.access_token, app.time.now().as_seconds()).unwrap();
        assert_eq!(claims.session_id, ada.session.session_id);
    });
}

#[test]
fn the_next_keys_are_handed_out_before_they_are_used_and_the_last_ones_for_as_long_as_their_tokens_live() {
    use KeyState::{Active, Retiring, Staged};
    on_each_database(async |app| {
        let backend = Backend::enrol(app, "orders").await;
        let before = fetch(app, &backend, "default").await.unwrap();
        assert_eq!(states(before.signing_keys.iter().map(SigningKey::state)), [Staged, Active]);
        assert_eq!(states(before.encryption_keys.iter().map(EncryptionKey::state)), [Staged, Active]);

        rotate(app, &KeySlot::shared(KeyPurpose::AccessSigning)).await;
        rotate(app, &KeySlot::of_audience(Origin::terminal().tenant(), "default")).await;
        let after = fetch(app, &backend, "default").await.unwrap();
        assert_eq!(states(after.signing_keys.iter().map(SigningKey::state)), [Staged, Active, Retiring]);
        assert_eq!(states(after.encryption_keys.iter().map(EncryptionKey::state)), [Staged, Active, Retiring]);
        let id = |keys: &[EncryptionKey], state| keys.iter().find(|key| key.state() == state).unwrap().key_id.clone();
        assert_eq!(id(&before.encryption_keys, Staged), id(&after.encryption_keys, Active), "it was known before");
        assert_eq!(id(&before.encryption_keys, Active), id(&after.encryption_keys, Retiring));

        app.advance(REVOCATION_LIFE * 2);
        app.keys.rotate.due().await.unwrap();
        app.keys.reload.reload().await.unwrap();
        let backend =
            Backend { token: Backend::draw(app, &backend.created, "").await.unwrap().access_token, ..backend };
        let later = fetch(app, &backend, "default").await.unwrap();
        assert_eq!(states(later.signing_keys.iter().map(SigningKey::state)), [Staged, Active]);
        assert_eq!(states(later.encryption_keys.iter().map(EncryptionKey::state)), [Staged, Active]);
    });
}

#[test]
fn keys_of_others_are_not_handed_out_whether_or_not_there_are_any() {
    on_each_database(async |app| {
        let operator = Origin::terminal();
        for audience in ["reports", "billing"] {
            assert!(app.key_operations.create_audience.create(&operator, audience).await.unwrap());
        }
        let orders = Backend::enrol(app, "orders").await;
        for audience in ["reports", "billing", "nobody"] {
            assert_eq!(fetch(app, &orders, audience).await.reason(), "CALLER_NOT_ALLOWED", "{audience}");
        }
        let ada = Person::sign_up(app, "ada@example.org").await;
        let question = GetVerificationKeysRequest { audience: "default".to_owned() };
        let asked = app.verification().get_verification_keys(bearer(&ada.session.access_token, question)).await;
        assert_eq!(asked.reason(), "CALLER_NOT_ALLOWED");
    });
}

#[test]
fn an_audience_that_was_made_elsewhere_a_moment_ago_has_keys_here() {
    on_each_database(async |app| {
        // The answering process has not loaded its keys since.
        assert!(app.key_operations.create_audience.create(&Origin::terminal(), "reports").await.unwrap());
        let backend = Backend::enrol_for(app, "reports", "reports").await;
        assert_eq!(fetch(app, &backend, "reports").await.unwrap().encryption_keys.len(), 2);
    });
}

#[test]
fn an_audience_with_a_key_of_its_own_is_handed_no_secret() {
    on_each_database(async |app| {
        let operator = Origin::terminal();
        assert!(app.key_operations.create_audience.create(&operator, "reports").await.unwrap());
        let private = RecipientKey::new(KeyId::new("any").unwrap(), [7; 32]).unwrap();
        let public = *private.public_key().bytes();
        app.key_operations.register_audience_key.register(&operator, "reports", Some(public)).await.unwrap();
        let slot = KeySlot::of_audience(Origin::terminal().tenant(), "reports");
        app.key_operations.rotate.now(&Origin::terminal(), &slot).await.unwrap().unwrap();
        app.keys.reload.reload().await.unwrap();
        let backend = Backend::enrol_for(app, "reports", "reports").await;
        let keys = fetch(app, &backend, "reports").await.unwrap().encryption_keys;
        let registered: Vec<_> = keys.iter().filter(|key| key.algorithm() == KeyAlgorithm::EcdhEs).collect();
        assert_eq!(states(registered.iter().map(|key| key.state())), [KeyState::Staged, KeyState::Active]);
        assert!(registered.iter().all(|key| key.public_key == public && key.secret_key.is_empty()));
    });
}

#[test]
fn an_audience_that_cannot_be_one_is_named_as_such() {
    on_each_database(async |app| {
        let backend = Backend::enrol(app, "orders").await;
        for audience in ["", "a b", "\u{0}", "é", &"a".repeat(10_000)] {
            assert_eq!(fetch(app, &backend, audience).await.fields(), ["audience"], "{audience:?}");
        }
    });
}

#[test]
fn no_secret_key_shows_when_a_message_is_printed() {
    let key = EncryptionKey { key_id: "enc-1".to_owned(), secret_key: vec![201; 32], ..Default::default() };
    let message = GetVerificationKeysResponse { encryption_keys: vec![key.clone()], ..Default::default() };
    for printed in [format!("{key:?}"), format!("{key:#?}"), format!("{message:?}"), format!("{message:#?}")] {
        assert!(!printed.contains("201"), "{printed}");
    }
}

#[test]
fn a_token_that_another_backend_has_seen_opens_nothing_but_what_that_backend_opens() {
    on_each_database(async |app| {
        let operator = Origin::terminal();
        let serves = vec!["billing".to_owned(), "default".to_owned()];
        assert!(app.key_operations.create_audience.create(&operator, "billing").await.unwrap());
        let new = NewService { name: "both".to_owned(), serves, calls: Vec::new() };
        let created = app.key_operations.create_service.create(&operator, new).await.unwrap().unwrap();
        let drawn = async |audience| Backend::draw(app, &created, audience).await.unwrap().access_token;
        let shown = Backend { token: drawn("default").await, created: created.clone() };
        assert_eq!(fetch(app, &shown, "billing").await.reason(), "CALLER_NOT_ALLOWED");
        fetch(app, &shown, "default").await.unwrap();
        let own = Backend { token: drawn("billing").await, created: created.clone() };
        fetch(app, &own, "billing").await.unwrap();

        let question = IntrospectRequest { token: own.token.clone() };
        let asked = app.verification().introspect(shown.asks(question.clone())).await.unwrap().into_inner();
        assert!(!asked.active, "nor does it answer for billing");
        assert!(app.verification().introspect(own.asks(question)).await.unwrap().into_inner().active);
    });
}
