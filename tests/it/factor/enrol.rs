//! Accounts that must have a second factor and have none: a mailed code, the first factor, and only then a session.

use super::{EMAIL, events, introspect, live, mails, proven, totp, violation};
use crate::support::{
    App, AppOptions, Authenticator, Challenged, Jar, MailText as _, PASSWORD, Person, Protected, Refused as _,
    SoftPasskey, at_once, bearer, jar, on_each_database_with, on_sqlite_with, reset_mail,
};
use countersign::{
    grpc::wire::proto::{complete_login_request::Proof, *},
    usecase::Origin,
};
use countersign_domain::{
    account::Identifier,
    email::EmailAddress,
    id::AccountId,
    key::{KeyPurpose, KeySlot},
};
use std::time::Duration;
use tonic::Status;

const SUBJECT: &str = "Your sign-in code";

fn always() -> AppOptions {
    AppOptions::with("COUNTERSIGN_FACTORS__REQUIRED", "always")
}

fn for_admins() -> AppOptions {
    AppOptions::with("COUNTERSIGN_FACTORS__REQUIRED", "roles").and("COUNTERSIGN_FACTORS__REQUIRED_ROLES", "admin")
}

fn methods(challenged: &Challenged) -> Vec<LoginMethod> {
    challenged.challenge.methods().collect()
}

/// How long a challenge waits from now on.
fn life(app: &App, challenged: &Challenged) -> i64 {
    challenged.challenge.expire_time.unwrap().seconds - app.time.now().as_seconds()
}

/// The newest code that was mailed.
async fn mailed_code(app: &App) -> String {
    let mails = app.mails_to(EMAIL).await;
    mails.iter().find(|mail| mail.subject.contains(SUBJECT)).expect("a mail with a code").typed_code()
}

/// Answers a mailed code.
async fn prove_mail(app: &App, challenged: &Challenged, code: &str) -> Result<Challenged, Status> {
    let message = CompleteLoginRequest {
        challenge_token: challenged.challenge.challenge_token.clone(),
        device_token: challenged.device_token.clone(),
        proof: Some(Proof::EmailCode(code.to_owned())),
        ..Default::default()
    };
    let answer = app.auth().complete_login(message).await?.into_inner();
    match answer.outcome {
        Some(complete_login_response::Outcome::Challenge(challenge)) => {
            assert_eq!(answer.device_token, challenged.device_token);
            Ok(Challenged { challenge, device_token: answer.device_token })
        }
        _ => panic!("a mailed code opened something"),
    }
}

/// The challenge of a login from an unrecognized device, after the mailed code.
async fn enrolling(app: &App) -> Challenged {
    enrolling_by(app, PASSWORD).await
}

async fn enrolling_by(app: &App, password: &str) -> Challenged {
    // Mails of one instant have no order.
    app.advance(Duration::from_secs(1));
    let challenged = app.challenge_on(EMAIL, password, "").await;
    assert_eq!(methods(&challenged), [LoginMethod::EmailCode]);
    prove_mail(app, &challenged, &mailed_code(app).await).await.unwrap()
}

async fn start_totp(app: &App, challenged: &Challenged) -> Result<(Authenticator, String), Status> {
    let message = StartTotpRequest {
        name: "Phone".to_owned(),
        challenge_token: Some(challenged.challenge.challenge_token.clone()),
        device_token: challenged.device_token.clone(),
    };
    let started = app.factors().start_totp(message).await?.into_inner();
    Ok((Authenticator::new(&started.secret), started.factor_id))
}

async fn confirm_totp(
    app: &App,
    challenged: &Challenged,
    factor_id: &str,
    code: &str,
) -> Result<ConfirmTotpResponse, Status> {
    let message = ConfirmTotpRequest {
        factor_id: factor_id.to_owned(),
        code: code.to_owned(),
        challenge_token: Some(challenged.challenge.challenge_token.clone()),
        device_token: challenged.device_token.clone(),
    };
    Ok(app.factors().confirm_totp(message).await?.into_inner())
}

/// Adds an app for a login that waits.
async fn enrol(app: &App, challenged: &Challenged) -> Result<(Protected, ConfirmTotpResponse), Status> {
    let (authenticator, factor_id) = start_totp(app, challenged).await?;
    let answer = confirm_totp(app, challenged, &factor_id, &authenticator.code(app.time.now())).await?;
    let person = Person { email: EMAIL.to_owned(), session: answer.session.clone().unwrap() };
    let backup_codes = answer.backup_codes.clone();
    Ok((Protected { person, authenticator, factor_id, backup_codes }, answer))
}

async fn id_of(app: &App) -> AccountId {
    let identifier = Identifier::Email(EmailAddress::parse(EMAIL).unwrap());
    app.store_operations.find_account.find(&Origin::terminal(), &identifier).await.unwrap().expect("an account").id
}

async fn grant_admin(app: &App) {
    app.operations.grant_role.grant(&Origin::terminal(), id_of(app).await, "admin").await.unwrap();
}

#[test]
fn where_a_factor_is_required_a_mailed_code_and_the_first_factor_come_before_any_session() {
    on_each_database_with(always(), async |app| {
        Person::register(app, EMAIL).await;
        let challenged = app.challenge(EMAIL).await;
        assert_eq!((methods(&challenged), life(app, &challenged)), (vec![LoginMethod::EmailCode], 600));
        assert!(
            challenged.challenge.remember_duration.is_none() && challenged.challenge.passkey_request_json.is_empty()
        );
        let code = mailed_code(app).await;
        // The wrong way round, nothing is accepted and nothing is used up.
        assert_eq!(start_totp(app, &challenged).await.reason(), "CHALLENGE_INVALID");
        assert_eq!(app.complete_with(&challenged, totp("123456")).await.reason(), "CHALLENGE_INVALID");
        let wrong = if code == "0000 0000" { "1111 1111" } else { "0000 0000" };
        let refused = prove_mail(app, &challenged, wrong).await;
        assert_eq!(violation(refused.map(drop)), ("CODE_INVALID".to_owned(), String::new()));
        for typed in ["", "1234567", "123456789", "abcdefgh", &"1".repeat(10_000)] {
            assert_eq!(prove_mail(app, &challenged, typed).await.reason(), "INVALID_FIELD", "{} bytes", typed.len());
        }

        let enrolling = prove_mail(app, &challenged, &format!(" {} ", code.replace(' ', "-"))).await.unwrap();
        assert_eq!((methods(&enrolling), life(app, &enrolling)), (vec![LoginMethod::Enrol], 30 * 60));
        assert_eq!(prove_mail(app, &challenged, &code).await.reason(), "CHALLENGE_INVALID", "it works once");
        assert_eq!(prove_mail(app, &enrolling, &code).await.reason(), "CHALLENGE_INVALID");
        assert_eq!(app.complete_with(&enrolling, totp("123456")).await.reason(), "CHALLENGE_INVALID");
        assert_eq!((live(app).await, app.rows("challenges").await), (0, 1));

        let (authenticator, factor_id) = start_totp(app, &enrolling).await.unwrap();
        assert_eq!(violation(confirm_totp(app, &enrolling, &factor_id, "000000").await).0, "CODE_INVALID");
        let right = authenticator.code(app.time.now());
        let answer = confirm_totp(app, &enrolling, &factor_id, &right).await.unwrap();
        assert_eq!((answer.backup_codes.len(), live(app).await, app.rows("challenges").await), (10, 1, 0));
        let session = answer.session.unwrap();
        let told = introspect(app, &session).await;
        assert_eq!((told.level.as_str(), told.methods.join(" ")), ("2", "pwd otp mfa".to_owned()));
        let kinds = ["login_challenged", "email_code_proven", "factor_added", "logged_in", "factor_refused"];
        for kind in kinds {
            assert_eq!(events(app, kind).await, 1, "{kind}");
        }
        // From then on the device is recognized, and the account one with a factor.
        app.advance(Duration::from_secs(60));
        let next = app.challenge_on(EMAIL, PASSWORD, &enrolling.device_token).await;
        assert_eq!(methods(&next), [LoginMethod::Totp, LoginMethod::BackupCode]);
        app.complete(&next, &authenticator.code(app.time.now())).await.unwrap();
        assert_eq!(mails(app, SUBJECT).await, 1);
    });
}

#[test]
fn on_a_recognized_device_the_factor_is_added_at_once_and_a_passkey_will_do() {
    on_each_database_with(for_admins(), async |app| {
        let ada = Person::sign_up(app, EMAIL).await;
        let (_, device) = app.log_in_on(EMAIL, PASSWORD, "").await;
        assert!(!list(app, &ada.session).await.required);
        grant_admin(app).await;
        assert!(list(app, &ada.session).await.required);
        let challenged = app.challenge_on(EMAIL, PASSWORD, &device).await;
        assert_eq!((methods(&challenged), life(app, &challenged)), (vec![LoginMethod::Enrol], 30 * 60));
        assert_eq!(mails(app, SUBJECT).await, 0);

        let mut passkey = SoftPasskey::new();
        let (challenge_token, device_token) = (challenged.challenge.challenge_token.clone(), device.clone());
        let message = StartPasskeyRequest {
            challenge_token: Some(challenge_token.clone()),
            device_token: device_token.clone(),
            ..Default::default()
        };
        let started = app.factors().start_passkey(message).await.unwrap().into_inner();
        let message = FinishPasskeyRequest {
            factor_id: started.factor_id,
            passkey_credential_json: passkey.register(&started.passkey_creation_json).to_string(),
            challenge_token: Some(challenge_token),
            device_token,
        };
        let finished = app.factors().finish_passkey(message.clone()).await.unwrap().into_inner();
        assert_eq!(app.factors().finish_passkey(message).await.reason(), "CHALLENGE_INVALID", "it works once");
        let told = introspect(app, &finished.session.unwrap()).await;
        assert_eq!((told.level.as_str(), told.methods.join(" ")), ("3", "pwd pop user mfa".to_owned()));
        assert_eq!(finished.backup_codes.len(), 10);
        // A passkey alone is enough for any policy.
        let started = app.start_passkey_login().await;
        let answer = passkey.sign(&started.passkey_request_json);
        let session = app.complete_passkey_login(&started.challenge_token, &answer).await.unwrap();
        app.advance(Duration::from_secs(1));
        app.refresh(&session.refresh_token).await.unwrap();
    });
}

async fn list(app: &App, session: &Session) -> ListFactorsResponse {
    app.factors().list_factors(bearer(&session.access_token, ListFactorsRequest {})).await.unwrap().into_inner()
}

#[test]
fn a_session_without_a_second_step_ends_at_its_refresh_when_policy_comes_to_require_one() {
    on_each_database_with(for_admins(), async |app| {
        let ada = Protected::sign_up(app, EMAIL).await;
        let opened_before = ada.person.session.clone();
        let challenged = app.challenge(EMAIL).await;
        let done = app.complete_on(&challenged, totp(&ada.next_code(app)), true).await.unwrap();
        let (remembered, _) = app.log_in_on(EMAIL, PASSWORD, &challenged.device_token).await;
        grant_admin(app).await;
        app.advance(Duration::from_secs(1));
        for _ in 0..2 {
            let refused = app.refresh(&opened_before.refresh_token).await;
            assert_eq!(refused.reason(), "REAUTHENTICATION_REQUIRED", "it was opened with a password alone");
        }
        assert_eq!(events(app, "refresh_refused").await, 2);
        for session in [&done, &remembered] {
            app.refresh(&session.refresh_token).await.unwrap();
        }
        assert_eq!(live(app).await, 3, "the session itself goes on");
        // With the factor of the account it has a second step.
        let session = proven(app, &ada).await;
        app.advance(Duration::from_secs(1));
        app.refresh(&session.refresh_token).await.unwrap();
    });
}

#[test]
fn a_policy_that_requires_nothing_any_more_takes_the_session_that_it_refused() {
    on_each_database_with(for_admins(), async |app| {
        let ada = Person::sign_up(app, EMAIL).await;
        grant_admin(app).await;
        app.advance(Duration::from_secs(1));
        assert_eq!(app.refresh(&ada.session.refresh_token).await.reason(), "REAUTHENTICATION_REQUIRED");
        app.operations.revoke_role.revoke(&Origin::terminal(), id_of(app).await, "admin").await.unwrap();
        let session = app.refresh(&ada.session.refresh_token).await.unwrap();
        assert_eq!(app.me(&session).await.unwrap().email, EMAIL, "it lost no generation");
    });
}

#[test]
fn the_last_factor_of_an_account_that_must_have_one_stays() {
    on_each_database_with(always(), async |app| {
        Person::register(app, EMAIL).await;
        let waiting = enrolling(app).await;
        let (ada, _) = enrol(app, &waiting).await.unwrap();
        assert!(list(app, &ada.person.session).await.required);
        let remove = async |factor_id: &str| {
            let message = RemoveFactorRequest { factor_id: factor_id.to_owned(), ..Default::default() };
            app.factors().remove_factor(ada.person.asks(message)).await
        };
        assert_eq!(remove(&ada.factor_id).await.reason(), "FACTOR_REQUIRED");
        let mut passkey = SoftPasskey::new();
        crate::support::add_passkey(app, &ada.person.session, &mut passkey, "").await.unwrap();
        remove(&ada.factor_id).await.unwrap();
        let left = list(app, &ada.person.session).await.factors;
        assert_eq!(remove(&left[0].factor_id).await.reason(), "FACTOR_REQUIRED");
        assert_eq!(list(app, &ada.person.session).await.factors, left, "nothing was removed");
    });
}

#[test]
fn a_login_that_waits_for_a_factor_ends_with_its_time_its_password_its_account_and_the_first_factor() {
    on_each_database_with(always(), async |app| {
        Person::register(app, EMAIL).await;
        let copied = enrolling(app).await;
        let other = app.challenge(EMAIL).await;
        for device_token in ["", &other.device_token, "countersign_device_x"] {
            let stolen = Challenged { device_token: device_token.to_owned(), ..copied.clone() };
            assert!(start_totp(app, &stolen).await.is_err(), "{device_token}");
        }
        let late = enrolling(app).await;
        let (authenticator, factor_id) = start_totp(app, &late).await.unwrap();
        app.advance(Duration::from_secs(30 * 60));
        let code = authenticator.code(app.time.now());
        assert_eq!(confirm_totp(app, &late, &factor_id, &code).await.reason(), "CHALLENGE_INVALID");
        let late = app.challenge(EMAIL).await;
        let code = mailed_code(app).await;
        app.advance(Duration::from_secs(600));
        assert_eq!(prove_mail(app, &late, &code).await.reason(), "CHALLENGE_INVALID");

        app.advance(Duration::from_hours(1));
        let before = enrolling(app).await;
        reset_mail(app, EMAIL).await;
        let password = "nine loud ravens at dawn";
        Person::set_password_by_mail(app, EMAIL, password).await;
        assert_eq!(start_totp(app, &before).await.reason(), "CHALLENGE_INVALID", "before another password");

        let (first, second) = (enrolling_by(app, password).await, enrolling_by(app, password).await);
        let (authenticator, factor_id) = start_totp(app, &second).await.unwrap();
        let code = authenticator.code(app.time.now());
        // Both wait, and the app that waits belongs to the account.
        confirm_totp(app, &first, &factor_id, &code).await.unwrap();
        assert_eq!(confirm_totp(app, &second, &factor_id, &code).await.reason(), "CHALLENGE_INVALID");
        assert_eq!((live(app).await, app.rows("challenges").await), (1, 0));

        app.operations.reset_factors.reset(&Origin::terminal(), id_of(app).await).await.unwrap();
        app.advance(Duration::from_hours(1));
        let disabled = enrolling_by(app, password).await;
        app.operations.disable_account.disable(&Origin::terminal(), id_of(app).await).await.unwrap();
        assert_eq!(start_totp(app, &disabled).await.reason(), "CHALLENGE_INVALID");
    });
}

#[test]
fn of_many_answers_at_once_one_continues_and_one_opens_a_session() {
    on_each_database_with(always(), async |app| {
        Person::register(app, EMAIL).await;
        let challenged = app.challenge(EMAIL).await;
        let code = mailed_code(app).await;
        let mut outcomes = at_once(64, async |_| prove_mail(app, &challenged, &code).await).await;
        outcomes.assert_one_won(&["CHALLENGE_INVALID"], "a mailed code");
        let waiting = outcomes.successes.pop().unwrap();
        let (authenticator, factor_id) = start_totp(app, &waiting).await.unwrap();
        let code = authenticator.code(app.time.now());
        // Fewer than the codes that the limit lets through.
        let outcomes = at_once(10, async |_| confirm_totp(app, &waiting, &factor_id, &code).await).await;
        outcomes.assert_one_won(&["CHALLENGE_INVALID", "FACTOR_NOT_FOUND"], "a first factor");
        assert_eq!((live(app).await, app.rows("backup_codes").await), (1, 10));
        assert_eq!(app.number("SELECT factors FROM accounts").await, 1);
    });
}

#[test]
fn five_wrong_codes_void_a_challenge_and_five_mails_an_hour_are_sent() {
    on_each_database_with(always().and("COUNTERSIGN_LIMITS__PERCENT", "100"), async |app| {
        Person::register(app, EMAIL).await;
        let challenged = app.challenge(EMAIL).await;
        let code = mailed_code(app).await;
        let wrong = if code == "0000 0000" { "1111 1111" } else { "0000 0000" };
        let outcomes = at_once(64, async |_| prove_mail(app, &challenged, wrong).await).await;
        assert_eq!(outcomes.refusals.get("CODE_INVALID"), Some(&5), "{:?}", outcomes.refusals);
        outcomes.assert_refused_only_for(&["CODE_INVALID", "CHALLENGE_INVALID"], "wrong codes");
        assert_eq!(prove_mail(app, &challenged, &code).await.reason(), "CHALLENGE_INVALID");
        for _ in 0..4 {
            app.challenge(EMAIL).await;
        }
        let refused = app.log_in(EMAIL, PASSWORD).await;
        assert_eq!(refused.reason(), "RATE_LIMITED");
        assert_eq!(app.rows("challenges").await, 5, "a refused login leaves no challenge");
        assert_eq!(app.log_in(EMAIL, "another password").await.reason(), "CREDENTIALS_INVALID");
        assert_eq!(mails(app, SUBJECT).await, 5);
    });
}

#[test]
fn a_code_is_mailed_only_while_its_login_waits_and_is_the_same_in_every_mail() {
    on_each_database_with(always(), async |app| {
        Person::register(app, EMAIL).await;
        app.challenge(EMAIL).await;
        app.advance(Duration::from_secs(601));
        assert_eq!(mails(app, SUBJECT).await, 0, "too late");

        let challenged = app.challenge(EMAIL).await;
        let code = mailed_code(app).await;
        let again = "UPDATE outbox SET finished_at = NULL, outcome = NULL WHERE template = 'login_code'";
        app.execute(again).await;
        assert_eq!(mailed_code(app).await, code);
        app.key_operations.rotate.now(&Origin::terminal(), &KeySlot::shared(KeyPurpose::Mac)).await.unwrap().unwrap();
        app.keys.maintain().await.unwrap();
        prove_mail(app, &challenged, &code).await.unwrap();
        let stored = "SELECT count(*) FROM outbox WHERE details LIKE '%code%'";
        assert_eq!(app.number(stored).await, 0, "no code is stored");
    });
}

#[test]
fn a_browser_keeps_the_login_that_waits_apart_from_the_session_that_it_has() {
    on_each_database_with(for_admins(), async |app| {
        let eve = Person::sign_up(app, "eve@example.org").await;
        Person::register(app, EMAIL).await;
        grant_admin(app).await;
        let browser = Jar::default();
        browser.log_in(app, &eve.email).await;
        let answer: LoginResponse = browser.call(app, "AuthService/Login", &jar::login(EMAIL)).await.unwrap();
        let Some(login_response::Outcome::Challenge(challenge)) = answer.outcome else { panic!("no challenge") };
        assert_eq!((challenge.challenge_token.as_str(), answer.device_token.as_str()), ("", ""));
        let proof = Some(Proof::EmailCode(mailed_code(app).await));
        let message = CompleteLoginRequest { proof, ..Default::default() };
        let answer: CompleteLoginResponse = browser.call(app, "AuthService/CompleteLogin", &message).await.unwrap();
        let Some(complete_login_response::Outcome::Challenge(challenge)) = answer.outcome else { panic!("a session") };
        assert_eq!((challenge.challenge_token.as_str(), challenge.methods), ("", vec![LoginMethod::Enrol.into()]));

        // Without the field, a request is made in the session.
        let (start, confirm) = ("FactorService/StartTotp", "FactorService/ConfirmTotp");
        let message = StartTotpRequest { name: "Phone".to_owned(), ..Default::default() };
        let in_session: StartTotpResponse = browser.call(app, start, &message).await.unwrap();
        let message = StartTotpRequest { challenge_token: Some(String::new()), ..message };
        let started: StartTotpResponse = browser.call(app, start, &message).await.unwrap();
        assert_eq!(app.number("SELECT count(DISTINCT account_id) FROM factors").await, 2);
        let code = |started: &StartTotpResponse| Authenticator::new(&started.secret).code(app.time.now());
        let message = ConfirmTotpRequest {
            factor_id: in_session.factor_id.clone(),
            code: code(&in_session),
            challenge_token: Some(String::new()),
            ..Default::default()
        };
        let crossed: Result<ConfirmTotpResponse, _> = browser.call(app, confirm, &message).await;
        assert_eq!(crossed.reason(), "FACTOR_NOT_FOUND", "the app of another account");
        let (factor_id, code) = (started.factor_id.clone(), code(&started));
        let message = ConfirmTotpRequest { factor_id, code, ..message };
        let answer: ConfirmTotpResponse = browser.call(app, confirm, &message).await.unwrap();
        assert_eq!((answer.session.unwrap().refresh_token.as_str(), answer.backup_codes.len()), ("", 10));
        assert!(!answer.cancel_token.is_empty());
        assert_eq!(browser.names(), [jar::ACCESS.to_owned(), jar::REFRESH.to_owned(), browser.turn()]);
        assert_eq!(browser.me(app).await.unwrap(), EMAIL);
        assert_eq!(live(app).await, 2, "the session of the browser was replaced; another one is Eve's");
    });
}

#[test]
fn a_browser_whose_session_has_ended_can_still_add_the_factor_that_its_login_waits_for() {
    on_sqlite_with(for_admins(), async |app| {
        Person::register(app, EMAIL).await;
        let browser = Jar::default();
        browser.log_in(app, EMAIL).await;
        grant_admin(app).await;
        app.operations.end_sessions.end_all(&Origin::terminal()).await.unwrap();
        let _: LoginResponse = browser.call(app, "AuthService/Login", &jar::login(EMAIL)).await.unwrap();
        let message = StartTotpRequest { name: "Phone".to_owned(), ..Default::default() };
        let waiting = StartTotpRequest { challenge_token: Some(String::new()), ..message.clone() };
        let started: StartTotpResponse = browser.call(app, "FactorService/StartTotp", &waiting).await.unwrap();
        let code = Authenticator::new(&started.secret).code(app.time.now());
        let message = ConfirmTotpRequest {
            factor_id: started.factor_id,
            code,
            challenge_token: Some(String::new()),
            ..Default::default()
        };
        let _: ConfirmTotpResponse = browser.call(app, "FactorService/ConfirmTotp", &message).await.unwrap();
        assert_eq!(browser.me(app).await.unwrap(), EMAIL);
    });
}
