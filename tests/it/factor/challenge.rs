use super::{EMAIL, events, introspect, live, mails, one_slow_worker, violation, wait_for_a_hash};
use crate::support::{
    App, Challenged, Jar, MailText as _, Person, Proof as MailProof, Protected, Purpose, Refused as _, WRONG,
    confirm_totp, details, jar, occupy, on_each_database, on_each_database_with, on_sqlite, opened, reset_mail,
    start_totp,
};
use countersign::{
    grpc::wire::proto::{complete_login_request::Proof, *},
    usecase::Origin,
};
use countersign_domain::time::Timestamp;
use futures_util::future::{join, join_all};
use std::time::Duration;

const CHALLENGE: &str = "__Host-countersign_challenge";

#[test]
fn a_login_of_an_account_with_an_app_needs_the_password_and_a_code() {
    on_each_database(async |app| {
        let ada = Protected::sign_up(app, EMAIL).await;
        let sessions = app.rows("sessions").await;
        let challenged = app.challenge(EMAIL).await;
        let methods = [LoginMethod::Totp, LoginMethod::BackupCode].map(i32::from);
        assert_eq!(challenged.challenge.methods, methods);
        let life = challenged.challenge.expire_time.unwrap().seconds - app.time.now().as_seconds();
        assert_eq!(life, 300);
        assert_eq!((app.rows("sessions").await, app.rows("challenges").await), (sessions, 1));
        assert_eq!(events(app, "login_challenged").await, 1);

        let code = ada.next_code(app);
        let session = app.complete(&challenged, &code).await.unwrap();
        app.me(&session).await.unwrap();
        let told = introspect(app, &session).await;
        assert_eq!((told.level.as_str(), told.methods.join(" ")), ("2", "pwd otp mfa".to_owned()));
        assert_eq!(told.authenticate_time.unwrap().seconds, app.time.now().as_seconds());
        assert_eq!((app.rows("sessions").await, app.rows("challenges").await), (sessions + 1, 0));
        let refreshed = app.refresh(&session.refresh_token).await.unwrap();
        assert_eq!(introspect(app, &refreshed).await.level, "2");
    });
}

#[test]
fn before_the_right_password_nobody_learns_of_a_factor() {
    on_each_database(async |app| {
        Protected::sign_up(app, EMAIL).await;
        Person::register(app, "eve@example.org").await;
        let told = async |email: &str| {
            let refused = app.log_in(email, WRONG).await.unwrap_err();
            let details = details(&refused);
            let info = details.error_info().map(|info| (info.reason.clone(), info.metadata.clone()));
            let violations = details.bad_request().is_some();
            (refused.code(), refused.message().to_owned(), info, violations, details.retry_info().is_some())
        };
        let (ada, eve, nobody) = (told(EMAIL).await, told("eve@example.org").await, told("nobody@example.org").await);
        assert_eq!((&ada, &ada), (&eve, &nobody));
        assert_eq!(app.rows("challenges").await, 0);
    });
}

#[test]
fn a_code_is_read_as_people_type_it_and_what_is_none_uses_nothing_up() {
    on_each_database(async |app| {
        let ada = Protected::sign_up(app, EMAIL).await;
        let challenged = app.challenge(EMAIL).await;
        for typed in ["", "12345", "1234567", "12345a", "Ⅷ23456", &"1".repeat(2_000)] {
            let refused = app.complete(&challenged, typed).await;
            assert_eq!(
                (refused.clone().reason(), refused.fields()),
                ("INVALID_FIELD".into(), vec!["totp_code".into()])
            );
        }
        for typed in ["", "ABCD-EFGH", &"A".repeat(2_000)] {
            let refused = app.complete_with(&challenged, Proof::BackupCode(typed.to_owned())).await;
            assert_eq!(refused.fields(), ["backup_code"]);
        }
        let none = CompleteLoginRequest {
            challenge_token: challenged.challenge.challenge_token.clone(),
            device_token: challenged.device_token.clone(),
            ..Default::default()
        };
        assert_eq!(app.auth().complete_login(none).await.fields(), ["proof"]);
        assert_eq!(app.number("SELECT tries FROM challenges").await, 0);
        let code = ada.next_code(app);
        let arabic: String = code.chars().map(|c| char::from_u32(c as u32 - 0x30 + 0x660).unwrap()).collect();
        let (first, second) = arabic.split_at(6);
        app.complete(&challenged, &format!(" {first} {second}\n")).await.unwrap();
    });
}

#[test]
fn a_code_of_another_time_says_so_and_counts_as_wrong() {
    on_each_database(async |app| {
        let ada = Protected::sign_up(app, EMAIL).await;
        let challenged = app.challenge(EMAIL).await;
        let now = app.time.now();
        // Nobody on a new device learns which code is right in a moment.
        for (away, told) in [(-300, "CLOCK_OFF"), (300, ""), (-330, ""), (330, "")] {
            let then = Timestamp::from_seconds(now.as_seconds() + away);
            let refused = app.complete(&challenged, &ada.authenticator.code(then)).await;
            assert_eq!(violation(refused), ("CODE_INVALID".to_owned(), told.to_owned()), "{away}");
        }
        // The code that confirmed the app, in its own step.
        let used = app.complete(&challenged, &ada.authenticator.code(now)).await;
        assert_eq!(violation(used), ("CODE_INVALID".to_owned(), "USED".to_owned()));
        assert_eq!(app.number("SELECT factor_failures FROM accounts").await, 5);
        let code = ada.next_code(app);
        assert_eq!(app.complete(&challenged, &code).await.reason(), "CHALLENGE_INVALID", "after five wrong codes");
        let challenged = app.challenge(EMAIL).await;
        app.complete(&challenged, &code).await.unwrap();
        assert_eq!(app.number("SELECT factor_failures FROM accounts").await, 0);
        assert_eq!(events(app, "factor_refused").await, 5);
        assert_eq!(mails(app, "The second step for").await, 1, "the first wrong code on a new device");
    });
}

async fn refused(app: &App, challenged: &Challenged, code: &str, what: &str) {
    assert_eq!(app.complete(challenged, code).await.reason(), "CHALLENGE_INVALID", "{what}");
}

#[test]
fn a_challenge_is_worth_nothing_without_the_device_token_of_its_login() {
    on_each_database(async |app| {
        let ada = Protected::sign_up(app, EMAIL).await;
        let challenged = app.challenge(EMAIL).await;
        let other = app.challenge(EMAIL).await;
        let code = ada.next_code(app);
        for device_token in [String::new(), "x".to_owned(), other.device_token.clone()] {
            let stolen = Challenged { device_token, ..challenged.clone() };
            refused(app, &stolen, &code, "a stolen challenge").await;
        }
        let long = Challenged { device_token: "x".repeat(2_000), ..challenged.clone() };
        assert_eq!(app.complete(&long, &code).await.fields(), ["device_token"]);
        assert_eq!(app.number("SELECT sum(tries) FROM challenges").await, 0);
        app.complete(&challenged, &code).await.unwrap();
    });
}

#[test]
fn a_challenge_ends_with_its_time_its_use_and_every_change_of_what_it_rests_on() {
    on_each_database(async |app| {
        let ada = Protected::sign_up(app, EMAIL).await;
        let used = app.challenge(EMAIL).await;
        app.complete(&used, &ada.next_code(app)).await.unwrap();
        refused(app, &used, &ada.next_code(app), "used").await;

        let late = app.challenge(EMAIL).await;
        app.advance(Duration::from_secs(240));
        let code = ada.next_code(app);
        refused(app, &late, &code, "after five minutes").await;

        let reset = app.challenge(EMAIL).await;
        let link = MailProof::Link(reset_mail(app, EMAIL).await.link_token());
        Purpose::Reset.claim(app, &link, "nine loud ravens at dawn", "").await.unwrap();
        refused(app, &reset, &ada.next_code(app), "after a reset").await;

        let again = app.challenge_on(EMAIL, "nine loud ravens at dawn", "").await;
        let id = ada.person.session.account.as_ref().unwrap().account_id.parse().unwrap();
        app.operations.disable_account.disable(&Origin::terminal(), id).await.unwrap();
        refused(app, &again, &ada.next_code(app), "of a disabled account").await;
        app.operations.enable_account.enable(&Origin::terminal(), id).await.unwrap();

        let again = app.challenge_on(EMAIL, "nine loud ravens at dawn", "").await;
        app.operations.reset_factors.reset(&Origin::terminal(), id).await.unwrap();
        refused(app, &again, &ada.next_code(app), "without factors").await;
        app.log_in(EMAIL, "nine loud ravens at dawn").await.unwrap();
    });
}

#[test]
fn a_token_is_good_for_its_own_kind_only() {
    on_each_database(async |app| {
        let ada = Protected::sign_up(app, EMAIL).await;
        let challenged = app.challenge(EMAIL).await;
        let code = ada.next_code(app);
        let session = &ada.person.session;
        let link = reset_mail(app, EMAIL).await.link_token();
        for token in [&session.access_token, &session.refresh_token, &link] {
            let challenge = Challenge { challenge_token: token.clone(), ..challenged.challenge.clone() };
            let other = Challenged { challenge, ..challenged.clone() };
            refused(app, &other, &code, "a token of another kind").await;
        }
        let token = &challenged.challenge.challenge_token;
        assert_eq!(app.refresh(token).await.reason(), "TOKEN_INVALID");
        let stranger = Session { access_token: token.clone(), ..session.clone() };
        assert_eq!(app.me(&stranger).await.reason(), "TOKEN_INVALID");
        let claimed = Purpose::Reset.claim(app, &MailProof::Link(token.clone()), "nine loud ravens at dawn", "").await;
        assert_eq!(claimed.reason(), "LINK_INVALID");
        app.complete(&challenged, &code).await.unwrap();
    });
}

#[test]
fn nobody_logs_in_by_password_alone_once_an_app_is_added() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, EMAIL).await;
        let id = ada.session.account.as_ref().unwrap().account_id.parse().unwrap();
        for round in 0..4 {
            let (authenticator, factor) = start_totp(app, &ada, "Phone").await;
            app.advance(Duration::from_secs(60));
            let code = authenticator.code(app.time.now());
            let before = app.rows("sessions").await;
            let logins = join_all((0..8).map(async |_| app.auth().login(jar::login(EMAIL)).await));
            let (confirmed, logins) = join(confirm_totp(app, &ada, &factor, &code), logins).await;
            confirmed.unwrap();
            // A login that was answered with a session opened it before the app was added.
            let opened = logins
                .into_iter()
                .filter_map(Result::ok)
                .filter(|answer| matches!(answer.get_ref().outcome, Some(login_response::Outcome::Session(_))));
            let opened = i64::try_from(opened.count()).unwrap();
            assert_eq!(app.rows("sessions").await, before + opened, "round {round}");
            app.challenge(EMAIL).await;
            app.operations.reset_factors.reset(&Origin::terminal(), id).await.unwrap();
        }
    });
}

/// The login has read the account without an app, and its hash waits while the app is added.
#[test]
fn a_login_that_was_overtaken_by_an_app_opens_no_session() {
    on_each_database_with(one_slow_worker(), async |app| {
        let ada = Person::sign_up(app, EMAIL).await;
        let (authenticator, factor) = start_totp(app, &ada, "Phone").await;
        let before = live(app).await;
        let busy = occupy(app).await;
        let mut auth = app.auth();
        let login = tokio::spawn(async move { auth.login(jar::login(EMAIL)).await });
        wait_for_a_hash(app).await;
        confirm_totp(app, &ada, &factor, &authenticator.code(app.time.now())).await.unwrap();
        assert_eq!(app.hasher.queue_depth(), 1, "the login was faster");
        assert!(busy.await);
        assert_eq!(login.await.unwrap().reason(), "CREDENTIALS_INVALID");
        assert_eq!(live(app).await, before);
    });
}

#[test]
fn a_browser_has_its_challenge_in_a_cookie_alone() {
    on_sqlite(async |app| {
        let ada = Protected::sign_up(app, EMAIL).await;
        let jar = Jar::default();
        let answer: LoginResponse = jar.call(app, "AuthService/Login", &jar::login(EMAIL)).await.unwrap();
        let Some(login_response::Outcome::Challenge(challenge)) = answer.outcome else { panic!("no challenge") };
        assert_eq!((challenge.challenge_token.as_str(), answer.device_token.as_str()), ("", ""));
        assert_eq!(jar.names(), [CHALLENGE]);
        let with = |code: String| CompleteLoginRequest { proof: Some(Proof::TotpCode(code)), ..Default::default() };
        let path = "AuthService/CompleteLogin";
        let refused: Result<CompleteLoginResponse, _> = jar.call(app, path, &with(ada.wrong_code(app))).await;
        assert_eq!((refused.reason(), jar.names()), ("CODE_INVALID".to_owned(), vec![CHALLENGE.to_owned()]));
        let answer: CompleteLoginResponse = jar.call(app, path, &with(ada.next_code(app))).await.unwrap();
        let cancel_token = answer.cancel_token.clone();
        let session = opened(answer);
        assert_eq!((session.access_token.as_str(), session.refresh_token.as_str()), ("", ""));
        assert!(!cancel_token.is_empty());
        assert_eq!(jar.names(), [jar::ACCESS.to_owned(), jar::REFRESH.to_owned(), jar.turn()]);
        assert_eq!(jar.me(app).await.unwrap(), EMAIL);
        // A challenge that is over is forgotten, too.
        jar.put(CHALLENGE, &app.challenge(EMAIL).await.challenge.challenge_token);
        let refused: Result<CompleteLoginResponse, _> = jar.call(app, path, &with(ada.next_code(app))).await;
        assert_eq!(refused.reason(), "CHALLENGE_INVALID");
        assert!(!jar.names().contains(&CHALLENGE.to_owned()));
        assert_eq!(live(app).await, 2);
    });
}
