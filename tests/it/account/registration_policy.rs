//! Who may sign up, and accounts that an operator makes.

use super::acts::{HOUR, SECOND, events, form, request_email_change, reset, reset_token, verify};
use crate::support::{
    App, AppOptions, MailText as _, PASSWORD, Person, Refused as _, on_each_database, on_each_database_with,
};
use countersign::usecase::{
    Origin,
    account::{CreateAccount, NewAccount},
};
use countersign_domain::{
    display_name::DisplayName, email::EmailAddress, locale::Locale, refusal::Reason, username::Username,
};

fn create(app: &App) -> CreateAccount {
    app.operations.create_account.clone()
}

fn whom(email: &str, username: Option<&str>) -> NewAccount {
    NewAccount {
        email: EmailAddress::parse(email).unwrap(),
        username: username.map(|name| Username::parse(name).unwrap()),
        display_name: DisplayName::parse("Ada").unwrap(),
        locale: Locale::English,
    }
}

#[test]
fn a_closed_sign_up_takes_nobody_and_tells_nothing_about_anybody() {
    let closed = AppOptions::with("COUNTERSIGN_ACCOUNTS__REGISTRATION", "closed");
    on_each_database_with(closed, async |app| {
        create(app).create(&Origin::terminal(), whom("ada@example.org", None)).await.unwrap();
        let before = (app.rows("outbox").await, app.hasher.computed());
        let known = app.account().register(form("ada@example.org")).await.unwrap_err();
        let unknown = app.account().register(form("nobody@example.org")).await.unwrap_err();
        for refused in [&known, &unknown] {
            assert_eq!(crate::support::reason(refused), "REGISTRATION_CLOSED");
        }
        assert_eq!((known.code(), known.message().to_owned()), (unknown.code(), unknown.message().to_owned()));
        assert_eq!((app.rows("outbox").await, app.hasher.computed()), before, "nothing was done");
        assert_eq!(app.rows("registrations").await, 0);
        app.send_mail().await;
    });
}

#[test]
fn only_addresses_at_the_hosts_named_sign_up_and_stay_there() {
    let some = AppOptions::with("COUNTERSIGN_ACCOUNTS__REGISTRATION", "domains")
        .and("COUNTERSIGN_ACCOUNTS__REGISTRATION_DOMAINS", "example.org,example.com");
    on_each_database_with(some, async |app| {
        let ada = Person::sign_up(app, "ada@Example.org").await;
        for email in ["ada@sub.example.org", "ada@example.net"] {
            assert_eq!(app.account().register(form(email)).await.reason(), "REGISTRATION_CLOSED", "{email}");
            assert_eq!(request_email_change(app, &ada, email).await.reason(), "REGISTRATION_CLOSED", "{email}");
        }
        request_email_change(app, &ada, "ada@example.com").await.unwrap();
        app.send_mail().await;
    });
}

/// These registrations were made when sign-up was open.
#[test]
fn a_registration_that_waits_when_sign_up_is_closed_becomes_no_account() {
    let closed = AppOptions::with("COUNTERSIGN_ACCOUNTS__REGISTRATION", "domains")
        .and("COUNTERSIGN_ACCOUNTS__REGISTRATION_DOMAINS", "example.org");
    on_each_database_with(closed, async |app| {
        app.account().register(form("ada@example.org")).await.unwrap();
        app.execute("UPDATE registrations SET email = 'ada@example.net', email_normalised = 'ada@example.net'").await;
        app.execute("UPDATE outbox SET recipient = 'ada@example.net'").await;
        let token = app.mail_to("ada@example.net").await.link_token();
        assert_eq!(verify(app, &token).await.reason(), "REGISTRATION_CLOSED");
        assert_eq!(app.rows("accounts").await, 0);
    });
}

#[test]
fn an_account_that_an_operator_makes_is_its_owners_once_the_mailed_link_set_a_password() {
    let closed = AppOptions::with("COUNTERSIGN_ACCOUNTS__REGISTRATION", "closed");
    on_each_database_with(closed, async |app| {
        create(app).create(&Origin::terminal(), whom("Ada@example.org", Some("ada"))).await.unwrap();
        for name in ["ada@example.org", "ada"] {
            assert_eq!(app.log_in(name, PASSWORD).await.reason(), "CREDENTIALS_INVALID");
        }
        let mail = app.mail_to("ada@example.org").await;
        assert_eq!(mail.subject, "Your account at Countersign");
        assert!(mail.text.contains("https://id.example.org/reset#token="), "{}", mail.text);
        assert!(mail.text.contains("for 24 hours"), "{}", mail.text);
        app.advance(24 * HOUR - 3 * SECOND);
        reset(app, &mail.link_token(), PASSWORD).await.unwrap();
        assert_eq!(reset(app, &mail.link_token(), PASSWORD).await.reason(), "LINK_USED");
        let session = app.log_in("ada", PASSWORD).await.unwrap();
        let account = app.me(&session).await.unwrap();
        assert_eq!((account.email.as_str(), account.display_name.as_str()), ("Ada@example.org", "Ada"));
        assert_eq!(events(app, "account_created").await, 1);
        app.send_mail().await;
    });
}

#[test]
fn the_link_of_a_made_account_expires_after_a_day_and_a_reset_helps() {
    on_each_database(async |app| {
        create(app).create(&Origin::terminal(), whom("ada@example.org", None)).await.unwrap();
        let token = app.mail_to("ada@example.org").await.link_token();
        app.advance(24 * HOUR);
        assert_eq!(reset(app, &token, PASSWORD).await.reason(), "LINK_EXPIRED");
        let token = reset_token(app, "ada@example.org").await;
        reset(app, &token, PASSWORD).await.unwrap();
        app.log_in("ada@example.org", PASSWORD).await.unwrap();
        app.send_mail().await;
    });
}

#[test]
fn a_made_account_takes_the_place_of_registrations_that_wait_and_of_no_account() {
    on_each_database(async |app| {
        app.account().register(form("ada@example.org")).await.unwrap();
        let of_stranger = app.mail_to("ada@example.org").await;
        let create = create(app);
        create.create(&Origin::terminal(), whom("ada@example.org", Some("ada"))).await.unwrap();
        assert_eq!(verify(app, &of_stranger.link_token()).await.reason(), "LINK_USED");
        let again = create.create(&Origin::terminal(), whom("ADA@example.org", None)).await.unwrap_err();
        assert_eq!(again.reason(), Reason::EmailTaken);
        let same_name = create.create(&Origin::terminal(), whom("bob@example.org", Some("Ada"))).await.unwrap_err();
        assert_eq!(same_name.reason(), Reason::UsernameTaken);
        assert_eq!((app.rows("accounts").await, app.rows("registrations").await), (1, 0));
        app.send_mail().await;
    });
}
