use super::{
    library::{LIMIT, jsqr},
    python::python,
};
use crate::support::{AppOptions, Person, Refused as _, confirm_totp, finish_with, on_sqlite_with};
use countersign::grpc::wire::proto::*;
use serde_json::{Value, json};
use std::process::Command;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/foreign/authenticator.py");

/// What an app of others makes of the URI at this time.
fn app(python: &std::path::Path, uri: &str, time: i64) -> Value {
    let question = json!({"uri": uri, "time": time}).to_string();
    let output = finish_with(Command::new(python).args(["-B", SCRIPT]), question.as_bytes(), LIMIT);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The name of the service has every character that could break a label.
#[test]
fn an_app_of_others_reads_the_qr_code_and_shows_codes_that_are_right() {
    let (Some(python), Some(_)) = (python(), jsqr()) else { return };
    let options = AppOptions::with("COUNTERSIGN_MAIL__FROM", "Ünï / c:o? 🐈 <id@example.org>");
    on_sqlite_with(options, async |service| {
        let ada = Person::sign_up(service, "ada+tag@example.org").await;
        let asked = ada.asks(StartTotpRequest { name: "Phone".to_owned(), ..Default::default() });
        let started = service.factors().start_totp(asked).await.unwrap().into_inner();
        let mut reader = jsqr().unwrap();
        reader.arg(include_str!("authenticator.mjs"));
        let output = finish_with(&mut reader, started.qr_svg.as_bytes(), LIMIT);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(String::from_utf8(output.stdout).unwrap(), started.otpauth_uri);

        let now = service.time.now().as_seconds();
        let shown = app(&python, &started.otpauth_uri, now);
        assert_eq!((&shown["name"], &shown["issuer"]), (&json!("ada+tag@example.org"), &json!("Ünï / c o? 🐈")));
        let late = app(&python, &started.otpauth_uri, now - 60);
        let refused = confirm_totp(service, &ada, &started.factor_id, late["code"].as_str().unwrap()).await;
        assert_eq!(refused.reason(), "CODE_INVALID");
        confirm_totp(service, &ada, &started.factor_id, shown["code"].as_str().unwrap()).await.unwrap();
    });
}
