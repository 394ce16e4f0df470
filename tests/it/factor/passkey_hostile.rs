//! What nobody's authenticator answers.

use super::{EMAIL, events, live, violation};
use crate::support::{
    App, AppOptions, KeyHolder, ORIGIN, Person, Refused as _, SYNCED, SoftPasskey, USER_PRESENT, USER_VERIFIED,
    on_each_database, on_sqlite_with, send,
};
use countersign::grpc::wire::proto::*;
use http::{Request, Version};
use http_body_util::Full;
use serde_json::{Value, json};
use tonic::Status;

async fn log_in_with(app: &App, sign: impl FnOnce(&str) -> Value) -> Result<Session, Status> {
    let started = app.start_passkey_login().await;
    let answer = sign(&started.passkey_request_json);
    app.complete_passkey_login(&started.challenge_token, &answer).await
}

fn invalid(closer: &str) -> (String, String) {
    ("PASSKEY_INVALID".to_owned(), closer.to_owned())
}

#[test]
fn what_was_signed_for_another_site_or_without_its_user_is_refused() {
    on_each_database(async |app| {
        let ada = KeyHolder::sign_up(app, EMAIL, SoftPasskey::new()).await;
        let app: &App = app;
        let of = async |mut changed: SoftPasskey| log_in_with(app, |asked| changed.sign(asked)).await;
        let passkey = || ada.passkey.clone();
        let before = live(app).await;
        for origin in [
            "https://evil.example",
            "http://id.example.org",
            "https://id.example.org:8443",
            "https://sub.id.example.org",
            "https://id.example.org.evil.example",
            "null",
        ] {
            let refused = of(SoftPasskey { origin: origin.to_owned(), ..passkey() }).await;
            assert_eq!(refused.reason(), "PASSKEY_INVALID", "{origin}");
        }
        let evil = "https://evil.example".to_owned();
        assert_eq!(violation(of(SoftPasskey { origin: evil, ..passkey() }).await), invalid("ORIGIN"));
        let framed = SoftPasskey { is_framed: true, ..passkey() };
        assert_eq!(violation(of(framed).await), invalid("ORIGIN"), "in a frame of another site");
        let rp_id = "evil.example".to_owned();
        assert_eq!(violation(of(SoftPasskey { rp_id, ..passkey() }).await), invalid("ORIGIN"));
        for flags in [USER_PRESENT | SYNCED, USER_VERIFIED | SYNCED] {
            let refused = of(SoftPasskey { flags, ..passkey() }).await;
            assert_eq!(violation(refused), invalid("USER_NOT_VERIFIED"), "{flags}");
        }
        // Backup eligible when it was made, and no longer.
        let flags = USER_PRESENT | USER_VERIFIED;
        assert_eq!(violation(of(SoftPasskey { flags, ..passkey() }).await), invalid(""));
        assert_eq!(live(app).await, before);
        of(passkey()).await.unwrap();
    });
}

#[test]
fn the_account_that_the_authenticator_names_is_that_of_the_passkey() {
    on_each_database(async |app| {
        let ada = KeyHolder::sign_up(app, EMAIL, SoftPasskey::new()).await;
        let eve = KeyHolder::sign_up(app, "eve@example.org", SoftPasskey::new()).await;
        for user_handle in [None, Some(vec![]), Some(vec![1; 16]), Some(vec![1; 64]), eve.passkey.user_handle.clone()] {
            let mut changed = SoftPasskey { user_handle, ..ada.passkey.clone() };
            let refused = log_in_with(app, |asked| changed.sign(asked)).await;
            assert_eq!(violation(refused), invalid(""), "{:?}", changed.user_handle);
        }
        // Nor with the key of another passkey under its id.
        let mut forged = SoftPasskey { id: ada.passkey.id.clone(), ..eve.passkey.clone() };
        forged.user_handle = ada.passkey.user_handle.clone();
        assert_eq!(violation(log_in_with(app, |asked| forged.sign(asked)).await), invalid(""));
        assert_eq!(events(app, "login_refused").await, 6);
    });
}

#[test]
fn an_answer_to_something_else_is_refused() {
    on_each_database(async |app| {
        let mut ada = KeyHolder::sign_up(app, EMAIL, SoftPasskey::new()).await;
        let (one, other) = (app.start_passkey_login().await, app.start_passkey_login().await);
        let answer = ada.passkey.sign(&one.passkey_request_json);
        let refused = app.complete_passkey_login(&other.challenge_token, &answer).await;
        assert_eq!(violation(refused), invalid(""), "another challenge");
        // Of another ceremony: a registration.
        let started = app.start_passkey_login().await;
        let registered = ada.passkey.clone().register(
            &json!({
                "challenge": serde_json::from_str::<Value>(&started.passkey_request_json).unwrap()["challenge"],
                "user": { "id": "AAAA" },
            })
            .to_string(),
        );
        let refused = app.complete_passkey_login(&started.challenge_token, &registered).await;
        assert_eq!((refused.clone().reason(), refused.fields()), field());
        let mut answer = ada.passkey.sign(&started.passkey_request_json);
        let refresh_token = ada.person.session.refresh_token.as_str();
        for (token, reason) in [
            ("", "TOKEN_MISSING"),
            ("x", "CHALLENGE_INVALID"),
            ("v4.local.AAAA", "CHALLENGE_INVALID"),
            (refresh_token, "CHALLENGE_INVALID"),
            (&"x".repeat(3_000), "INVALID_FIELD"),
        ] {
            assert_eq!(app.complete_passkey_login(token, &answer).await.reason(), reason, "{token}");
        }
        let challenged = app.challenge(EMAIL).await;
        let login = complete_login_request::Proof::PasskeyCredentialJson(answer.to_string());
        assert_eq!(app.complete_with(&challenged, login).await.reason(), "PASSKEY_INVALID", "of a login alone");
        // The token of a login takes no code.
        let message = CompleteLoginRequest {
            challenge_token: started.challenge_token.clone(),
            proof: Some(complete_login_request::Proof::BackupCode(ada.backup_codes[0].clone())),
            ..Default::default()
        };
        assert_eq!(app.auth().complete_login(message).await.reason(), "CHALLENGE_INVALID");
        answer["response"]["signature"] = answer["response"]["clientDataJSON"].clone();
        let refused = app.complete_passkey_login(&started.challenge_token, &answer).await;
        assert_eq!(violation(refused), invalid(""), "no signature");
    });
}

fn field() -> (String, Vec<String>) {
    ("INVALID_FIELD".to_owned(), vec!["passkey_credential_json".to_owned()])
}

#[test]
fn what_is_no_answer_is_a_bad_field_and_uses_nothing_up() {
    on_each_database(async |app| {
        let mut ada = KeyHolder::sign_up(app, EMAIL, SoftPasskey::new()).await;
        let challenged = app.challenge(EMAIL).await;
        let good = ada.passkey.sign(&challenged.challenge.passkey_request_json);
        let text = good.to_string();
        let mut other_type = good.clone();
        other_type["type"] = json!("password");
        let mut padded = good.clone();
        padded["rawId"] = json!("++//==");
        let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
        let doubled = text.replacen('{', &format!("{{\"rawId\":{},", good["rawId"]), 1);
        let inner = text.replacen("\"signature\"", "\"signature\":\"AA\",\"signature\"", 1);
        for json in [
            String::new(),
            "null".to_owned(),
            "{}".to_owned(),
            text[..text.len() - 1].to_owned(),
            format!("{text}x"),
            format!("{}{text}", " ".repeat(16 * 1024)),
            deep,
            doubled,
            inner,
            other_type.to_string(),
            padded.to_string(),
        ] {
            let proof = complete_login_request::Proof::PasskeyCredentialJson(json.clone());
            let refused = app.complete_with(&challenged, proof).await;
            assert_eq!((refused.clone().reason(), refused.fields()), field(), "{}", &json[..json.len().min(80)]);
        }
        assert_eq!(app.number("SELECT tries FROM challenges").await, 0);
        let proof = complete_login_request::Proof::PasskeyCredentialJson(text);
        app.complete_with(&challenged, proof).await.unwrap();
    });
}

#[test]
fn client_data_with_doubled_keys_is_refused() {
    on_each_database(async |app| {
        let ada = KeyHolder::sign_up(app, EMAIL, SoftPasskey::new()).await;
        // The client data are signed as they are: what two readers understand differently is refused.
        let mut twice = ada.passkey.clone();
        twice.origin = format!("https://evil.example\",\"origin\":\"{ORIGIN}");
        let refused = log_in_with(app, |asked| twice.sign_raw(asked)).await;
        assert_eq!(violation(refused), invalid(""));
    });
}

#[test]
fn a_registration_that_is_none_enables_nothing() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, EMAIL).await;
        let started = app.start_passkey(&ada.session, "").await.unwrap();
        let mut passkey = SoftPasskey::new();
        let good = passkey.register(&started.passkey_creation_json);
        let finish =
            async |answer: &Value| app.finish_passkey(&ada.session, &started.factor_id, &answer.to_string()).await;
        for changed in [json!(null), json!({}), json!({ "id": "x", "rawId": "x", "type": "public-key" })] {
            let refused = finish(&changed).await;
            assert_eq!((refused.clone().reason(), refused.fields()), field(), "{changed}");
        }
        let long = app.finish_passkey(&ada.session, &started.factor_id, &"x".repeat(20_000)).await;
        assert_eq!(long.fields(), ["passkey_credential_json"]);
        for attestation in ["", "oA", "o2NmbXRkbm9uZWdhdHRTdG10oGhhdXRoRGF0YVgA", "AAAA"] {
            let mut changed = good.clone();
            changed["response"]["attestationObject"] = json!(attestation);
            assert_eq!(violation(finish(&changed).await), invalid(""), "{attestation}");
        }
        let mut elsewhere = SoftPasskey { origin: "https://evil.example".to_owned(), ..SoftPasskey::new() };
        let refused = finish(&elsewhere.register(&started.passkey_creation_json)).await;
        assert_eq!(violation(refused), invalid("ORIGIN"));
        let mut signed = good.clone();
        signed["response"] = passkey.sign(&started.passkey_creation_json)["response"].clone();
        assert_eq!(finish(&signed).await.fields(), ["passkey_credential_json"], "of another ceremony");
        assert_eq!(app.number("SELECT factors FROM accounts").await, 0);
        finish(&good).await.unwrap();
    });
}

#[test]
fn pages_and_apps_that_are_listed_may_ask_for_passkeys() {
    let android = "android:apk-key-hash:47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU";
    let options = AppOptions::with("COUNTERSIGN_PASSKEYS__ORIGINS", &format!("https://example.com,{android}"))
        .and("COUNTERSIGN_BROWSER__ALLOWED_ORIGINS", "https://app.example.org")
        .and("COUNTERSIGN_PASSKEYS__RP_ID", "example.org");
    on_sqlite_with(options, async |app| {
        let rp_id = "example.org".to_owned();
        let mut ada = KeyHolder::sign_up(app, EMAIL, SoftPasskey { rp_id, ..SoftPasskey::new() }).await;
        for origin in [ORIGIN, "https://app.example.org", "https://example.com", android] {
            ada.passkey.origin = origin.to_owned();
            ada.log_in(app).await.unwrap();
        }
        let mut eve = SoftPasskey { origin: "https://other.example.org".to_owned(), ..ada.passkey.clone() };
        assert_eq!(violation(log_in_with(app, |asked| eve.sign(asked)).await), invalid("ORIGIN"));
        let request = Request::get("/.well-known/webauthn").body(Full::default()).unwrap();
        let answer = send(app.address, Version::HTTP_11, request).await;
        let told: Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(told, json!({ "origins": ["https://example.com"] }), "only pages outside the domain");
    });
}
