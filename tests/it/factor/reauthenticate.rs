use super::{EMAIL, backup, events, introspect, live, one_slow_worker, totp, violation, wait_for_a_hash};
use crate::support::{
    App, Client, PASSWORD, Person, Protected, Refused as _, at_once, confirm_totp, details, occupy, on_each_database,
    on_each_database_with, start_totp,
};
use countersign::grpc::wire::proto::{reauthenticate_request::Proof, *};
use std::time::Duration;

fn code(code: &str) -> Proof {
    Proof::TotpCode(code.to_owned())
}

async fn export(app: &App, session: &Session) -> Result<(), tonic::Status> {
    let asked = crate::support::bearer(&session.access_token, ExportMeRequest {});
    app.account().export_me(asked).await.map(drop)
}

#[test]
fn an_account_with_an_app_proves_it_and_its_password_is_not_enough() {
    on_each_database(async |app| {
        let ada = Protected::sign_up(app, EMAIL).await;
        let session = &ada.person.session;
        // Opened with a password, before the app was added.
        let refused = export(app, session).await;
        let told = details(refused.as_ref().unwrap_err());
        let metadata = &told.error_info().unwrap().metadata;
        assert_eq!((metadata["acr"].as_str(), metadata["methods"].as_str()), ("2", "TOTP BACKUP_CODE"));
        let by_password = app.reauthenticate(session, PASSWORD).await;
        assert_eq!(
            details(by_password.as_ref().unwrap_err()).error_info().unwrap().metadata["methods"],
            "TOTP BACKUP_CODE"
        );
        assert_eq!(by_password.reason(), "STEP_UP_REQUIRED");

        let proven = app.prove(session, code(&ada.next_code(app))).await.unwrap();
        let told = introspect(app, &proven).await;
        assert_eq!((told.level.as_str(), told.methods.join(" ")), ("2", "pwd otp mfa".to_owned()));
        export(app, &proven).await.unwrap();
        assert_eq!(introspect(app, session).await.level, "1", "an older token says what was so then");
        assert_eq!(export(app, session).await.reason(), "STEP_UP_REQUIRED");

        app.advance(Duration::from_mins(11));
        let refreshed = app.refresh(&proven.refresh_token).await.unwrap();
        assert_eq!(export(app, &refreshed).await.reason(), "STEP_UP_REQUIRED");
        let proven = app.prove(&refreshed, Proof::BackupCode(ada.backup_codes[0].clone())).await.unwrap();
        export(app, &proven).await.unwrap();
        assert_eq!((events(app, "reauthenticated").await, events(app, "backup_code_used").await), (2, 1));
    });
}

#[test]
fn five_wrong_codes_end_the_session_and_count_for_the_account() {
    on_each_database(async |app| {
        let ada = Protected::sign_up(app, EMAIL).await;
        let session = &ada.person.session;
        let wrong = ada.wrong_code(app);
        for _ in 0..4 {
            let refused = app.prove(session, code(&wrong)).await;
            assert_eq!(violation(refused), ("CODE_INVALID".to_owned(), String::new()));
        }
        assert_eq!(app.prove(session, code(&wrong)).await.reason(), "SESSION_ENDED");
        assert_eq!(app.me(session).await.reason(), "SESSION_ENDED");
        assert_eq!((live(app).await, app.number("SELECT factor_failures FROM accounts").await), (0, 5));
        let of_reason = async |reason: &str| {
            let sql = "SELECT count(*) FROM audit_events WHERE kind = 'factor_refused' AND reason =";
            app.number(&format!("{sql} '{reason}'")).await
        };
        assert_eq!((of_reason("CODE_INVALID").await, of_reason("SESSION_ENDED").await), (5, 1));
    });
}

#[test]
fn of_many_proofs_with_one_code_one_counts_and_it_logs_nobody_in() {
    on_each_database(async |app| {
        let ada = Protected::sign_up(app, EMAIL).await;
        let challenged = app.challenge(EMAIL).await;
        let shown = ada.next_code(app);
        let outcomes = at_once(4, async |_| app.prove(&ada.person.session, code(&shown)).await).await;
        outcomes.assert_one_won(&["CODE_INVALID"], "a code");
        assert_eq!(app.complete_with(&challenged, totp(&shown)).await.reason(), "CODE_INVALID");
        app.complete_with(&challenged, backup(&ada.backup_codes[0])).await.unwrap();
    });
}

#[test]
fn an_app_that_is_added_meanwhile_makes_a_password_too_weak() {
    on_each_database_with(one_slow_worker(), async |app| {
        let ada = Person::sign_up(app, EMAIL).await;
        let (authenticator, factor) = start_totp(app, &ada, "Phone").await;
        let busy = occupy(app).await;
        let (client, session) = (Client::to(app.address).await, ada.session.clone());
        let proving = tokio::spawn(async move { client.reauthenticate(&session, PASSWORD).await });
        wait_for_a_hash(app).await;
        confirm_totp(app, &ada, &factor, &authenticator.code(app.time.now())).await.unwrap();
        assert_eq!(app.hasher.queue_depth(), 1, "the proof was faster");
        assert!(busy.await);
        assert_eq!(proving.await.unwrap().reason(), "STEP_UP_REQUIRED");
        assert_eq!(events(app, "reauthenticated").await, 0);
    });
}

/// A stolen token of a session is not its device.
#[test]
fn wrong_codes_with_a_token_alone_count_as_those_of_a_stranger_and_the_device_makes_the_difference() {
    on_each_database(async |app| {
        let ada = Protected::sign_up(app, EMAIL).await;
        let known = app.challenge(EMAIL).await;
        let session = app.complete(&known, &ada.next_code(app)).await.unwrap();
        assert_eq!(app.prove(&session, code(&ada.wrong_code(app))).await.reason(), "CODE_INVALID");
        assert_eq!(app.number("SELECT factor_failures FROM accounts").await, 1);
        let on_device = async |shown: &str| {
            let (proof, device_token) = (Some(code(shown)), known.device_token.clone());
            let message = ReauthenticateRequest { proof, device_token, ..Default::default() };
            app.auth().reauthenticate(crate::support::bearer(&session.access_token, message)).await
        };
        assert_eq!(on_device(&ada.wrong_code(app)).await.reason(), "CODE_INVALID");
        assert_eq!(app.number("SELECT factor_failures FROM accounts").await, 1);
        on_device(&ada.next_code(app)).await.unwrap();
        assert_eq!(app.number("SELECT factor_failures FROM accounts").await, 0);
    });
}

#[test]
fn a_device_on_which_a_person_proved_a_code_again_is_recognized_for_codes() {
    on_each_database(async |app| {
        let (session, device_token) = {
            Person::register(app, EMAIL).await;
            app.log_in_on(EMAIL, PASSWORD, "").await
        };
        let person = Person { email: EMAIL.to_owned(), session };
        let (authenticator, factor) = start_totp(app, &person, "Phone").await;
        confirm_totp(app, &person, &factor, &authenticator.code(app.time.now())).await.unwrap();
        assert_eq!(app.number("SELECT count(*) FROM devices WHERE second_factor_at IS NOT NULL").await, 0);
        app.advance(Duration::from_secs(60));
        let proof = Some(code(&authenticator.code(app.time.now())));
        let message = ReauthenticateRequest { proof, device_token, ..Default::default() };
        app.auth().reauthenticate(person.asks(message)).await.unwrap();
        assert_eq!(app.number("SELECT count(*) FROM devices WHERE second_factor_at IS NOT NULL").await, 1);
    });
}

/// Otherwise four wrong codes and a right password would be endless.
#[test]
fn a_right_password_gives_back_no_try_that_a_wrong_code_spent() {
    on_each_database(async |app| {
        let ada = Protected::sign_up(app, EMAIL).await;
        let session = &ada.person.session;
        for _ in 0..4 {
            assert_eq!(app.prove(session, code(&ada.wrong_code(app))).await.reason(), "CODE_INVALID");
        }
        assert_eq!(app.reauthenticate(session, PASSWORD).await.reason(), "STEP_UP_REQUIRED");
        let form = DeleteMeRequest { current_password: PASSWORD.to_owned() };
        assert_eq!(app.account().delete_me(ada.person.asks(form)).await.reason(), "STEP_UP_REQUIRED");
        assert_eq!(app.prove(session, code(&ada.wrong_code(app))).await.reason(), "SESSION_ENDED");
    });
}
