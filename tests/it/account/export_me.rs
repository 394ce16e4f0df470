use super::acts::{NEW_PASSWORD, change_password, reset_token, sign_up_as};
use crate::support::{App, MailText as _, PASSWORD, Person, on_each_database};
use countersign::grpc::wire::proto::*;
use serde_json::Value;

async fn export(app: &App, person: &Person) -> (String, Value) {
    let answer = app.account().export_me(person.asks(ExportMeRequest {})).await.unwrap().into_inner();
    assert_eq!(answer.content_type, "application/json");
    let text = String::from_utf8(answer.content).unwrap();
    let document = serde_json::from_str(&text).unwrap();
    (text, document)
}

#[test]
fn an_export_holds_what_is_stored_about_its_owner_and_nobody_else() {
    on_each_database(async |app| {
        let ada = sign_up_as(app, "Ada@example.org", "Ада").await;
        let eve = sign_up_as(app, "eve@example.org", "eve").await;
        app.log_in(&ada.email, PASSWORD).await.unwrap();
        let (text, document) = export(app, &ada).await;
        let account = &document["account"];
        assert_eq!(account["account_id"], super::acts::account_id(&ada).to_string());
        assert_eq!((&account["email"], &account["username"]), (&"Ada@example.org".into(), &"Ада".into()));
        assert_eq!(account["created_at"], "2027-01-15T08:00:01Z");
        assert_eq!(document["sessions"].as_array().unwrap().len(), 2);
        assert!(document["events"].as_array().unwrap().iter().any(|event| event["kind"] == "logged_in"), "{text}");
        for foreign in ["eve@example.org", &super::acts::account_id(&eve).to_string(), &eve.session.session_id] {
            assert!(!text.contains(foreign), "{foreign} stands in {text}");
        }
        let (_, again) = export(app, &ada).await;
        let is_export = |event: &&Value| event["kind"] == "account_exported";
        assert_eq!(again["events"].as_array().unwrap().iter().filter(is_export).count(), 1);
    });
}

#[test]
fn an_export_holds_no_hash_and_no_token() {
    on_each_database(async |app| {
        let ada = sign_up_as(app, "ada@example.org", "ada").await;
        change_password(app, &ada, PASSWORD, NEW_PASSWORD).await.unwrap();
        let token = reset_token(app, &ada.email).await;
        let code = app.mail_to(&ada.email).await.typed_code();
        let (text, _) = export(app, &ada).await;
        let secrets = [
            "$argon2",
            "password_hash",
            "code_mac",
            PASSWORD,
            NEW_PASSWORD,
            &token,
            &code,
            &ada.session.access_token,
            &ada.session.refresh_token,
        ];
        for secret in secrets {
            assert!(!text.contains(secret), "{secret} stands in {text}");
        }
    });
}
