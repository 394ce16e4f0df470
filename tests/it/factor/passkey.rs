use super::{EMAIL, events, introspect, live, mails, totp, violation};
use crate::support::{
    AppOptions, Client, KeyHolder, MailText as _, PASSWORD, Person, Proof, Protected, Purpose, Refused as _,
    SoftPasskey, USER_PRESENT, USER_VERIFIED, add_passkey, at_once, bearer, details, on_each_database, on_sqlite_with,
    reset_mail,
};
use countersign::grpc::wire::proto::*;
use serde_json::Value;
use std::time::Duration;

/// Bitwarden's.
const AAGUID: [u8; 16] = 0xd548_826e_79b4_db40_a3d8_1111_6f7e_8349_u128.to_be_bytes();

async fn list(client: &Client, session: &Session) -> Vec<Factor> {
    let asked = bearer(&session.access_token, ListFactorsRequest {});
    client.factors().list_factors(asked).await.unwrap().into_inner().factors
}

#[test]
fn an_export_says_what_a_passkey_is_and_holds_neither_its_key_nor_its_credential() {
    on_each_database(async |app| {
        let passkey = SoftPasskey { aaguid: AAGUID, ..SoftPasskey::new() };
        let mut ada = KeyHolder::sign_up(app, EMAIL, passkey).await;
        let session = ada.log_in(app).await.unwrap();
        let asked = bearer(&session.access_token, ExportMeRequest {});
        let answer = app.account().export_me(asked).await.unwrap().into_inner();
        let document: Value = serde_json::from_slice(&answer.content).unwrap();
        let factor = &document["factors"][0];
        let keys: Vec<_> = factor.as_object().unwrap().keys().map(String::as_str).collect();
        let known = ["factor_id", "kind", "name", "created_at", "used_at", "is_backup_eligible", "authenticator"];
        assert_eq!(keys, known, "{factor}");
        assert_eq!((&factor["kind"], &factor["authenticator"]), (&"passkey".into(), &"Bitwarden".into()));
        assert_eq!(document["factors"].as_array().unwrap().len(), 1, "the key of the backup codes is none of them");
    });
}

#[test]
fn a_passkey_is_added_and_listed_with_what_is_known_of_it() {
    on_each_database(async |app| {
        let mut ada = Person::sign_up(app, EMAIL).await;
        let mut passkey = SoftPasskey { aaguid: AAGUID, ..SoftPasskey::new() };
        let finished = add_passkey(app, &ada.session, &mut passkey, "").await.unwrap();
        assert_eq!(finished.backup_codes.len(), 10, "with the first factor");
        let factor = finished.factor.unwrap();
        assert_eq!((factor.kind(), factor.name.as_str()), (FactorKind::Passkey, "Bitwarden"));
        assert_eq!((factor.backup_eligible, factor.authenticator.as_str()), (true, "Bitwarden"));
        assert_eq!((events(app, "factor_added").await, mails(app, "A passkey for").await), (1, 1));

        // Beside it, another one that has a name, counts, and stays on its device.
        ada.session = app.prove_by_passkey(&ada.session, &mut passkey).await.unwrap();
        let mut key = SoftPasskey::counting();
        let second = add_passkey(app, &ada.session, &mut key, " Key ring ").await.unwrap();
        assert!(second.backup_codes.is_empty());
        assert_eq!(key.user_handle, passkey.user_handle, "one account has one name in all authenticators");
        let mut listed = list(app, &ada.session).await;
        listed.sort_by_key(|factor| factor.name.clone());
        let told: Vec<_> = listed.iter().map(|factor| (factor.name.as_str(), factor.backup_eligible)).collect();
        assert_eq!(told, [("Bitwarden", true), ("Key ring", false)]);
        assert_eq!(listed[1].authenticator, "");
        assert_eq!(app.number("SELECT factors FROM accounts").await, 2);
    });
}

#[test]
fn an_authenticator_is_asked_for_a_discoverable_passkey_that_verifies_its_user() {
    on_each_database(async |app| {
        let ada = KeyHolder::sign_up(app, EMAIL, SoftPasskey::new()).await;
        let mut passkey = ada.passkey;
        let proven = app.prove_by_passkey(&ada.person.session, &mut passkey).await.unwrap();
        let started = app.start_passkey(&proven, "Phone").await.unwrap();
        let asked: Value = serde_json::from_str(&started.passkey_creation_json).unwrap();
        assert_eq!(asked["rp"]["id"], "id.example.org");
        let selection = &asked["authenticatorSelection"];
        assert_eq!((&selection["residentKey"], &selection["requireResidentKey"]), (&"required".into(), &true.into()));
        assert_eq!(selection["userVerification"], "required");
        assert_eq!(asked["attestation"], "none");
        assert_eq!(asked["user"]["name"], EMAIL);
        let excluded = asked["excludeCredentials"].as_array().unwrap();
        assert_eq!(excluded.len(), 1, "its authenticator makes no second one");
        assert_eq!(excluded[0]["transports"], serde_json::json!(["internal", "hybrid"]));
        let handle = asked["user"]["id"].as_str().unwrap();
        let account = ada.person.session.account.unwrap().account_id;
        assert!(!account.replace('-', "").contains(handle) && handle.len() == 22, "{handle} is random");

        let asked: Value = serde_json::from_str(&app.start_passkey_login().await.passkey_request_json).unwrap();
        assert_eq!((&asked["rpId"], &asked["userVerification"]), (&"id.example.org".into(), &"required".into()));
        assert_eq!(asked["allowCredentials"], serde_json::json!([]));
    });
}

#[test]
fn a_password_and_a_passkey_are_a_login_of_the_highest_level() {
    on_each_database(async |app| {
        let mut ada = KeyHolder::sign_up(app, EMAIL, SoftPasskey::counting()).await;
        let challenged = app.challenge(EMAIL).await;
        let methods = [LoginMethod::Passkey, LoginMethod::BackupCode].map(i32::from);
        assert_eq!(challenged.challenge.methods, methods, "it has no app");
        let asked: Value = serde_json::from_str(&challenged.challenge.passkey_request_json).unwrap();
        assert_eq!(asked["allowCredentials"].as_array().unwrap().len(), 1);
        let proof = ada.answers(&challenged);
        let session = app.complete_with(&challenged, proof.clone()).await.unwrap();
        let told = introspect(app, &session).await;
        assert_eq!((told.level.as_str(), told.methods.join(" ")), ("3", "pwd pop user mfa".to_owned()));
        assert_eq!(app.complete_with(&challenged, proof).await.reason(), "CHALLENGE_INVALID", "used");
        // A challenge of another account says nothing of this one.
        Protected::sign_up(app, "bob@example.org").await;
        let challenged = app.challenge("bob@example.org").await;
        assert_eq!(challenged.challenge.passkey_request_json, "");
        let answer = ada.passkey.clone().sign(&app.start_passkey_login().await.passkey_request_json);
        let proof = complete_login_request::Proof::PasskeyCredentialJson(answer.to_string());
        assert_eq!(app.complete_with(&challenged, proof).await.reason(), "PASSKEY_INVALID");
    });
}

#[test]
fn five_wrong_passkeys_void_a_challenge_and_lock_nobody_out() {
    on_each_database(async |app| {
        let mut ada = KeyHolder::sign_up(app, EMAIL, SoftPasskey::new()).await;
        let challenged = app.challenge(EMAIL).await;
        let mut stranger = SoftPasskey { id: ada.passkey.id.clone(), ..SoftPasskey::new() };
        for _ in 0..5 {
            let answer = stranger.sign(&challenged.challenge.passkey_request_json).to_string();
            let proof = complete_login_request::Proof::PasskeyCredentialJson(answer);
            let refused = app.complete_with(&challenged, proof).await;
            assert_eq!(violation(refused), ("PASSKEY_INVALID".to_owned(), String::new()));
        }
        let proof = ada.answers(&challenged);
        assert_eq!(app.complete_with(&challenged, proof).await.reason(), "CHALLENGE_INVALID");
        assert_eq!(app.number("SELECT factor_failures FROM accounts").await, 0);
        assert_eq!(events(app, "factor_refused").await, 5);
        assert_eq!(mails(app, "The second step for").await, 1, "somebody has the password");
        // What is delayed after wrong proofs is not delayed by these.
        let challenged = app.challenge(EMAIL).await;
        let code = complete_login_request::Proof::BackupCode(ada.backup_codes[0].clone());
        app.complete_with(&challenged, code).await.unwrap();
    });
}

#[test]
fn a_passkey_opens_what_wrong_codes_locked() {
    on_each_database(async |app| {
        let ada = Protected::sign_up(app, EMAIL).await;
        let session = super::proven(app, &ada).await;
        let mut passkey = SoftPasskey::new();
        add_passkey(app, &session, &mut passkey, "").await.unwrap();
        app.execute("UPDATE accounts SET factor_failures = 20").await;
        let challenged = app.challenge(EMAIL).await;
        let code = ada.next_code(app);
        assert_eq!(app.complete_with(&challenged, totp(&code)).await.reason(), "FACTOR_LOCKED");
        let methods = [LoginMethod::Passkey, LoginMethod::BackupCode].map(i32::from);
        assert_eq!(challenged.challenge.methods, methods);
        let answer = passkey.sign(&challenged.challenge.passkey_request_json).to_string();
        let proof = complete_login_request::Proof::PasskeyCredentialJson(answer);
        app.complete_with(&challenged, proof).await.unwrap();
        assert_eq!(app.number("SELECT factor_failures FROM accounts").await, 0);
        let challenged = app.challenge(EMAIL).await;
        app.complete_with(&challenged, totp(&ada.next_code(app))).await.unwrap();
    });
}

#[test]
fn a_passkey_proves_again_who_holds_a_session_and_only_that_session() {
    on_each_database(async |app| {
        let mut ada = KeyHolder::sign_up(app, EMAIL, SoftPasskey::counting()).await;
        let export = async |session: &Session| {
            app.account().export_me(bearer(&session.access_token, ExportMeRequest {})).await.map(drop)
        };
        let refused = export(&ada.person.session).await;
        let told = details(refused.as_ref().unwrap_err());
        assert_eq!(told.error_info().unwrap().metadata["methods"], "PASSKEY BACKUP_CODE");
        let first = app.prove_by_passkey(&ada.person.session, &mut ada.passkey).await.unwrap();
        let told = introspect(app, &first).await;
        assert_eq!((told.level.as_str(), told.methods.join(" ")), ("3", "pwd pop user mfa".to_owned()));
        export(&first).await.unwrap();

        // The token belongs to its session, and works once.
        let other = ada.log_in(app).await.unwrap();
        let started = app.start_passkey_proof(&first).await.unwrap();
        let answer = ada.passkey.sign(&started.passkey_request_json);
        let token = &started.challenge_token;
        assert_eq!(app.answer_passkey_proof(&other, token, &answer).await.reason(), "CHALLENGE_INVALID");
        assert_eq!(app.answer_passkey_proof(&other, "", &answer).await.reason(), "CHALLENGE_INVALID");
        let second = app.answer_passkey_proof(&first, token, &answer).await.unwrap();
        let again = ada.passkey.sign(&started.passkey_request_json);
        assert_eq!(app.answer_passkey_proof(&second, token, &again).await.reason(), "CHALLENGE_INVALID");
        // Not a login, and the token of a login proves nothing here.
        assert_eq!(app.complete_passkey_login(token, &answer).await.reason(), "CHALLENGE_INVALID");
        let login = app.start_passkey_login().await;
        let answer = ada.passkey.sign(&login.passkey_request_json);
        let refused = app.answer_passkey_proof(&second, &login.challenge_token, &answer).await;
        assert_eq!(refused.reason(), "CHALLENGE_INVALID");

        let started = app.start_passkey_proof(&second).await.unwrap();
        app.advance(Duration::from_mins(5));
        let answer = ada.passkey.sign(&started.passkey_request_json);
        let refused = app.answer_passkey_proof(&second, &started.challenge_token, &answer).await;
        assert_eq!(refused.reason(), "CHALLENGE_INVALID", "after five minutes");
        app.me(&second).await.unwrap();
    });
}

#[test]
fn a_session_that_a_passkey_opened_has_the_level_of_a_code_after_a_code() {
    on_each_database(async |app| {
        let mut ada = KeyHolder::sign_up(app, EMAIL, SoftPasskey::new()).await;
        let session = ada.log_in(app).await.unwrap();
        let code = reauthenticate_request::Proof::BackupCode(ada.backup_codes[0].clone());
        let proven = app.prove(&session, code).await.unwrap();
        let told = introspect(app, &proven).await;
        assert_eq!((told.level.as_str(), told.methods.join(" ")), ("2", "otp mfa".to_owned()));
        let proven = app.prove_by_passkey(&proven, &mut ada.passkey).await.unwrap();
        assert_eq!(introspect(app, &proven).await.level, "3");
    });
}

#[test]
fn five_wrong_passkeys_end_the_session() {
    on_each_database(async |app| {
        let ada = KeyHolder::sign_up(app, EMAIL, SoftPasskey::new()).await;
        let session = &ada.person.session;
        let mut stranger = SoftPasskey { id: ada.passkey.id.clone(), ..SoftPasskey::new() };
        for _ in 0..4 {
            assert_eq!(app.prove_by_passkey(session, &mut stranger).await.reason(), "PASSKEY_INVALID");
        }
        assert_eq!(app.prove_by_passkey(session, &mut stranger).await.reason(), "SESSION_ENDED");
        assert_eq!((live(app).await, app.number("SELECT factor_failures FROM accounts").await), (0, 0));
    });
}

#[test]
fn who_has_no_passkey_is_asked_for_none() {
    on_each_database(async |app| {
        let ada = Protected::sign_up(app, EMAIL).await;
        assert_eq!(app.start_passkey_proof(&ada.person.session).await.reason(), "FACTOR_NOT_FOUND");
        // One that waits is none.
        let proven = super::proven(app, &ada).await;
        app.start_passkey(&proven, "").await.unwrap();
        assert_eq!(app.start_passkey_proof(&proven).await.reason(), "FACTOR_NOT_FOUND");
        assert_eq!(app.challenge(EMAIL).await.challenge.passkey_request_json, "");
    });
}

#[test]
fn a_passkey_that_waits_is_replaced_and_expires_and_is_finished_once() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, EMAIL).await;
        let first = app.start_passkey(&ada.session, "First").await.unwrap();
        let second = app.start_passkey(&ada.session, "Second").await.unwrap();
        assert_eq!(second.expire_time.unwrap().seconds - app.time.now().as_seconds(), 600);
        let mut passkey = SoftPasskey::new();
        let answer = passkey.register(&first.passkey_creation_json).to_string();
        let finish = async |id: &str, answer: &str| app.finish_passkey(&ada.session, id, answer).await;
        assert_eq!(finish(&first.factor_id, &answer).await.reason(), "FACTOR_NOT_FOUND", "replaced");
        let refused = finish(&second.factor_id, &answer).await;
        assert_eq!(violation(refused), ("PASSKEY_INVALID".to_owned(), String::new()), "of another challenge");
        let answer = passkey.register(&second.passkey_creation_json).to_string();
        let outcomes = at_once(8, async |_| finish(&second.factor_id, &answer).await).await;
        outcomes.assert_one_won(&["FACTOR_NOT_FOUND", "STEP_UP_REQUIRED"], "a passkey");
        assert_eq!(app.number("SELECT factors FROM accounts").await, 1);

        let proven = app.prove_by_passkey(&ada.session, &mut passkey).await.unwrap();
        let third = app.start_passkey(&proven, "Third").await.unwrap();
        let answer = SoftPasskey::new().register(&third.passkey_creation_json).to_string();
        app.advance(Duration::from_mins(10));
        let proven = app.refresh(&proven.refresh_token).await.unwrap();
        let refused = app.finish_passkey(&proven, &third.factor_id, &answer).await;
        assert_eq!(refused.reason(), "FACTOR_NOT_FOUND", "after ten minutes");
    });
}

#[test]
fn a_passkey_is_registered_once_in_a_tenant() {
    on_each_database(async |app| {
        let ada = KeyHolder::sign_up(app, EMAIL, SoftPasskey::new()).await;
        let eve = Person::sign_up(app, "eve@example.org").await;
        let mut copied = ada.passkey.clone();
        let refused = add_passkey(app, &eve.session, &mut copied, "").await;
        assert_eq!(violation(refused), ("PASSKEY_INVALID".to_owned(), "REGISTERED".to_owned()));
        assert_eq!(app.number("SELECT sum(factors) FROM accounts").await, 1);
    });
}

#[test]
fn a_passkey_is_renamed_and_removed_and_then_opens_nothing() {
    on_each_database(async |app| {
        let mut ada = KeyHolder::sign_up(app, EMAIL, SoftPasskey::new()).await;
        let proven = app.prove_by_passkey(&ada.person.session, &mut ada.passkey).await.unwrap();
        let factor_id = ada.factor.factor_id.clone();
        let asked = RenameFactorRequest { factor_id: factor_id.clone(), name: "Laptop".to_owned() };
        app.factors().rename_factor(bearer(&proven.access_token, asked)).await.unwrap();
        assert_eq!(list(app, &proven).await[0].name, "Laptop");
        let asked = RemoveFactorRequest { factor_id, ..Default::default() };
        app.factors().remove_factor(bearer(&proven.access_token, asked)).await.unwrap();
        assert_eq!(mails(app, "was removed").await, 1);
        assert_eq!(ada.log_in(app).await.reason(), "PASSKEY_INVALID");
        app.log_in(EMAIL, PASSWORD).await.unwrap();
        assert_eq!(app.rows("factors").await, 0);
    });
}

#[test]
fn an_authenticator_that_counts_backwards_is_refused_and_its_owner_is_told() {
    on_each_database(async |app| {
        let mut ada = KeyHolder::sign_up(app, EMAIL, SoftPasskey::counting()).await;
        let mut copy = ada.passkey.clone();
        ada.log_in(app).await.unwrap();
        let started = app.start_passkey_login().await;
        let answer = copy.sign(&started.passkey_request_json);
        let refused = app.complete_passkey_login(&started.challenge_token, &answer).await;
        assert_eq!(violation(refused), ("PASSKEY_INVALID".to_owned(), "COUNTER".to_owned()));
        let challenged = app.challenge(EMAIL).await;
        let mut copy = ada.passkey.clone();
        copy.count -= 1;
        let answer = copy.sign(&challenged.challenge.passkey_request_json).to_string();
        let proof = complete_login_request::Proof::PasskeyCredentialJson(answer);
        let refused = app.complete_with(&challenged, proof).await;
        assert_eq!(violation(refused), ("PASSKEY_INVALID".to_owned(), "COUNTER".to_owned()));
        assert_eq!((events(app, "passkey_copied").await, mails(app, "may have been copied").await), (2, 2));
        let named = format!(
            "SELECT count(*) FROM audit_events WHERE kind = 'passkey_copied' AND object = '{}'",
            ada.factor.factor_id
        );
        assert_eq!(app.number(&named).await, 2);
        let told = app.mail_to(EMAIL).await.text;
        assert!(told.contains(&ada.factor.name), "which one: {told}");
        assert_eq!(mails(app, "second step").await, 0, "one mail about one thing");
        // The genuine one still works.
        ada.log_in(app).await.unwrap();
    });
}

#[test]
fn a_call_that_is_made_again_is_no_copied_passkey() {
    on_each_database(async |app| {
        let mut ada = KeyHolder::sign_up(app, EMAIL, SoftPasskey::counting()).await;
        let started = app.start_passkey_login().await;
        let answer = ada.passkey.sign(&started.passkey_request_json);
        let session = app.complete_passkey_login(&started.challenge_token, &answer).await.unwrap();
        let again = app.complete_passkey_login(&started.challenge_token, &answer).await;
        assert_eq!(again.reason(), "CHALLENGE_INVALID");

        let started = app.start_passkey_proof(&session).await.unwrap();
        let answer = ada.passkey.sign(&started.passkey_request_json);
        app.answer_passkey_proof(&session, &started.challenge_token, &answer).await.unwrap();
        for _ in 0..6 {
            let again = app.answer_passkey_proof(&session, &started.challenge_token, &answer).await;
            assert_eq!(again.reason(), "CHALLENGE_INVALID", "and it spends no try");
        }

        let challenged = app.challenge(EMAIL).await;
        let proof = ada.answers(&challenged);
        app.complete_with(&challenged, proof.clone()).await.unwrap();
        assert_eq!(app.complete_with(&challenged, proof).await.reason(), "CHALLENGE_INVALID");
        assert_eq!((events(app, "passkey_copied").await, mails(app, "may have been copied").await), (0, 0));
    });
}

#[test]
fn after_a_reset_a_passkey_logs_in_after_the_new_password_first() {
    on_each_database(async |app| {
        let mut ada = KeyHolder::sign_up(app, EMAIL, SoftPasskey::new()).await;
        ada.log_in(app).await.unwrap();
        let new = "four grey herons watch the tide";
        let proof = Proof::Link(reset_mail(app, EMAIL).await.link_token());
        Purpose::Reset.claim(app, &proof, new, "").await.unwrap();
        let before = live(app).await;
        let refused = ada.log_in(app).await;
        assert_eq!(violation(refused), ("PASSKEY_INVALID".to_owned(), "PASSWORD_NEEDED".to_owned()));
        assert_eq!(live(app).await, before);
        let challenged = app.challenge_on(EMAIL, new, "").await;
        let proof = ada.answers(&challenged);
        app.complete_with(&challenged, proof).await.unwrap();
        ada.log_in(app).await.unwrap();
    });
}

#[test]
fn without_a_domain_name_there_are_no_passkeys() {
    let options = AppOptions::with("COUNTERSIGN_PUBLIC_URL", "https://192.0.2.7");
    on_sqlite_with(options, async |app| {
        let ada = Person::sign_up(app, EMAIL).await;
        assert_eq!(app.start_passkey(&ada.session, "").await.reason(), "PASSKEYS_UNAVAILABLE");
        let asked = app.request(StartPasskeyLoginRequest::default());
        assert_eq!(app.auth().start_passkey_login(asked).await.reason(), "PASSKEYS_UNAVAILABLE");
        assert_eq!(app.start_passkey_proof(&ada.session).await.reason(), "PASSKEYS_UNAVAILABLE");
    });
}

#[test]
fn an_authenticator_without_user_verification_is_refused() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, EMAIL).await;
        for flags in [USER_PRESENT, USER_VERIFIED] {
            let mut weak = SoftPasskey { flags, ..SoftPasskey::new() };
            let refused = add_passkey(app, &ada.session, &mut weak, "").await;
            assert_eq!(violation(refused), ("PASSKEY_INVALID".to_owned(), "USER_NOT_VERIFIED".to_owned()), "{flags}");
        }
        assert_eq!(app.number("SELECT factors FROM accounts").await, 0);
    });
}
