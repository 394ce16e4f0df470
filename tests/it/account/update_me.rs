use super::acts::{SECOND, sign_up_as};
use crate::support::{
    App, AppOptions, PASSWORD, Person, Refused as _, on_each_database, on_each_database_with, reason,
};
use countersign::grpc::wire::proto::*;
use futures_util::future::join_all;
use std::time::Duration;
use tonic::Status;

const DAY: Duration = Duration::from_hours(24);

async fn update(app: &App, person: &Person, account: Account, paths: &[&str]) -> Result<Account, Status> {
    update_with(app, person, account, paths, PASSWORD).await
}

async fn update_with(
    app: &App,
    person: &Person,
    account: Account,
    paths: &[&str],
    current_password: &str,
) -> Result<Account, Status> {
    let paths = paths.iter().map(|path| (*path).to_owned()).collect();
    let form = UpdateMeRequest {
        account: Some(account),
        update_mask: Some(prost_types::FieldMask { paths }),
        current_password: current_password.to_owned(),
    };
    Ok(app.account().update_me(person.asks(form)).await?.into_inner().account.unwrap())
}

fn named(name: &str) -> Account {
    Account { username: name.to_owned(), ..Default::default() }
}

async fn told(app: &App, email: &str) -> usize {
    app.mails_to(email).await.iter().filter(|mail| mail.subject.contains("user name")).count()
}

/// Sets every field, allowed or not.
fn everything() -> Account {
    Account {
        account_id: "01890000-0000-7000-8000-000000000000".to_owned(),
        email: "eve@example.org".to_owned(),
        username: "countess".to_owned(),
        display_name: "The Countess".to_owned(),
        locale: "de-CH".to_owned(),
        roles: vec!["admin".to_owned()],
        ..Default::default()
    }
}

#[test]
fn only_what_the_mask_names_is_changed() {
    on_each_database(async |app| {
        let ada = sign_up_as(app, "ada@example.org", "ada").await;
        app.advance(SECOND);
        let answer = update(app, &ada, everything(), &["display_name"]).await.unwrap();
        let before = ada.session.account.clone().unwrap();
        let expected = Account { display_name: "The Countess".to_owned(), ..before };
        assert_eq!(answer, expected);
        assert_eq!(app.me(&ada.session).await.unwrap(), expected);

        let answer = update(app, &ada, everything(), &["locale", "username"]).await.unwrap();
        let expected = Account { locale: "de".to_owned(), username: "countess".to_owned(), ..expected };
        assert_eq!(answer, expected);
        assert_eq!(app.me(&ada.session).await.unwrap(), expected);
    });
}

#[test]
fn a_star_names_everything_that_its_owner_may_change() {
    on_each_database(async |app| {
        let ada = sign_up_as(app, "ada@example.org", "ada").await;
        let answer = update(app, &ada, everything(), &["*"]).await.unwrap();
        let before = ada.session.account.clone().unwrap();
        let expected = Account {
            display_name: "The Countess".to_owned(),
            locale: "de".to_owned(),
            username: "countess".to_owned(),
            ..before
        };
        assert_eq!(answer, expected);
        let cleared = update(app, &ada, Account::default(), &["*"]).await.unwrap();
        assert_eq!((cleared.display_name.as_str(), cleared.username.as_str()), ("", ""));
        assert_eq!((cleared.email, cleared.account_id), (answer.email, answer.account_id));
    });
}

#[test]
fn what_its_owner_may_not_change_is_refused_by_name_and_nothing_is_changed() {
    on_each_database(async |app| {
        let ada = sign_up_as(app, "ada@example.org", "ada").await;
        let before = app.me(&ada.session).await.unwrap();
        for forbidden in [
            "email",
            "roles",
            "account_id",
            "*",
            "create_time",
            "email_verify_time",
            "password_hash",
            "tenant_id",
            "disabled_at",
            "account.display_name",
            "display_name ",
            "Display_Name",
            "",
        ] {
            let answer = update(app, &ada, everything(), &["display_name", forbidden]).await;
            assert_eq!(answer.fields(), ["update_mask"], "{forbidden}");
        }
        assert_eq!(update(app, &ada, everything(), &[]).await.fields(), ["update_mask"]);
        let many = vec!["locale"; 17];
        assert_eq!(update(app, &ada, everything(), &many).await.fields(), ["update_mask"]);
        let without = UpdateMeRequest { account: Some(everything()), ..Default::default() };
        assert_eq!(app.account().update_me(ada.asks(without)).await.fields(), ["update_mask"]);
        assert_eq!(app.me(&ada.session).await.unwrap(), before);
        assert_eq!(super::acts::events(app, "profile_changed").await, 0);
    });
}

#[test]
fn every_bad_value_is_named() {
    on_each_database(async |app| {
        let ada = sign_up_as(app, "ada@example.org", "ada").await;
        let bad = Account {
            display_name: "x".repeat(101),
            locale: "../../etc".to_owned(),
            username: "a b".to_owned(),
            ..Default::default()
        };
        let answer = update(app, &ada, bad, &["display_name", "locale", "username"]).await;
        assert_eq!(answer.fields(), ["account.display_name", "account.locale", "account.username"]);
        assert_eq!(app.me(&ada.session).await.unwrap().username, "ada");
    });
}

#[test]
fn a_user_name_is_changed_with_the_current_password_and_by_nothing_less() {
    on_each_database(async |app| {
        let ada = sign_up_as(app, "ada@example.org", "ada").await;
        app.advance(Duration::from_secs(601));
        let session = app.refresh(&ada.session.refresh_token).await.unwrap();
        let ada = Person { session, ..ada };
        let without = update_with(app, &ada, named("countess"), &["username"], "").await;
        assert_eq!(without.reason(), "STEP_UP_REQUIRED");
        for name in ["countess", ""] {
            let wrong = update_with(app, &ada, named(name), &["username", "locale"], "not her password at all").await;
            assert_eq!(wrong.reason(), "CURRENT_PASSWORD_WRONG");
        }
        assert_eq!(app.me(&ada.session).await.unwrap().username, "ada");
        assert_eq!(told(app, &ada.email).await, 0);
        assert_eq!(super::acts::events(app, "profile_changed").await, 0);
        // Changes of other fields need no password.
        update_with(app, &ada, everything(), &["display_name", "locale"], "").await.unwrap();
        assert_eq!(super::acts::events(app, "username_changed").await, 0);
        // Three more wrong passwords end the session, as in every other RPC.
        for _ in 0..3 {
            let _ = update_with(app, &ada, named("countess"), &["username"], "not her password at all").await;
        }
        assert_eq!(app.me(&ada.session).await.reason(), "SESSION_ENDED");
    });
}

#[test]
fn the_owner_gets_a_mail_when_the_user_name_is_another_one() {
    on_each_database(async |app| {
        let ada = sign_up_as(app, "ada@example.org", "ada").await;
        assert_eq!(update(app, &ada, named("Ada"), &["username"]).await.unwrap().username, "Ada");
        assert_eq!(
            (told(app, &ada.email).await, super::acts::events(app, "username_changed").await),
            (0, 0),
            "it is the same"
        );
        update(app, &ada, named("countess"), &["username"]).await.unwrap();
        assert_eq!((told(app, &ada.email).await, super::acts::events(app, "username_changed").await), (1, 1));
        update(app, &ada, named(""), &["username"]).await.unwrap();
        assert_eq!((told(app, &ada.email).await, super::acts::events(app, "username_changed").await), (2, 2));
    });
}

#[test]
fn a_user_name_that_was_given_up_is_kept_for_its_account_until_it_is_free_for_all() {
    let options = AppOptions::with("COUNTERSIGN_ACCOUNTS__USERNAME_RESERVED", "30d");
    on_each_database_with(options, async |app| {
        let ada = sign_up_as(app, "ada@example.org", "ada").await;
        let eve = sign_up_as(app, "eve@example.org", "eve").await;
        let taken = update(app, &eve, named("ADA"), &["username"]).await.unwrap_err();
        update(app, &ada, named("countess"), &["username"]).await.unwrap();
        assert_eq!(app.log_in("ada", PASSWORD).await.reason(), "CREDENTIALS_INVALID");
        // Everybody else gets the answer of a taken name, and cannot tell the difference.
        let kept = update(app, &eve, named("Ada"), &["username"]).await.unwrap_err();
        assert_eq!((kept.code(), kept.message()), (taken.code(), taken.message()));
        assert_eq!(Err::<(), _>(kept).fields(), ["account.username"]);
        assert_eq!(app.me(&eve.session).await.unwrap().username, "eve");
        let sign_up = RegisterRequest {
            email: "una@example.org".to_owned(),
            password: PASSWORD.to_owned(),
            username: "ada".to_owned(),
            ..Default::default()
        };
        assert_eq!(app.account().register(sign_up.clone()).await.reason(), "USERNAME_TAKEN");
        // The account takes its former name again: now only the name that it gave up for it is reserved.
        update(app, &ada, named("ada"), &["username"]).await.unwrap();
        assert_eq!(app.rows("reserved_usernames").await, 1, "the other one is, now");
        update(app, &ada, named(""), &["username"]).await.unwrap();

        app.advance(DAY * 30 - SECOND);
        assert_eq!(app.account().register(sign_up.clone()).await.reason(), "USERNAME_TAKEN");
        app.advance(SECOND);
        app.account().register(sign_up).await.unwrap();
        let eve = Person { session: app.log_in(&eve.email, PASSWORD).await.unwrap(), ..eve };
        assert_eq!(update(app, &eve, named("ada"), &["username"]).await.unwrap().username, "ada");
        app.purge.purge().await.unwrap();
        assert_eq!(app.rows("reserved_usernames").await, 1, "the name that Eve gave up");
        // Once more, for another account.
        update(app, &eve, named("eve"), &["username"]).await.unwrap();
        assert_eq!(update(app, &eve, named("ada"), &["username"]).await.unwrap().username, "ada");
    });
}

#[test]
fn nobody_keeps_all_the_good_names_by_changing_again_and_again() {
    on_each_database(async |app| {
        let ada = sign_up_as(app, "ada@example.org", "ada").await;
        for number in 0..15 {
            update(app, &ada, named(&format!("good-name-{number}")), &["username"]).await.unwrap();
            app.advance(SECOND);
        }
        assert_eq!(app.rows("reserved_usernames").await, 10);
        let exported = app.account().export_me(ada.asks(ExportMeRequest {})).await.unwrap().into_inner();
        let exported = String::from_utf8(exported.content).unwrap();
        assert!(exported.contains("former_usernames") && exported.contains("good-name-13"), "{exported}");
        app.account().delete_me(ada.asks(DeleteMeRequest { current_password: PASSWORD.to_owned() })).await.unwrap();
        assert_eq!(app.rows("reserved_usernames").await, 0);
    });
}

#[test]
fn of_many_who_want_a_name_while_it_is_given_up_nobody_gets_it() {
    on_each_database(async |app| {
        let ada = sign_up_as(app, "ada@example.org", "ada").await;
        let mut others = Vec::new();
        for number in 0..8 {
            others.push(sign_up_as(app, &format!("eve-{number}@example.org"), &format!("eve-{number}")).await);
        }
        let app = &*app;
        let gives_up = async { update(app, &ada, named("countess"), &["username"]).await.map(drop) };
        let want = join_all(others.iter().map(async |eve| update(app, eve, named("ada"), &["username"]).await));
        let (given_up, wanted) = tokio::join!(gives_up, want);
        given_up.unwrap();
        assert!(wanted.iter().all(|answer| reason(answer.as_ref().unwrap_err()) == "USERNAME_TAKEN"), "{wanted:?}");
        assert_eq!(app.number("SELECT count(*) FROM accounts WHERE username_normalised = 'ada'").await, 0);
    });
}

#[test]
fn a_refused_user_name_takes_the_other_changes_with_it() {
    on_each_database(async |app| {
        let ada = sign_up_as(app, "ada@example.org", "ada").await;
        sign_up_as(app, "eve@example.org", "eve").await;
        let wish = Account { username: "eve".to_owned(), display_name: "Eve".to_owned(), ..Default::default() };
        assert_eq!(update(app, &ada, wish, &["display_name", "username"]).await.reason(), "USERNAME_TAKEN");
        assert_eq!(app.me(&ada.session).await.unwrap().display_name, "");
    });
}

#[test]
fn get_me_shows_the_account_as_its_owner_knows_it() {
    on_each_database(async |app| {
        let ada = sign_up_as(app, "Ada@example.org", "Ada").await;
        let account = app.me(&ada.session).await.unwrap();
        assert_eq!(Some(&account), ada.session.account.as_ref());
        assert_eq!((account.email.as_str(), account.username.as_str()), ("Ada@example.org", "Ada"));
        assert_eq!((account.display_name.as_str(), account.locale.as_str()), ("", "en"));
        assert_eq!(account.account_id.len(), 36);
        assert!(account.roles.is_empty());
        for time in [account.create_time, account.email_verify_time, account.password_change_time] {
            assert_eq!(time.unwrap().seconds, 1_800_000_001);
        }
        assert_eq!(app.account().get_me(GetMeRequest {}).await.reason(), "TOKEN_MISSING");
    });
}
