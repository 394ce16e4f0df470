use super::acts::{HOUR, events, form, register, resend, verify};
use crate::support::{MailText as _, PASSWORD, Person, Refused as _, on_each_database};
use countersign::grpc::wire::proto::*;

#[test]
fn a_link_that_was_sent_again_is_fresh_and_works_after_the_first_expired() {
    on_each_database(async |app| {
        register(app, RegisterRequest { locale: "de".to_owned(), ..form("Ada@example.org") }).await.unwrap();
        let first = app.mail_to("ada@example.org").await.link_token();
        app.advance(25 * HOUR);
        resend(app, "ADA@example.org").await;
        let mail = app.mail_to("ada@example.org").await;
        assert_eq!(mail.to, "Ada@example.org", "the stored spelling, not the typed one");
        assert!(mail.subject.starts_with("Bestätigen Sie"), "{}", mail.subject);
        assert_eq!(verify(app, &first).await.reason(), "LINK_EXPIRED");
        verify(app, &mail.link_token()).await.unwrap();
        app.log_in("ada@example.org", PASSWORD).await.unwrap();
    });
}

#[test]
fn the_newest_of_several_registrations_is_the_one_that_is_mailed_again() {
    on_each_database(async |app| {
        for name in ["First", "Second"] {
            let form = RegisterRequest { display_name: name.to_owned(), ..form("ada@example.org") };
            register(app, form).await.unwrap();
        }
        app.send_mail().await;
        resend(app, "ada@example.org").await;
        let token = app.mail_to("ada@example.org").await.link_token();
        verify(app, &token).await.unwrap();
        assert_eq!(app.number("SELECT count(*) FROM accounts WHERE display_name = 'Second'").await, 1);
    });
}

#[test]
fn unknown_waiting_and_verified_addresses_are_answered_alike() {
    on_each_database(async |app| {
        register(app, form("waiting@example.org")).await.unwrap();
        Person::register(app, "known@example.org").await;
        app.send_mail().await;
        for (email, mails) in [("waiting@example.org", 1), ("known@example.org", 1), ("nobody@example.org", 0)] {
            let before = (app.mails_to(email).await.len(), app.rows("outbox").await);
            resend(app, email).await;
            let after = (app.mails_to(email).await.len(), app.rows("outbox").await);
            assert_eq!(after, (before.0 + mails, before.1 + 1), "{email}");
        }
        assert_eq!(events(app, "verification_requested").await, 3);
        let newest = app.mail_to("known@example.org").await;
        assert_eq!((newest.token(), newest.code()), (None, None), "an account has nothing to verify");
    });
}

#[test]
fn a_bad_address_is_named() {
    on_each_database(async |app| {
        let form = ResendVerificationRequest { email: "ada".to_owned(), ..Default::default() };
        assert_eq!(app.account().resend_verification(form).await.fields(), ["email"]);
        assert_eq!(app.rows("outbox").await, 0);
    });
}
