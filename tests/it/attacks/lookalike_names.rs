use crate::support::{App, MailText as _, PASSWORD, Person, Refused as _, on_each_database};
use countersign::grpc::wire::proto::*;
use countersign_migrations::{Migrator, MigratorTrait};
use std::time::Duration;
use tonic::{Response, Status};

/// `paypal`, most of it in Cyrillic letters.
const LOOKALIKE: &str = "раураl";

async fn register(app: &App, email: &str, username: &str) -> Result<Response<RegisterResponse>, Status> {
    let form = RegisterRequest {
        email: email.to_owned(),
        password: PASSWORD.to_owned(),
        username: username.to_owned(),
        ..Default::default()
    };
    app.account().register(form).await
}

async fn sign_up(app: &App, email: &str, username: &str) -> Person {
    register(app, email, username).await.unwrap();
    let token = app.mail_to(email).await.link_token();
    app.account().verify(VerifyRequest { token, ..Default::default() }).await.unwrap();
    Person { email: email.to_owned(), session: app.log_in(email, PASSWORD).await.unwrap() }
}

async fn rename(app: &App, person: &Person, username: &str) -> Result<Response<UpdateMeResponse>, Status> {
    let account = Account { username: username.to_owned(), ..Default::default() };
    let update_mask = Some(prost_types::FieldMask { paths: vec!["username".to_owned()] });
    let form = UpdateMeRequest { account: Some(account), update_mask, current_password: PASSWORD.to_owned() };
    app.account().update_me(person.asks(form)).await
}

#[test]
fn a_user_name_that_looks_like_another_is_not_given_out() {
    on_each_database(async |app| {
        sign_up(app, "owner@example.org", "PayPal").await;
        let eve = sign_up(app, "eve@example.org", "eve").await;
        for name in [LOOKALIKE, "paypa1", "раypal"] {
            assert_eq!(register(app, "mallory@example.org", name).await.reason(), "USERNAME_TAKEN", "{name}");
            assert_eq!(rename(app, &eve, name).await.reason(), "USERNAME_TAKEN", "{name}");
            assert_eq!(app.log_in(name, PASSWORD).await.reason(), "CREDENTIALS_INVALID", "{name}");
        }
        rename(app, &eve, "еve").await.unwrap();
        rename(app, &eve, "eve").await.unwrap();

        // A name that its owner gave up stays reserved for a while, and so does every name that looks like it.
        rename(app, &eve, "somebody").await.unwrap();
        let mallory = sign_up(app, "mallory@example.org", "mallory").await;
        for name in ["eve", "еve", "EVE", "evе"] {
            assert_eq!(rename(app, &mallory, name).await.reason(), "USERNAME_TAKEN", "{name}");
            assert_eq!(register(app, "trudy@example.org", name).await.reason(), "USERNAME_TAKEN", "{name}");
        }
        app.send_mail().await;
    });
}

#[test]
fn a_user_name_that_looks_like_another_in_upper_case_is_not_given_out() {
    on_each_database(async |app| {
        let owner = sign_up(app, "owner@example.org", "paypal").await;
        sign_up(app, "bob@example.org", "bob").await;
        sign_up(app, "ida@example.org", "Ida").await;
        // In lower case the name looks like no other.
        let eve = sign_up(app, "eve@example.org", "paypai").await;
        // Cyrillic letters, all in upper case; an `l`; a Cyrillic `і`.
        for name in ["paypaI", "PAYPAI", "ВОВ", "lda", "іdа"] {
            assert_eq!(register(app, "mallory@example.org", name).await.reason(), "USERNAME_TAKEN", "{name}");
            assert_eq!(rename(app, &eve, name).await.reason(), "USERNAME_TAKEN", "{name}");
        }
        rename(app, &eve, "Paypai").await.unwrap();

        // Another case is no change of the name, but looks different all the same.
        rename(app, &owner, "somebody").await.unwrap();
        for name in ["paypaI", "paypal"] {
            assert_eq!(rename(app, &eve, name).await.reason(), "USERNAME_TAKEN", "{name}");
        }
        app.send_mail().await;
    });
}

#[test]
fn of_two_names_that_look_the_same_and_wait_to_be_verified_the_first_is_given_out() {
    on_each_database(async |app| {
        register(app, "slow@example.org", LOOKALIKE).await.unwrap();
        let token = app.mail_to("slow@example.org").await.link_token();
        sign_up(app, "owner@example.org", "paypal").await;
        app.account().verify(VerifyRequest { token, ..Default::default() }).await.unwrap();
        let slow = app.log_in("slow@example.org", PASSWORD).await.unwrap();
        assert_eq!(slow.account.unwrap().username, "");
    });
}

#[test]
fn a_name_that_cannot_be_seen_is_none() {
    on_each_database(async |app| {
        let eve = sign_up(app, "eve@example.org", "admin").await;
        for name in
            ["admin\u{3164}", "admin\u{FE0F}", "\u{3164}\u{3164}\u{3164}", "ad\u{34F}min", "\u{301}\u{301}\u{301}"]
        {
            assert_eq!(register(app, "mallory@example.org", name).await.fields(), ["username"], "{name:?}");
            assert_eq!(rename(app, &eve, name).await.fields(), ["account.username"], "{name:?}");
        }
        for name in ["Ada\u{3164}", "\u{2800}\u{2800}", "A\u{34F}da"] {
            let form = RegisterRequest {
                email: "mallory@example.org".to_owned(),
                password: PASSWORD.to_owned(),
                display_name: name.to_owned(),
                ..Default::default()
            };
            assert_eq!(app.account().register(form).await.fields(), ["display_name"], "{name:?}");
        }
        for email in ["ad\u{3164}a@example.org", "ada\u{FE0F}@example.org"] {
            assert_eq!(register(app, email, "").await.fields(), ["email"], "{email:?}");
        }
    });
}

/// Restores the schema from before names had skeletons, and migrates again.
async fn migrate_again(app: &App) {
    let is_there = async || {
        let applied = Migrator::get_applied_migrations(&app.database).await.unwrap();
        applied.iter().any(|migration| migration.name().ends_with("username_skeletons"))
    };
    while is_there().await {
        Migrator::down(&app.database, Some(1)).await.unwrap();
    }
    Migrator::up(&app.database, None).await.unwrap();
}

#[test]
fn names_that_are_older_than_the_rule_stay_and_only_new_ones_are_compared() {
    on_each_database(async |app| {
        sign_up(app, "owner@example.org", "paypal").await;
        // Accounts of the same instant have no order.
        app.advance(Duration::from_secs(1));
        let eve = sign_up(app, "eve@example.org", "eve").await;
        sign_up(app, "ida@example.org", "Ida").await;
        app.execute(&format!(
            "UPDATE accounts SET username = '{LOOKALIKE}', username_normalised = '{LOOKALIKE}' WHERE username = 'eve'"
        ))
        .await;
        migrate_again(app).await;
        let filled = "SELECT count(*) FROM username_skeletons JOIN accounts ON id = account_id WHERE username = ";
        assert_eq!(app.number(&format!("{filled} 'paypal'")).await, 1);
        assert_eq!(app.number(&format!("{filled} '{LOOKALIKE}'")).await, 0);
        assert_eq!(app.number(&format!("{filled} 'Ida'")).await, 2, "in lower case and as it is shown");
        assert_eq!(register(app, "mallory@example.org", "lda").await.reason(), "USERNAME_TAKEN");
        app.log_in(LOOKALIKE, PASSWORD).await.unwrap();
        rename(app, &eve, LOOKALIKE).await.unwrap();
        assert_eq!(register(app, "mallory@example.org", "раypal").await.reason(), "USERNAME_TAKEN");
    });
}
