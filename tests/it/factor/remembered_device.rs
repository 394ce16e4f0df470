use super::{EMAIL, events, introspect, live, one_slow_worker, totp, wait_for_a_hash};
use crate::support::{
    App, AppOptions, Jar, KeyHolder, MailText as _, PASSWORD, Person, Protected, Refused as _, SoftPasskey, WRONG,
    add_passkey, bearer, confirm_totp, jar, occupy, on_each_database, on_each_database_with, on_sqlite_with,
    reset_mail, start_totp,
};
use countersign::{
    grpc::wire::proto::{complete_login_request::Proof, *},
    usecase::Origin,
};
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A device that an account with an app remembers: its token, and the session that remembered it.
struct Remembered {
    owner: Protected,
    session: Session,
    token: String,
}

impl Remembered {
    async fn sign_up(app: &App) -> Self {
        let owner = Protected::sign_up(app, EMAIL).await;
        let (session, token) = remember(app, &owner, "").await;
        Self { owner, session, token }
    }

    async fn is_remembered(&self, app: &App) -> bool {
        takes_password_alone(app, &self.token).await
    }
}

/// Logs in with a code on the device of `token`, and asks that it be remembered.
async fn remember(app: &App, owner: &Protected, token: &str) -> (Session, String) {
    let challenged = app.challenge_on(EMAIL, PASSWORD, token).await;
    let session = app.complete_on(&challenged, totp(&owner.next_code(app)), true).await.unwrap();
    (session, challenged.device_token)
}

async fn takes_password_alone(app: &App, token: &str) -> bool {
    let (identifier, password) = (EMAIL.to_owned(), PASSWORD.to_owned());
    let form = LoginRequest { identifier, password, device_token: token.to_owned(), ..Default::default() };
    let answer = app.auth().login(app.request(form)).await.unwrap().into_inner();
    matches!(answer.outcome, Some(login_response::Outcome::Session(_)))
}

async fn list(app: &App, session: &Session) -> Vec<RememberedDevice> {
    let asked = bearer(&session.access_token, ListRememberedDevicesRequest {});
    app.factors().list_remembered_devices(asked).await.unwrap().into_inner().devices
}

async fn forget(app: &App, session: &Session, device_id: &str) -> Result<(), tonic::Status> {
    let asked = bearer(&session.access_token, ForgetDeviceRequest { device_id: device_id.to_owned() });
    app.factors().forget_device(asked).await.map(drop)
}

#[test]
fn on_a_remembered_device_the_password_alone_logs_in_for_thirty_days_and_proves_no_more_than_that() {
    on_each_database(async |app| {
        let owner = Protected::sign_up(app, EMAIL).await;
        let challenged = app.challenge(EMAIL).await;
        assert_eq!(challenged.challenge.remember_duration.unwrap().seconds, 30 * 24 * 60 * 60);
        let token = challenged.device_token.clone();
        let session = app.complete_on(&challenged, totp(&owner.next_code(app)), true).await.unwrap();
        assert_eq!(introspect(app, &session).await.level, "2", "a factor was proven for this one");
        assert_eq!(events(app, "device_remembered").await, 1);

        let (next, _) = app.log_in_on(EMAIL, PASSWORD, &token).await;
        let told = introspect(app, &next).await;
        assert_eq!((told.level.as_str(), told.methods.join(" ")), ("1", "pwd".to_owned()));
        let asked = bearer(&next.access_token, StartTotpRequest { name: "P".to_owned(), ..Default::default() });
        assert_eq!(
            app.factors().start_totp(asked).await.reason(),
            "STEP_UP_REQUIRED",
            "the factor is a fresh proof, and the device is none"
        );
        assert!(!takes_password_alone(app, "").await, "another device");

        app.advance(30 * DAY - Duration::from_secs(120));
        assert!(takes_password_alone(app, &token).await);
        app.advance(Duration::from_secs(120));
        assert!(!takes_password_alone(app, &token).await, "its time does not begin again with a login");
        app.purge.purge().await.unwrap();
        assert_eq!(app.rows("remembered_devices").await, 0);
    });
}

#[test]
fn a_device_is_remembered_only_when_its_owner_asks() {
    on_each_database(async |app| {
        let owner = Protected::sign_up(app, EMAIL).await;
        let challenged = app.challenge(EMAIL).await;
        app.complete(&challenged, &owner.next_code(app)).await.unwrap();
        assert!(!takes_password_alone(app, &challenged.device_token).await);
        let again = app.challenge_on(EMAIL, PASSWORD, &challenged.device_token).await;
        let wrong = totp(&owner.wrong_code(app));
        assert_eq!(app.complete_on(&again, wrong, true).await.reason(), "CODE_INVALID");
        assert_eq!(app.rows("remembered_devices").await, 0, "nothing was proven");
    });
}

#[test]
fn a_device_is_remembered_by_the_account_that_was_logged_in_to_alone() {
    on_each_database(async |app| {
        let ada = Remembered::sign_up(app).await;
        let eve = Protected::sign_up(app, "eve@example.org").await;
        let challenged = app.challenge_on("eve@example.org", PASSWORD, &ada.token).await;
        let session = app.complete(&challenged, &eve.next_code(app)).await.unwrap();
        app.challenge_on("eve@example.org", PASSWORD, &ada.token).await;
        assert!(list(app, &session).await.is_empty());
        let [device] = list(app, &ada.session).await.try_into().unwrap();
        assert_eq!(forget(app, &session, &device.device_id).await.reason(), "DEVICE_NOT_FOUND");
        assert!(ada.is_remembered(app).await);
    });
}

#[test]
fn remembered_devices_are_listed_and_forgotten_one_by_one() {
    on_each_database(async |app| {
        let owner = Protected::sign_up(app, EMAIL).await;
        let mut tokens = Vec::new();
        for _ in 0..3 {
            let (_, token) = remember(app, &owner, "").await;
            tokens.push(token);
        }
        let (session, _) = app.log_in_on(EMAIL, PASSWORD, &tokens[1]).await;
        let listed = list(app, &session).await;
        assert_eq!(listed.iter().map(|device| device.current).collect::<Vec<_>>(), [false, true, false]);
        assert!(
            listed.windows(2).all(|pair| pair[0].create_time.unwrap().seconds > pair[1].create_time.unwrap().seconds)
        );
        let life = listed[0].expire_time.unwrap().seconds - listed[0].create_time.unwrap().seconds;
        assert_eq!((life, listed[0].user_agent.is_empty()), (30 * 24 * 60 * 60, false));

        forget(app, &session, &listed[0].device_id).await.unwrap();
        assert_eq!(events(app, "device_forgotten").await, 1);
        assert!(!takes_password_alone(app, &tokens[2]).await, "the one that was remembered last");
        assert!(takes_password_alone(app, &tokens[0]).await && takes_password_alone(app, &tokens[1]).await);
        assert_eq!(forget(app, &session, &listed[0].device_id).await.reason(), "DEVICE_NOT_FOUND");
        assert_eq!(forget(app, &session, "phone").await.fields(), ["device_id"]);
    });
}

#[test]
fn an_account_remembers_the_ten_devices_that_were_remembered_last() {
    on_each_database(async |app| {
        let owner = Protected::sign_up(app, EMAIL).await;
        let mut tokens = Vec::new();
        for _ in 0..11 {
            let (_, token) = remember(app, &owner, "").await;
            tokens.push(token);
        }
        assert_eq!(app.rows("remembered_devices").await, 10);
        assert!(!takes_password_alone(app, &tokens[0]).await);
        assert!(takes_password_alone(app, &tokens[1]).await && takes_password_alone(app, &tokens[10]).await);
    });
}

#[test]
fn five_wrong_passwords_in_a_row_make_a_device_forgotten() {
    on_each_database(async |app| {
        let ada = Remembered::sign_up(app).await;
        let guess = async |guess: usize| {
            let form = LoginRequest {
                identifier: EMAIL.to_owned(),
                password: format!("{WRONG} {guess}"),
                device_token: ada.token.clone(),
                ..Default::default()
            };
            app.advance(Duration::from_secs(3_600));
            assert_eq!(app.auth().login(app.request(form)).await.reason(), "CREDENTIALS_INVALID");
        };
        for number in 0..4 {
            guess(number).await;
        }
        assert!(ada.is_remembered(app).await, "four, and the right one begins the count again");
        for number in 4..9 {
            guess(number).await;
        }
        assert!(!ada.is_remembered(app).await);
        let challenged = app.challenge_on(EMAIL, PASSWORD, &ada.token).await;
        assert_eq!(challenged.device_token, ada.token, "it stays recognized");
    });
}

#[test]
fn whatever_changes_what_protects_the_account_forgets_its_devices() {
    on_each_database(async |app| {
        for (number, case) in [
            "a new app",
            "a removed app",
            "other devices are signed out",
            "signed out everywhere",
            "reuse",
            "a passkey",
        ]
        .iter()
        .enumerate()
        {
            let email = format!("ada{number}@example.org");
            let owner = Protected::sign_up(app, &email).await;
            let challenged = app.challenge(&email).await;
            let session = app.complete_on(&challenged, totp(&owner.next_code(app)), true).await.unwrap();
            let person = Person { session, ..owner.person.clone() };
            match *case {
                "a new app" => {
                    let (authenticator, factor) = start_totp(app, &person, "Tablet").await;
                    confirm_totp(app, &person, &factor, &authenticator.code(app.time.now())).await.unwrap();
                }
                "a removed app" => {
                    let (authenticator, factor) = start_totp(app, &person, "Tablet").await;
                    confirm_totp(app, &person, &factor, &authenticator.code(app.time.now())).await.unwrap();
                    app.execute(&revived(&email)).await;
                    let factor_id = owner.factor_id.clone();
                    app.factors()
                        .remove_factor(person.asks(RemoveFactorRequest { factor_id, ..Default::default() }))
                        .await
                        .unwrap();
                }
                "a passkey" => {
                    let mut passkey = SoftPasskey::new();
                    add_passkey(app, &person.session, &mut passkey, "").await.unwrap();
                }
                "other devices are signed out" => {
                    let asked = person.asks(RevokeOtherSessionsRequest {});
                    app.sessions().revoke_other_sessions(asked).await.unwrap();
                }
                "signed out everywhere" => {
                    let refresh_token = person.session.refresh_token.clone();
                    let leaving = LogoutRequest { refresh_token, everywhere: true, ..Default::default() };
                    app.auth().logout(leaving).await.unwrap();
                }
                _ => {
                    let stolen = person.session.refresh_token.clone();
                    let next = app.refresh(&stolen).await.unwrap();
                    app.refresh(&next.refresh_token).await.unwrap();
                    app.advance(Duration::from_secs(61));
                    assert_eq!(app.refresh(&stolen).await.reason(), "REFRESH_TOKEN_REUSED");
                }
            }
            app.challenge_on(&email, PASSWORD, &challenged.device_token).await;
        }
    });
}

/// Remembers the devices of an account as if nothing had forgotten them.
fn revived(email: &str) -> String {
    format!(
        "INSERT INTO remembered_devices \
         SELECT d.id, d.account_id, d.tenant_id, '', '', d.created_at, d.created_at + 2592000000000 \
         FROM devices AS d JOIN accounts AS a ON a.id = d.account_id WHERE a.email = '{email}'"
    )
}

#[test]
fn a_new_password_forgets_every_device() {
    on_each_database(async |app| {
        let ada = Remembered::sign_up(app).await;
        let new = "four grey herons watch the tide";
        let change = ChangePasswordRequest { new_password: new.to_owned(), ..Default::default() };
        app.account().change_password(bearer(&ada.session.access_token, change)).await.unwrap();
        app.challenge_on(EMAIL, new, &ada.token).await;

        let challenged = app.challenge_on(EMAIL, new, &ada.token).await;
        app.complete_on(&challenged, totp(&ada.owner.next_code(app)), true).await.unwrap();
        app.log_in_on(EMAIL, new, &challenged.device_token).await;
        let token = reset_mail(app, EMAIL).await.link_token();
        let reset = ResetRequest {
            token,
            new_password: PASSWORD.replace("dusk", "dawn"),
            device_token: challenged.device_token.clone(),
            ..Default::default()
        };
        let password = reset.new_password.clone();
        app.account().reset(reset).await.unwrap();
        app.challenge_on(EMAIL, &password, &challenged.device_token).await;
    });
}

#[test]
fn an_operator_who_resets_factors_forgets_devices_and_a_new_app_is_asked_for_there() {
    on_each_database(async |app| {
        let ada = Remembered::sign_up(app).await;
        let account = app.me(&ada.session).await.unwrap().account_id.parse().unwrap();
        app.operations.reset_factors.reset(&Origin::terminal(), account).await.unwrap();
        assert_eq!(app.rows("remembered_devices").await, 0);
        let (session, _) = app.log_in_on(EMAIL, PASSWORD, &ada.token).await;
        let person = Person { session, ..ada.owner.person.clone() };
        let (authenticator, factor) = start_totp(app, &person, "Phone").await;
        confirm_totp(app, &person, &factor, &authenticator.code(app.time.now())).await.unwrap();
        assert!(!ada.is_remembered(app).await);
    });
}

#[test]
fn a_login_that_was_overtaken_by_forgetting_opens_no_session() {
    on_each_database_with(one_slow_worker(), async |app| {
        let ada = Remembered::sign_up(app).await;
        let [device] = list(app, &ada.session).await.try_into().unwrap();
        let before = live(app).await;
        let busy = occupy(app).await;
        let (mut auth, token) = (app.auth(), ada.token.clone());
        let form = LoginRequest { device_token: token, ..jar::login(EMAIL) };
        let login = tokio::spawn(async move { auth.login(form).await });
        wait_for_a_hash(app).await;
        forget(app, &ada.session, &device.device_id).await.unwrap();
        assert_eq!(app.hasher.queue_depth(), 1, "the login was faster");
        assert!(busy.await);
        assert_eq!(login.await.unwrap().reason(), "CREDENTIALS_INVALID");
        assert_eq!(live(app).await, before);
    });
}

#[test]
fn a_passkey_remembers_a_device_as_a_code_does() {
    on_each_database(async |app| {
        let mut ada = KeyHolder::sign_up(app, EMAIL, SoftPasskey::new()).await;
        let challenged = app.challenge(EMAIL).await;
        let proof = ada.answers(&challenged);
        app.complete_on(&challenged, proof, true).await.unwrap();
        assert!(takes_password_alone(app, &challenged.device_token).await);

        let started = app.start_passkey_login().await;
        let answer = ada.passkey.sign(&started.passkey_request_json).to_string();
        let form = CompleteLoginRequest {
            challenge_token: started.challenge_token,
            proof: Some(Proof::PasskeyCredentialJson(answer)),
            remember_device: true,
            ..Default::default()
        };
        let completed = app.auth().complete_login(form).await.unwrap().into_inner();
        assert!(takes_password_alone(app, &completed.device_token).await);
    });
}

#[test]
fn a_browser_is_remembered_by_the_cookie_of_its_device() {
    on_each_database(async |app| {
        let owner = Protected::sign_up(app, EMAIL).await;
        let jar = Jar::default();
        let answer: LoginResponse = jar.call(app, "AuthService/Login", &jar::login(EMAIL)).await.unwrap();
        assert!(matches!(answer.outcome, Some(login_response::Outcome::Challenge(_))));
        let proof = Some(totp(&owner.next_code(app)));
        let form = CompleteLoginRequest { proof, remember_device: true, ..Default::default() };
        let _: CompleteLoginResponse = jar.call(app, "AuthService/CompleteLogin", &form).await.unwrap();
        let answer: LoginResponse = jar.call(app, "AuthService/Login", &jar::login(EMAIL)).await.unwrap();
        assert!(matches!(answer.outcome, Some(login_response::Outcome::Session(_))));
        let other = Jar::default();
        let answer: LoginResponse = other.call(app, "AuthService/Login", &jar::login(EMAIL)).await.unwrap();
        assert!(matches!(answer.outcome, Some(login_response::Outcome::Challenge(_))));
    });
}

#[test]
fn where_no_device_is_remembered_none_is() {
    on_sqlite_with(AppOptions::with("COUNTERSIGN_FACTORS__REMEMBER", "off"), async |app| {
        let owner = Protected::sign_up(app, EMAIL).await;
        let challenged = app.challenge(EMAIL).await;
        assert_eq!(challenged.challenge.remember_duration, None);
        app.complete_on(&challenged, totp(&owner.next_code(app)), true).await.unwrap();
        assert_eq!(app.rows("remembered_devices").await, 0);
        // Rows from before it was switched off count for nothing.
        app.execute(&revived(EMAIL)).await;
        assert!(app.rows("remembered_devices").await > 0);
        assert!(!takes_password_alone(app, &challenged.device_token).await);
    });
}
