use super::library::Library;
use crate::support::{App, Backend, Person, damaged, on_sqlite, send};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use countersign::{
    grpc::wire::proto::*,
    usecase::{Origin, audience::Registered},
};
use countersign_domain::key::KeySlot;
use countersign_token::{KeyId, RecipientKey};
use http::{Request, Version};
use http_body_util::Full;
use serde_json::{Value, json};

const ADA: &str = "ada@example.org";
const ISSUER: &str = "https://id.example.org";
const START: i64 = 1_800_000_000;
/// The private key of a backend that shares no secret with the service.
const PRIVATE: [u8; 32] = [21; 32];

fn public_key() -> [u8; 32] {
    *RecipientKey::new(KeyId::new("any").unwrap(), PRIVATE).unwrap().public_key().bytes()
}

/// The signing keys that anybody may load.
async fn signing_keys(app: &App) -> Value {
    let request = Request::get("/.well-known/jwks.json").body(Full::default()).unwrap();
    serde_json::from_slice(&send(app.address, Version::HTTP_11, request).await.body).unwrap()
}

/// The keys with which a backend of the audience opens tokens, each as a JWK. For an agreed key only the backend knows
/// the private half.
async fn decryption_keys(app: &App, backend: &Backend, audience: &str) -> Vec<Value> {
    let question = backend.asks(GetVerificationKeysRequest { audience: audience.to_owned() });
    let answer = app.verification().get_verification_keys(question).await.unwrap().into_inner();
    assert_eq!((answer.issuer.as_str(), answer.audience.as_str()), (ISSUER, audience));
    let jwk = |key: &EncryptionKey| match key.algorithm() {
        KeyAlgorithm::Direct => json!({"kty": "oct", "kid": key.key_id, "k": BASE64URL.encode(&key.secret_key)}),
        KeyAlgorithm::EcdhEs => {
            assert_eq!(key.public_key, public_key());
            let [x, d] = [public_key(), PRIVATE].map(|bytes| BASE64URL.encode(bytes));
            json!({"kty": "OKP", "crv": "X25519", "kid": key.key_id, "x": x, "d": d})
        }
        KeyAlgorithm::Unspecified => panic!("a key of no kind"),
    };
    answer.encryption_keys.iter().map(jwk).collect()
}

/// Compares the content of a token, as a library reads it, with what the service answered beside it.
fn assert_is(found: &Value, session: &Session, audience: &str, alg: &str) {
    assert!(found["refused"].is_null(), "{found}");
    let kid = countersign_token::named_key(&session.access_token).unwrap().to_string();
    let mut outer = json!({"alg": alg, "enc": "A256GCM", "cty": "JWT", "kid": kid});
    if alg == "ECDH-ES" {
        let epk = &found["outer"]["epk"];
        assert_eq!(BASE64URL.decode(epk["x"].as_str().unwrap()).unwrap().len(), 32);
        outer["epk"] = json!({"kty": "OKP", "crv": "X25519", "x": epk["x"]});
    }
    assert_eq!(found["outer"], outer);
    let signer = found["inner"]["kid"].as_str().unwrap();
    assert_eq!(found["inner"], json!({"typ": "at+jwt", "alg": "EdDSA", "kid": signer}));

    let account = session.account.as_ref().unwrap();
    let (expires, id) = (session.access_expire_time.as_ref().unwrap().seconds, &found["claims"]["jti"]);
    assert!(id.as_str().is_some_and(|id| id.len() == 36), "{id}");
    let expected = json!({
        "iss": ISSUER, "aud": audience, "sub": account.account_id, "sid": session.session_id,
        "tid": "00000000-0000-7000-8000-000000000001", "jti": id, "iat": START, "exp": START + 600,
        "auth_time": START, "roles": [], "amr": ["pwd"], "acr": "1",
    });
    assert_eq!(found["claims"], expected);
    assert_eq!(expires, START + 600);
}

/// Lets a library open tokens of the service: unchanged, damaged, and with the keys of somebody else.
fn is_opened_by(library: Library) {
    on_sqlite(async |app| {
        Person::register(app, ADA).await;
        let backend = Backend::enrol_for(app, "orders", "orders").await;
        let audience_key = &app.key_operations.register_audience_key;
        let registered = audience_key.register(&Origin::terminal(), "orders", Some(public_key())).await.unwrap();
        assert!(matches!(registered, Registered::Done { .. }));
        let slot = KeySlot::of_audience(Origin::terminal().tenant(), "orders");
        app.key_operations.rotate.now(&Origin::terminal(), &slot).await.unwrap().unwrap();
        app.keys.reload.reload().await.unwrap();
        let shared = Backend::enrol(app, "stock").await;

        let jwks = signing_keys(app).await;
        for (audience, alg, backend) in [("default", "dir", shared), ("orders", "ECDH-ES", backend)] {
            let session = app.log_in_for(ADA, audience).await;
            let token = &session.access_token;
            let mut question = json!({
                "issuer": ISSUER, "audience": audience, "now": START, "jwks": jwks,
                "decryption": decryption_keys(app, &backend, audience).await, "tokens": [token, damaged(token)],
            });
            let Some(found) = library.ask(&question) else { return };
            assert_is(&found[0], &session, audience, alg);
            assert!(found[1]["refused"].is_string(), "a damaged token was opened: {}", found[1]);

            // The service signs with its one active key, which this set leaves out.
            let signer = &found[0]["inner"]["kid"];
            question["jwks"]["keys"].as_array_mut().unwrap().retain(|key| key["kid"] != *signer);
            let found = library.ask(&question).unwrap();
            assert!(found[0]["refused"].is_string(), "signed by nobody who is known: {}", found[0]);
        }
    });
}

#[test]
fn jose_opens_what_the_service_issues() {
    is_opened_by(Library::Jose);
}

#[test]
fn joserfc_opens_what_the_service_issues() {
    is_opened_by(Library::Joserfc);
}
