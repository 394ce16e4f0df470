//! Calls that change what protects the account: who has to prove what.

use super::{EMAIL, proven};
use crate::support::{App, PASSWORD, Person, Protected, WRONG, details, on_each_database, reason};
use countersign::grpc::wire::proto::*;
use std::time::Duration;
use tonic::Status;

const NEW_PASSWORD: &str = "nine loud ravens at dawn";

/// Makes each of the calls in turn, the deletion last.
async fn calls(app: &App, person: &Person, current_password: &str) -> Vec<Result<(), Status>> {
    let current_password = current_password.to_owned();
    let account = Some(Account { username: "ada".to_owned(), ..Default::default() });
    let update_mask = Some(prost_types::FieldMask { paths: vec!["username".to_owned()] });
    let rename = UpdateMeRequest { account, update_mask, current_password: current_password.clone() };
    let new_email = "ada@example.net".to_owned();
    let request_id = String::new();
    let current = || current_password.clone();
    let email = RequestEmailChangeRequest { new_email, current_password: current(), request_id: request_id.clone() };
    let new_password = NEW_PASSWORD.to_owned();
    let change = ChangePasswordRequest { current_password: current(), new_password, request_id };
    vec![
        app.account().update_me(person.asks(rename)).await.map(drop),
        app.account().request_email_change(person.asks(email)).await.map(drop),
        app.account().change_password(person.asks(change)).await.map(drop),
        app.account()
            .delete_me(person.asks(DeleteMeRequest { current_password: NEW_PASSWORD.to_owned() }))
            .await
            .map(drop),
    ]
}

fn reasons(answers: &[Result<(), Status>]) -> Vec<String> {
    answers.iter().map(|answer| answer.as_ref().err().map_or_else(|| "OK".to_owned(), reason)).collect()
}

#[test]
fn after_a_fresh_proof_the_password_may_be_left_out_and_not_later() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, EMAIL).await;
        app.advance(Duration::from_secs(601));
        let session = app.refresh(&ada.session.refresh_token).await.unwrap();
        let later = Person { session, ..ada };
        let answers = calls(app, &later, "").await;
        assert_eq!(reasons(&answers[..3]), ["STEP_UP_REQUIRED"; 3]);
        let told = details(answers[0].as_ref().unwrap_err());
        assert_eq!(told.error_info().unwrap().metadata["methods"], "PASSWORD");
        assert_eq!(reasons(&answers[3..]), ["CURRENT_PASSWORD_WRONG"], "a password that is given is checked");

        let session = app.reauthenticate(&later.session, PASSWORD).await.unwrap();
        let fresh = Person { session, ..later };
        assert_eq!(reasons(&calls(app, &fresh, WRONG).await[..3]), ["CURRENT_PASSWORD_WRONG"; 3]);
        assert_eq!(reasons(&calls(app, &fresh, "").await), ["OK"; 4]);
        assert_eq!(app.rows("accounts").await, 0);
    });
}

#[test]
fn with_a_factor_the_password_alone_changes_nothing() {
    on_each_database(async |app| {
        let ada = Protected::sign_up(app, EMAIL).await;
        for password in ["", PASSWORD, WRONG] {
            let answers = calls(app, &ada.person, password).await;
            assert_eq!(reasons(&answers), ["STEP_UP_REQUIRED"; 4], "{password:?}");
            let told = details(answers[2].as_ref().unwrap_err());
            let metadata = told.error_info().unwrap().metadata.clone();
            assert_eq!((metadata["acr"].as_str(), metadata["methods"].as_str()), ("2", "TOTP BACKUP_CODE"));
        }
        assert_eq!(app.number("SELECT max(password_failures) FROM sessions").await, 0, "no try was spent");
        let session = proven(app, &ada).await;
        let fresh = Person { session, ..ada.person.clone() };
        assert_eq!(reasons(&calls(app, &fresh, WRONG).await[..3]), ["CURRENT_PASSWORD_WRONG"; 3]);
        assert_eq!(reasons(&calls(app, &fresh, PASSWORD).await), ["OK"; 4]);
        assert_eq!(app.rows("accounts").await, 0);
    });
}
