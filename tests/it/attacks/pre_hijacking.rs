use crate::support::{
    App, MailText as _, PASSWORD, Person, Proof, Purpose, Refused as _, on_each_database, reset_mail,
};
use countersign::{grpc::wire::proto::*, mail::StoredMail};
use std::time::Duration;

const OF_EVE: &str = "nine loud ravens at dawn";

/// Registers the address of the victim and returns the mail that the victim gets.
async fn register(app: &App, password: &str) -> StoredMail {
    app.advance(Duration::from_secs(60));
    let form =
        RegisterRequest { email: "vic@example.org".to_owned(), password: password.to_owned(), ..Default::default() };
    app.account().register(form).await.unwrap();
    app.mail_to("vic@example.org").await
}

/// Whatever was chosen before, only the reader of the mails sets the password.
async fn assert_owned_by_the_victim(app: &App, of_eve: &StoredMail) {
    for password in [PASSWORD, OF_EVE] {
        assert_eq!(app.log_in("vic@example.org", password).await.reason(), "CREDENTIALS_INVALID");
    }
    Person::set_password_by_mail(app, "vic@example.org", PASSWORD).await;
    app.log_in("vic@example.org", PASSWORD).await.unwrap();
    assert_eq!(app.log_in("vic@example.org", OF_EVE).await.reason(), "CREDENTIALS_INVALID");
    let link = Proof::Link(of_eve.link_token());
    assert_eq!(Purpose::Verify.claim(app, &link, "", "").await.reason(), "LINK_USED");
    let code = Proof::Code { email: "vic@example.org".to_owned(), code: of_eve.typed_code() };
    assert!(Purpose::Verify.claim(app, &code, "", "").await.is_err());
    assert_eq!((app.rows("accounts").await, app.rows("registrations").await), (1, 0));
}

#[test]
fn a_link_opens_only_the_registration_it_was_mailed_for() {
    for attacker_is_first in [true, false] {
        on_each_database(async |app| {
            let (of_eve, of_vic) = if attacker_is_first {
                let of_eve = register(app, OF_EVE).await;
                (of_eve, register(app, PASSWORD).await)
            } else {
                let of_vic = register(app, PASSWORD).await;
                (register(app, OF_EVE).await, of_vic)
            };
            Purpose::Verify.claim(app, &Proof::Link(of_vic.link_token()), "", "").await.unwrap();
            assert_owned_by_the_victim(app, &of_eve).await;
        });
    }
}

#[test]
fn a_code_opens_only_the_registration_it_was_mailed_for() {
    for attacker_is_first in [true, false] {
        on_each_database(async |app| {
            let (of_eve, of_vic) = if attacker_is_first {
                let of_eve = register(app, OF_EVE).await;
                (of_eve, register(app, PASSWORD).await)
            } else {
                let of_vic = register(app, PASSWORD).await;
                (register(app, OF_EVE).await, of_vic)
            };
            let code = Proof::Code { email: "vic@example.org".to_owned(), code: of_vic.typed_code() };
            Purpose::Verify.claim(app, &code, "", "").await.unwrap();
            assert_owned_by_the_victim(app, &of_eve).await;
        });
    }
}

#[test]
fn a_mail_requested_again_opens_no_account_with_an_attacker_s_password() {
    on_each_database(async |app| {
        register(app, PASSWORD).await;
        let of_eve = register(app, OF_EVE).await;
        app.advance(Duration::from_secs(60));
        let again = ResendVerificationRequest { email: "vic@example.org".to_owned(), ..Default::default() };
        app.account().resend_verification(again).await.unwrap();
        let link = Proof::Link(app.mail_to("vic@example.org").await.link_token());
        Purpose::Verify.claim(app, &link, "", "").await.unwrap();
        assert_owned_by_the_victim(app, &of_eve).await;
    });
}

#[test]
fn a_reset_takes_an_account_back_that_an_attacker_s_registration_became() {
    on_each_database(async |app| {
        let of_eve = register(app, OF_EVE).await;
        Purpose::Verify.claim(app, &Proof::Link(of_eve.link_token()), "", "").await.unwrap();
        let eve = app.log_in("vic@example.org", OF_EVE).await.unwrap();
        let link = Proof::Link(reset_mail(app, "vic@example.org").await.link_token());
        Purpose::Reset.claim(app, &link, PASSWORD, "").await.unwrap();
        assert_eq!(app.me(&eve).await.reason(), "SESSION_ENDED");
        assert_eq!(app.refresh(&eve.refresh_token).await.reason(), "SESSION_ENDED");
        assert_eq!(app.log_in("vic@example.org", OF_EVE).await.reason(), "CREDENTIALS_INVALID");
        app.log_in("vic@example.org", PASSWORD).await.unwrap();
    });
}
