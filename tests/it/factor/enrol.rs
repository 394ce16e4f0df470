//! Accounts that must have a second factor and have none: a mailed code, the first factor, and only then a session.

use super::{EMAIL, events, introspect, live, mails, totp, violation};
use crate::support::{
    App, AppOptions, Authenticator, Backend, Challenged, Jar, MailText as _, PASSWORD, Person, Protected, Refused as _,
    SoftPasskey, at_once, bearer, email_change_mail, jar, on_each_database_with, on_sqlite_with, reset_mail,
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

pub(super) fn always() -> AppOptions {
    AppOptions::with("COUNTERSIGN_FACTORS__REQUIRED", "always")
}

pub(super) fn for_admins() -> AppOptions {
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
    app.login_code(EMAIL).await
}

/// A code that was not mailed.
async fn wrong_code(app: &App) -> &'static str {
    if mailed_code(app).await == "0000 0000" { "1111 1111" } else { "0000 0000" }
}

/// The challenge of a login from an unrecognized device, after the mailed code.
pub(super) async fn enrolling(app: &App) -> Challenged {
    enrolling_by(app, PASSWORD).await
}

async fn enrolling_by(app: &App, password: &str) -> Challenged {
    // Mails of one instant have no order.
    app.advance(Duration::from_secs(1));
    let challenged = app.challenge_on(EMAIL, password, "").await;
    assert_eq!(methods(&challenged), [LoginMethod::EmailCode]);
    app.prove_email_code(&challenged, &mailed_code(app).await).await.unwrap()
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
pub(super) async fn enrol(app: &App, challenged: &Challenged) -> Result<(Protected, ConfirmTotpResponse), Status> {
    let (authenticator, factor_id) = start_totp(app, challenged).await?;
    let answer = confirm_totp(app, challenged, &factor_id, &authenticator.code(app.time.now())).await?;
    let person = Person { email: EMAIL.to_owned(), session: answer.session.clone().unwrap() };
    let backup_codes = answer.backup_codes.clone();
    Ok((Protected { person, authenticator, factor_id, backup_codes }, answer))
}

pub(super) async fn id_of(app: &App) -> AccountId {
    let identifier = Identifier::Email(EmailAddress::parse(EMAIL).unwrap());
    app.store_operations.find_account.find(&Origin::terminal(), &identifier).await.unwrap().expect("an account").id
}

pub(super) async fn grant_admin(app: &App) {
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
        let refused = app.prove_email_code(&challenged, wrong_code(app).await).await;
        assert_eq!(violation(refused.map(drop)), ("CODE_INVALID".to_owned(), String::new()));
        for typed in ["", "1234567", "123456789", "abcdefgh", &"1".repeat(10_000)] {
            assert_eq!(
                app.prove_email_code(&challenged, typed).await.reason(),
                "INVALID_FIELD",
                "{} bytes",
                typed.len()
            );
        }

        let enrolling = app.prove_email_code(&challenged, &format!(" {} ", code.replace(' ', "-"))).await.unwrap();
        assert_eq!((methods(&enrolling), life(app, &enrolling)), (vec![LoginMethod::Enrol], 30 * 60));
        assert_eq!(app.prove_email_code(&challenged, &code).await.reason(), "CHALLENGE_INVALID", "it works once");
        assert_eq!(app.prove_email_code(&enrolling, &code).await.reason(), "CHALLENGE_INVALID");
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
fn a_device_that_the_password_alone_made_recognized_takes_a_mailed_code_as_well_and_a_passkey_will_do() {
    on_each_database_with(for_admins(), async |app| {
        let ada = Person::sign_up(app, EMAIL).await;
        let (_, device) = app.log_in_on(EMAIL, PASSWORD, "").await;
        assert!(!list(app, &ada.session).await.required);
        grant_admin(app).await;
        assert!(list(app, &ada.session).await.required);
        let challenged = app.challenge_on(EMAIL, PASSWORD, &device).await;
        assert_eq!(methods(&challenged), [LoginMethod::EmailCode]);
        let challenged = app.prove_email_code(&challenged, &mailed_code(app).await).await.unwrap();

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

pub(super) async fn list(app: &App, session: &Session) -> ListFactorsResponse {
    app.factors().list_factors(bearer(&session.access_token, ListFactorsRequest {})).await.unwrap().into_inner()
}

#[test]
fn a_login_that_waits_for_a_factor_ends_with_its_time_its_password_its_account_and_the_first_factor() {
    on_each_database_with(always(), async |app| {
        Person::register(app, EMAIL).await;
        let copied = enrolling(app).await;
        let other = app.challenge(EMAIL).await;
        for device_token in ["", &other.device_token, "countersign_device_x"] {
            let stolen = Challenged { device_token: device_token.to_owned(), ..copied.clone() };
            assert_eq!(start_totp(app, &stolen).await.reason(), "CHALLENGE_INVALID", "{device_token}");
        }
        let late = enrolling(app).await;
        let (authenticator, factor_id) = start_totp(app, &late).await.unwrap();
        app.advance(Duration::from_secs(30 * 60));
        let code = authenticator.code(app.time.now());
        assert_eq!(confirm_totp(app, &late, &factor_id, &code).await.reason(), "CHALLENGE_INVALID");
        let late = app.challenge(EMAIL).await;
        let code = mailed_code(app).await;
        app.advance(Duration::from_secs(600));
        assert_eq!(app.prove_email_code(&late, &code).await.reason(), "CHALLENGE_INVALID");

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
        app.operations.enable_account.enable(&Origin::terminal(), id_of(app).await).await.unwrap();
        assert_eq!(start_totp(app, &disabled).await.reason(), "CHALLENGE_INVALID", "enabled again");
    });
}

#[test]
fn a_login_that_waits_ends_when_the_account_gets_another_address_or_is_deleted() {
    on_each_database_with(for_admins(), async |app| {
        let ada = Person::sign_up(app, EMAIL).await;
        grant_admin(app).await;
        let waiting = enrolling(app).await;
        let token = email_change_mail(app, &ada, "new@example.org").await.link_token();
        let form = ConfirmEmailChangeRequest { token, ..Default::default() };
        app.account().confirm_email_change(form).await.unwrap();
        assert_eq!(start_totp(app, &waiting).await.reason(), "CHALLENGE_INVALID", "the code went to the former one");

        app.challenge("new@example.org").await;
        let waiting = "SELECT count(*) FROM outbox WHERE template = 'login_code' AND finished_at IS NULL";
        assert_eq!(app.number(waiting).await, 1);
        let form = DeleteMeRequest { current_password: PASSWORD.to_owned() };
        app.account().delete_me(ada.asks(form)).await.unwrap();
        assert_eq!((app.number(waiting).await, app.rows("challenges").await), (0, 0));
    });
}

#[test]
fn a_request_for_a_login_that_waits_is_made_for_no_token_beside_it() {
    on_each_database_with(always(), async |app| {
        Person::register(app, EMAIL).await;
        let waiting = enrolling(app).await;
        let service = Backend::enrol(app, "orders").await;
        for token in [service.token.as_str(), "x", "e30.e30.e30.e30.e30"] {
            let message = StartTotpRequest {
                name: "Phone".to_owned(),
                challenge_token: Some(waiting.challenge.challenge_token.clone()),
                device_token: waiting.device_token.clone(),
            };
            app.factors().start_totp(bearer(token, message.clone())).await.unwrap();
            let without = StartTotpRequest { challenge_token: None, ..message };
            assert!(app.factors().start_totp(bearer(token, without)).await.is_err(), "{token}");
        }
        assert_eq!(app.rows("factors").await, 1, "each replaced the one before");
    });
}

#[test]
fn of_many_answers_at_once_one_continues_and_one_opens_a_session() {
    // Fewer connections than calls: none may wait for a second one while it holds the account.
    let options = always().and("COUNTERSIGN_DATABASE__MAX_CONNECTIONS", "4");
    on_each_database_with(options, async |app| {
        Person::register(app, EMAIL).await;
        let challenged = app.challenge(EMAIL).await;
        let code = mailed_code(app).await;
        let mut outcomes = at_once(64, async |_| app.prove_email_code(&challenged, &code).await).await;
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
        let (code, wrong) = (mailed_code(app).await, wrong_code(app).await);
        let outcomes = at_once(64, async |_| app.prove_email_code(&challenged, wrong).await).await;
        assert_eq!(outcomes.refusals.get("CODE_INVALID"), Some(&5), "{:?}", outcomes.refusals);
        outcomes.assert_refused_only_for(&["CODE_INVALID", "CHALLENGE_INVALID"], "wrong codes");
        assert_eq!(app.prove_email_code(&challenged, &code).await.reason(), "CHALLENGE_INVALID");
        for _ in 0..4 {
            app.challenge(EMAIL).await;
        }
        let refused = app.log_in(EMAIL, PASSWORD).await;
        assert_eq!(refused.reason(), "RATE_LIMITED");
        assert_eq!(app.rows("challenges").await, 5, "a refused login leaves no challenge");
        assert_eq!(app.log_in(EMAIL, "another password").await.reason(), "CREDENTIALS_INVALID");
        assert_eq!(mails(app, SUBJECT).await, 5);
        // Whoever used the limit up did so with the former password.
        let password = "nine loud ravens at dawn";
        reset_mail(app, EMAIL).await;
        Person::set_password_by_mail(app, EMAIL, password).await;
        enrolling_by(app, password).await;
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
        app.prove_email_code(&challenged, &code).await.unwrap();
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
        let proof = Some(Proof::EmailCode(mailed_code(app).await));
        let message = CompleteLoginRequest { proof, ..Default::default() };
        let _: CompleteLoginResponse = browser.call(app, "AuthService/CompleteLogin", &message).await.unwrap();
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
