use super::{EMAIL, events, mails, proven, violation};
use crate::support::{
    App, AppOptions, Person, Protected, Refused as _, SoftPasskey, add_passkey, bearer, confirm_totp, on_each_database,
    on_each_database_with, start_totp,
};
use countersign::grpc::wire::proto::*;
use std::time::Duration;

async fn list(app: &App, person: &Person) -> Vec<Factor> {
    app.factors().list_factors(person.asks(ListFactorsRequest {})).await.unwrap().into_inner().factors
}

#[test]
fn an_app_is_added_with_its_first_code_listed_renamed_and_removed() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, EMAIL).await;
        let asked = ada.asks(StartTotpRequest { name: " My phone ".to_owned(), ..Default::default() });
        let started = app.factors().start_totp(asked).await.unwrap().into_inner();
        assert_eq!(started.secret.len(), 32, "160 bits");
        let label = "otpauth://totp/Countersign:ada%40example.org?secret=";
        assert!(started.otpauth_uri.starts_with(label), "{}", started.otpauth_uri);
        assert!(started.otpauth_uri.contains(&started.secret));
        assert!(started.qr_svg.starts_with("<svg") && !started.qr_svg.contains("<script"), "{}", started.qr_svg);
        let expires = started.expire_time.unwrap().seconds - app.time.now().as_seconds();
        assert_eq!(expires, 600);
        assert!(list(app, &ada).await.is_empty(), "it waits for its first code");
        assert_eq!(app.number("SELECT factors FROM accounts").await, 0);
        app.log_in(EMAIL, crate::support::PASSWORD).await.unwrap();

        let authenticator = crate::support::Authenticator::new(&started.secret);
        let refused = confirm_totp(app, &ada, &started.factor_id, "000000").await;
        assert_eq!(violation(refused).0, "CODE_INVALID");
        let codes = confirm_totp(app, &ada, &started.factor_id, &authenticator.code(app.time.now())).await.unwrap();
        assert_eq!(codes.len(), 10);
        let factors = list(app, &ada).await;
        assert_eq!((factors.len(), factors[0].name.as_str()), (1, "My phone"));
        assert_eq!(factors[0].kind(), FactorKind::Totp);
        assert!(factors[0].create_time.is_some() && factors[0].last_use_time.is_some());
        assert_eq!((events(app, "factor_added").await, mails(app, "an app was added").await), (1, 1));

        let remove = RemoveFactorRequest { factor_id: started.factor_id.clone(), ..Default::default() };
        assert_eq!(app.factors().remove_factor(ada.asks(remove.clone())).await.reason(), "STEP_UP_REQUIRED");
        app.advance(Duration::from_secs(60));
        let code = authenticator.code(app.time.now());
        let session = app.prove(&ada.session, reauthenticate_request::Proof::TotpCode(code)).await.unwrap();
        let rename = RenameFactorRequest { factor_id: started.factor_id.clone(), name: "Old phone".to_owned() };
        app.factors().rename_factor(bearer(&session.access_token, rename)).await.unwrap();
        assert_eq!((list(app, &ada).await[0].name.as_str(), events(app, "factor_renamed").await), ("Old phone", 1));

        app.factors().remove_factor(bearer(&session.access_token, remove.clone())).await.unwrap();
        let again = app.factors().remove_factor(bearer(&session.access_token, remove)).await;
        assert_eq!(again.reason(), "FACTOR_NOT_FOUND");
        assert_eq!((events(app, "factor_removed").await, mails(app, "an app was removed").await), (1, 1));
        assert_eq!((app.rows("factors").await, app.rows("backup_codes").await), (0, 0), "codes go with the last one");
        app.log_in(EMAIL, crate::support::PASSWORD).await.unwrap();
    });
}

#[test]
fn an_app_that_waits_is_replaced_expires_and_belongs_to_its_account() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, EMAIL).await;
        let eve = Person::sign_up(app, "eve@example.org").await;
        let (first, first_id) = start_totp(app, &ada, "First").await;
        let (second, second_id) = start_totp(app, &ada, "Second").await;
        let now = app.time.now();
        assert_eq!(confirm_totp(app, &ada, &first_id, &first.code(now)).await.reason(), "FACTOR_NOT_FOUND");
        let foreign = confirm_totp(app, &eve, &second_id, &second.code(now)).await;
        assert_eq!(foreign.reason(), "FACTOR_NOT_FOUND");
        for id in ["", "x", &second_id.to_uppercase()] {
            assert_eq!(confirm_totp(app, &ada, id, &second.code(now)).await.reason(), "INVALID_FIELD");
        }
        app.advance(Duration::from_secs(600));
        let refreshed = app.refresh(&ada.session.refresh_token).await.unwrap();
        let ada = Person { session: refreshed, ..ada };
        let late = confirm_totp(app, &ada, &second_id, &second.code(app.time.now())).await;
        assert_eq!(late.reason(), "FACTOR_NOT_FOUND");
        assert_eq!(app.number("SELECT sum(factors) FROM accounts").await, 0);

        // An enabled app stays as it is while another one is being added, and with it the former codes.
        let (third, third_id) = start_totp_proven(app, &ada, crate::support::PASSWORD).await;
        let codes = confirm_totp(app, &ada, &third_id, &third.code(app.time.now())).await.unwrap();
        let ada = Protected { person: ada, authenticator: third, factor_id: third_id, backup_codes: codes };
        let session = proven(app, &ada).await;
        let person = Person { session, ..ada.person.clone() };
        let (fourth, fourth_id) = start_totp(app, &person, "Fourth").await;
        assert_eq!(list(app, &person).await.len(), 1);
        let waiting = app.challenge(EMAIL).await;
        let none = confirm_totp(app, &person, &fourth_id, &fourth.code(app.time.now())).await.unwrap();
        assert!(none.is_empty(), "the codes of the account stay");
        let former = app.complete_with(&waiting, super::backup(&ada.backup_codes[0])).await;
        assert_eq!(former.reason(), "CHALLENGE_INVALID", "what waits began before this app");
        for authenticator in [&ada.authenticator, &fourth] {
            app.advance(Duration::from_secs(60));
            let challenged = app.challenge(EMAIL).await;
            app.complete(&challenged, &authenticator.code(app.time.now())).await.unwrap();
        }
        let refreshed = app.refresh(&eve.session.refresh_token).await.unwrap();
        let eve = Person { session: refreshed, ..eve };
        let eve_again = app.reauthenticate(&eve.session, crate::support::PASSWORD).await.unwrap();
        let rename = RenameFactorRequest { factor_id: fourth_id.clone(), name: "Mine".to_owned() };
        let rename = app.factors().rename_factor(bearer(&eve_again.access_token, rename)).await;
        assert_eq!(rename.reason(), "FACTOR_NOT_FOUND");
        let foreign =
            bearer(&eve_again.access_token, RemoveFactorRequest { factor_id: fourth_id, ..Default::default() });
        assert_eq!(app.factors().remove_factor(foreign).await.reason(), "FACTOR_NOT_FOUND");
    });
}

async fn start_totp_proven(app: &App, person: &Person, password: &str) -> (crate::support::Authenticator, String) {
    let session = app.reauthenticate(&person.session, password).await.unwrap();
    start_totp(app, &Person { session, ..person.clone() }, "Third").await
}

#[test]
fn adding_an_app_needs_a_fresh_proof_and_a_name() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, EMAIL).await;
        for name in ["", " ", "a\u{202E}b", &"x".repeat(65), &"x".repeat(5_000)] {
            let refused = app
                .factors()
                .start_totp(ada.asks(StartTotpRequest { name: name.to_owned(), ..Default::default() }))
                .await;
            assert_eq!(refused.fields(), ["name"], "{} bytes", name.len());
        }
        app.advance(Duration::from_secs(601));
        let refreshed = app.refresh(&ada.session.refresh_token).await.unwrap();
        let asked =
            bearer(&refreshed.access_token, StartTotpRequest { name: "Phone".to_owned(), ..Default::default() });
        assert_eq!(app.factors().start_totp(asked).await.reason(), "STEP_UP_REQUIRED");
        assert_eq!(app.rows("factors").await, 0);
    });
}

#[test]
fn apps_are_begun_three_times_an_hour_and_confirmed_with_ten_codes() {
    on_each_database_with(AppOptions::default().without("COUNTERSIGN_LIMITS__PERCENT"), async |app| {
        let ada = Person::sign_up(app, EMAIL).await;
        let mut last = String::new();
        for _ in 0..3 {
            last = start_totp(app, &ada, "Phone").await.1;
        }
        let fourth = app
            .factors()
            .start_totp(ada.asks(StartTotpRequest { name: "Phone".to_owned(), ..Default::default() }))
            .await;
        assert_eq!(fourth.reason(), "RATE_LIMITED");
        for _ in 0..10 {
            assert_eq!(confirm_totp(app, &ada, &last, "000000").await.reason(), "CODE_INVALID");
        }
        assert_eq!(confirm_totp(app, &ada, &last, "000000").await.reason(), "RATE_LIMITED");
    });
}

#[test]
fn an_account_has_ten_factors_at_most() {
    on_each_database(async |app| {
        let ada = Protected::sign_up(app, EMAIL).await;
        let session = proven(app, &ada).await;
        let person = Person { session, ..ada.person.clone() };
        let (authenticator, last) = start_totp(app, &person, "Phone").await;
        app.execute("UPDATE accounts SET factors = 10").await;
        let refused = confirm_totp(app, &person, &last, &authenticator.code(app.time.now())).await;
        assert_eq!(refused.reason(), "FACTOR_LIMIT_REACHED");
        let refused = app
            .factors()
            .start_totp(person.asks(StartTotpRequest { name: "Phone".to_owned(), ..Default::default() }))
            .await;
        assert_eq!(refused.reason(), "FACTOR_LIMIT_REACHED");
    });
}

#[test]
fn the_export_names_factors_without_secrets_and_a_deleted_account_leaves_none() {
    on_each_database(async |app| {
        let ada = Protected::sign_up(app, EMAIL).await;
        app.challenge(EMAIL).await;
        let session = proven(app, &ada).await;
        let asked = bearer(&session.access_token, ExportMeRequest {});
        let export = app.account().export_me(asked).await.unwrap().into_inner().content;
        let export: serde_json::Value = serde_json::from_slice(&export).unwrap();
        assert_eq!((&export["factors"][0]["name"], &export["backup_codes_left"]), (&"Phone".into(), &10.into()));
        let keys: Vec<_> = export["factors"][0].as_object().unwrap().keys().collect();
        assert_eq!(keys, ["factor_id", "kind", "name", "created_at", "used_at"]);

        let message = DeleteMeRequest { current_password: crate::support::PASSWORD.to_owned() };
        app.account().delete_me(bearer(&session.access_token, message)).await.unwrap();
        for table in ["factors", "backup_codes", "challenges"] {
            assert_eq!(app.rows(table).await, 0, "{table}");
        }
    });
}

#[test]
fn factors_are_counted_as_they_are_whatever_was_counted_before() {
    on_each_database(async |app| {
        let ada = Protected::sign_up(app, EMAIL).await;
        let session = proven(app, &ada).await;
        let mut passkey = SoftPasskey::new();
        let wrong = "UPDATE accounts SET factors = 7, passkeys = 0, factor_failures = 3";
        app.execute(wrong).await;
        let added = add_passkey(app, &session, &mut passkey, "").await.unwrap().factor.unwrap();
        let counts = async |what: &str| {
            let count = async |column: &str| app.number(&format!("SELECT {column} FROM accounts")).await;
            (what.to_owned(), count("factors").await, count("passkeys").await, count("factor_failures").await)
        };
        assert_eq!(counts("added").await, ("added".to_owned(), 2, 1, 3));
        for (factor_id, what, factors, passkeys, failures) in
            [(&ada.factor_id, "the app removed", 1, 1, 3), (&added.factor_id, "the passkey removed", 0, 0, 0)]
        {
            app.execute(&format!("UPDATE accounts SET factors = {}, passkeys = 0", factors + 3)).await;
            let asked = RemoveFactorRequest { factor_id: factor_id.clone(), ..Default::default() };
            app.factors().remove_factor(bearer(&session.access_token, asked)).await.unwrap();
            assert_eq!(counts(what).await, (what.to_owned(), factors, passkeys, failures));
        }
        app.log_in(EMAIL, crate::support::PASSWORD).await.unwrap();
    });
}
