use super::{ADA, assert_whole, keys_of, kid, log_in_for};
use crate::support::{App, Person, Refused as _, on_each_database};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use countersign::{
    keys::ContentKeyKind,
    usecase::{Origin, audience::Registered, key::Retired},
};
use countersign_domain::{
    id::TenantId,
    key::{KeySlot, KeyState, PUBLISHED},
    tenant::DEFAULT_TENANT,
};
use countersign_token::{AccessReader, KeyId, RecipientKey, VerifyingKey};
use josekit::jwe::{ECDH_ES, deserialize_compact};
use serde_json::Value;
use std::time::Duration;

const START: i64 = 1_800_000_000;

/// The key pair of a backend.
struct Backend {
    private: [u8; 32],
    public: [u8; 32],
}

impl Backend {
    fn new(byte: u8) -> Self {
        let private = [byte; 32];
        let public = *RecipientKey::new(KeyId::new("any").unwrap(), private).unwrap().public_key().bytes();
        Self { private, public }
    }

    /// The content of a token, as josekit opens it; `None` when it cannot.
    fn open_with_josekit(&self, token: &str) -> Option<String> {
        let jwk = serde_json::json!({
            "kty": "OKP", "crv": "X25519", "x": BASE64URL.encode(self.public), "d": BASE64URL.encode(self.private),
        });
        let jwk = josekit::jwk::Jwk::from_bytes(serde_json::to_vec(&jwk).unwrap()).unwrap();
        let decrypter = ECDH_ES.decrypter_from_jwk(&jwk).unwrap();
        let (payload, header) = deserialize_compact(token, &decrypter).ok()?;
        assert_eq!(header.content_encryption(), Some("A256GCM"));
        Some(String::from_utf8(payload).unwrap())
    }
}

async fn create(app: &App, name: &str) {
    assert!(app.key_operations.create_audience.create(&Origin::terminal(), name).await.unwrap());
    app.keys.reload.reload().await.unwrap();
}

async fn register(app: &App, name: &str, key: Option<[u8; 32]>) -> Registered {
    let registered = app.key_operations.register_audience_key.register(&Origin::terminal(), name, key).await.unwrap();
    if matches!(registered, Registered::Done { .. }) {
        // No backend here has to load the new key first.
        let slot = KeySlot::of_audience(DEFAULT_TENANT, name);
        app.key_operations.rotate.now(&Origin::terminal(), &slot).await.unwrap().unwrap();
    }
    app.keys.reload.reload().await.unwrap();
    assert_whole(app).await;
    registered
}

/// The public keys that are active and staged.
fn registered_keys(app: &App, audience: &str) -> Vec<(KeyState, Option<[u8; 32]>)> {
    let view = app.keys.reload.ring.verification_keys(DEFAULT_TENANT, audience).unwrap();
    let key = |kind: ContentKeyKind| if let ContentKeyKind::Registered(key) = kind { Some(key) } else { None };
    let mut keys: Vec<_> = view.content.into_iter().map(|content| (content.state, key(content.key))).collect();
    keys.sort();
    keys
}

#[test]
fn a_new_audience_has_keys_of_its_own() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, ADA).await;
        create(app, "orders").await;
        assert_whole(app).await;
        let session = log_in_for(app, "orders").await;
        app.me(&session).await.unwrap();
        assert_ne!(kid(&session), kid(&ada.session));
        assert!(keys_of(app, "access_encryption", "orders").await.iter().any(|(id, _)| *id == kid(&session)));
        let again = app.key_operations.create_audience.create(&Origin::terminal(), "orders").await.unwrap();
        assert!(!again, "it was there");
        assert_eq!(keys_of(app, "access_encryption", "orders").await.len(), 2);
    });
}

#[test]
fn tokens_for_an_audience_with_a_key_of_its_own_are_opened_by_its_backend_and_by_us_and_by_nobody_else() {
    on_each_database(async |app| {
        Person::register(app, ADA).await;
        create(app, "orders").await;
        let (backend, stranger) = (Backend::new(3), Backend::new(4));
        let Registered::Done { kid: registered } = register(app, "orders", Some(backend.public)).await else {
            panic!("not registered")
        };
        let session = log_in_for(app, "orders").await;
        assert_eq!(kid(&session), registered);
        app.me(&session).await.unwrap();
        let refreshed = app.refresh(&session.refresh_token).await.unwrap();
        app.me(&refreshed).await.unwrap();

        let inner = backend.open_with_josekit(&session.access_token).unwrap();
        assert_eq!(inner.split('.').count(), 3, "a signed token inside");
        assert!(stranger.open_with_josekit(&session.access_token).is_none());

        let view = app.keys.reload.ring.verification_keys(DEFAULT_TENANT, "orders").unwrap();
        let id = |text: &str| KeyId::new(text).unwrap();
        let verifying = view.signing.iter().map(|key| VerifyingKey::new(id(&key.id), key.public).unwrap()).collect();
        let private = RecipientKey::new(id(&registered), backend.private).unwrap();
        let reader = AccessReader::new("https://id.example.org", "orders", verifying, vec![private.into()]).unwrap();
        let claims = reader.read(&session.access_token, START).unwrap();
        assert_eq!((claims.audience.as_str(), claims.session_id), ("orders", session.session_id));
    });
}

#[test]
fn a_registered_key_takes_over_and_what_was_made_before_stays_good() {
    on_each_database(async |app| {
        Person::register(app, ADA).await;
        let before = log_in_for(app, "").await;
        let (one, two) = (Backend::new(3).public, Backend::new(4).public);
        for (key, event) in [(Some(one), "registered"), (Some(two), "registered"), (None, "withdrawn")] {
            let counted = format!("SELECT count(*) FROM audit_events WHERE kind = 'audience_key_{event}'");
            let events = app.number(&counted).await;
            assert!(matches!(register(app, "default", key).await, Registered::Done { .. }));
            assert_eq!(app.number(&counted).await, events + 1);
            assert_eq!(register(app, "default", key).await, Registered::Before, "twice is once");
            let states = registered_keys(app, "default");
            for state in [KeyState::Staged, KeyState::Active] {
                assert!(states.contains(&(state, key)), "{state:?}");
            }
            let session = log_in_for(app, "").await;
            app.me(&session).await.unwrap();
            app.me(&before).await.unwrap();
        }
        assert_eq!(register(app, "nobody", Some(one)).await, Registered::Unknown);
    });
}

#[test]
fn a_registered_key_is_published_before_it_is_used() {
    on_each_database(async |app| {
        Person::register(app, ADA).await;
        let key = Backend::new(3).public;
        let audience_key = &app.key_operations.register_audience_key;
        let maintain = async || {
            app.keys.rotate.due().await.unwrap();
            app.keys.reload.reload().await.unwrap();
            registered_keys(app, "default")
        };
        let before = kid(&log_in_for(app, "").await);
        let done = audience_key.register(&Origin::terminal(), "default", Some(key)).await.unwrap();
        let Registered::Done { kid: registered } = done else { panic!("{done:?}") };
        assert_eq!(maintain().await, [(KeyState::Staged, Some(key)), (KeyState::Active, None)]);
        assert_eq!(audience_key.register(&Origin::terminal(), "default", Some(key)).await.unwrap(), Registered::Before);
        app.advance(PUBLISHED - Duration::from_secs(1));
        maintain().await;
        assert_eq!(kid(&log_in_for(app, "").await), before, "whoever reads tokens has not had time to hear of it");
        app.advance(Duration::from_secs(1));
        maintain().await;
        assert_eq!(kid(&log_in_for(app, "").await), registered);

        // A removal that is undone in time changes nothing.
        audience_key.register(&Origin::terminal(), "default", None).await.unwrap();
        audience_key.register(&Origin::terminal(), "default", Some(key)).await.unwrap();
        app.advance(PUBLISHED);
        maintain().await;
        assert_eq!(kid(&log_in_for(app, "").await), registered);
    });
}

#[test]
fn a_rotation_keeps_the_registered_key_and_so_does_a_retirement() {
    on_each_database(async |app| {
        Person::register(app, ADA).await;
        let backend = Backend::new(3);
        register(app, "default", Some(backend.public)).await;
        let slot = KeySlot::of_audience(DEFAULT_TENANT, "default");
        let first = log_in_for(app, "").await;
        app.key_operations.rotate.now(&Origin::terminal(), &slot).await.unwrap().unwrap();
        app.keys.reload.reload().await.unwrap();
        let second = log_in_for(app, "").await;
        assert_ne!(kid(&first), kid(&second), "ephemeral keys follow from another secret");
        for session in [&first, &second] {
            app.me(session).await.unwrap();
            backend.open_with_josekit(&session.access_token).unwrap();
        }
        let retired = app.key_operations.retire.retire(&Origin::terminal(), &kid(&second)).await.unwrap();
        assert!(matches!(retired, Retired::Done { was: KeyState::Active, .. }));
        app.keys.reload.reload().await.unwrap();
        assert_eq!(app.me(&second).await.reason(), "TOKEN_INVALID");
        let third = log_in_for(app, "").await;
        backend.open_with_josekit(&third.access_token).unwrap();
        assert!(registered_keys(app, "default").contains(&(KeyState::Staged, Some(backend.public))));
    });
}

#[test]
fn a_key_under_which_everybody_agrees_on_one_secret_is_refused() {
    on_each_database(async |app| {
        let mut one = [0; 32];
        one[0] = 1;
        for weak in [[0; 32], one] {
            assert_eq!(register(app, "default", Some(weak)).await, Registered::Weak);
        }
        assert_eq!(registered_keys(app, "default").iter().filter(|(_, key)| key.is_some()).count(), 0);
    });
}

#[test]
fn audiences_of_two_tenants_that_share_a_name_share_no_key() {
    on_each_database(async |app| {
        let tenant = "00000000-0000-7000-8000-0000000000aa";
        app.execute(&format!(
            "INSERT INTO tenants (id, name, created_at) VALUES ({}, 'other', 0)",
            uuid_of(app, tenant)
        ))
        .await;
        let other: TenantId = tenant.parse().unwrap();
        let origin = Origin { named_tenant: Some(other), ..Origin::terminal() };
        assert!(app.key_operations.create_audience.create(&origin, "default").await.unwrap());
        app.keys.reload.reload().await.unwrap();
        assert_whole(app).await;
        let ring = &app.keys.reload.ring;
        let ids = |tenant| -> Vec<String> {
            let view = ring.verification_keys(tenant, "default").unwrap();
            view.content.into_iter().map(|key| key.id).collect()
        };
        assert!(ids(DEFAULT_TENANT).iter().all(|id| !ids(other).contains(id)));
        let ada = Person::sign_up(app, ADA).await;
        assert!(ids(DEFAULT_TENANT).contains(&kid(&ada.session)));
        assert!(ring.verification_keys(other, "orders").is_none());
    });
}

/// An id as a literal of the database.
fn uuid_of(app: &App, id: &str) -> String {
    if app.database_url.starts_with("sqlite") { format!("x'{}'", id.replace('-', "")) } else { format!("'{id}'") }
}

#[test]
fn no_key_lies_in_what_is_listed_or_published() {
    on_each_database(async |app| {
        register(app, "default", Some(Backend::new(3).public)).await;
        let lines = countersign::usecase::key::ListKeys { store: app.key_operations.rotate.work.store.clone() };
        let listed = format!("{:?}", lines.list().await.unwrap());
        let shown = format!(
            "{:?}{:?}",
            app.keys.reload.ring,
            app.keys.reload.ring.verification_keys(DEFAULT_TENANT, "default")
        );
        for held in app.keys.reload.ring.held() {
            let secret = held.material.secret.reveal();
            for text in
                [BASE64URL.encode(secret), format!("{secret:?}"), format!("{:?}", &secret[..4]).replace(['[', ']'], "")]
            {
                assert!(!listed.contains(&text) && !shown.contains(&text), "{:?}", held.material.slot);
            }
        }
        let set: Value = serde_json::from_str(&app.keys.reload.ring.public_keys().json).unwrap();
        assert_eq!(set["keys"].as_array().unwrap().len(), 2);
    });
}
