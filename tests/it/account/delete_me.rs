use super::acts::{
    NEW_PASSWORD, SECOND, change_password, delete_me, request_email_change, request_reset, reset, reset_token,
    sign_up_as, verify,
};
use crate::support::{MailText as _, PASSWORD, Person, Refused as _, on_each_database};
use countersign::grpc::wire::proto::*;
use std::time::Duration;

#[test]
fn an_account_that_is_deleted_leaves_nothing_but_its_audit_log() {
    on_each_database(async |app| {
        let ada = sign_up_as(app, "ada@example.org", "ada").await;
        let other = app.log_in(&ada.email, PASSWORD).await.unwrap();
        change_password(app, &ada, PASSWORD, NEW_PASSWORD).await.unwrap();
        reset_token(app, &ada.email).await;
        let eve = sign_up_as(app, "eve@example.org", "eve").await;
        let of_ada = format!("account_id = '{}'", super::acts::account_id(&ada));
        let trail = app.rows("audit_events").await;

        delete_me(app, &ada, NEW_PASSWORD).await.unwrap();
        for session in [&ada.session, &other] {
            assert_eq!(app.me(session).await.reason(), "SESSION_ENDED");
            assert!(app.refresh(&session.refresh_token).await.is_err());
        }
        assert_eq!(app.log_in("ada", NEW_PASSWORD).await.reason(), "CREDENTIALS_INVALID");
        assert_eq!((app.rows("accounts").await, app.rows("sessions").await), (1, 1), "only Eve's, not {of_ada}");
        assert_eq!((app.rows("past_passwords").await, app.rows("account_roles").await), (0, 0));
        assert_eq!(app.number("SELECT count(*) FROM actions WHERE purpose = 'reset_password'").await, 0);
        assert!(app.rows("audit_events").await > trail);
        assert_eq!(super::acts::events(app, "account_deleted").await, 1);
        let mail = app.mail_to("ada@example.org").await;
        assert_eq!(mail.subject, "Your account at Countersign was deleted");
        app.me(&eve.session).await.unwrap();
    });
}

#[test]
fn a_wrong_password_deletes_nothing() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, "ada@example.org").await;
        assert_eq!(delete_me(app, &ada, NEW_PASSWORD).await.reason(), "CURRENT_PASSWORD_WRONG");
        app.advance(Duration::from_secs(601));
        let session = app.refresh(&ada.session.refresh_token).await.unwrap();
        let later = Person { session, ..ada };
        assert_eq!(delete_me(app, &later, "").await.reason(), "STEP_UP_REQUIRED");
        app.me(&later.session).await.unwrap();
    });
}

#[test]
fn the_address_and_the_name_of_a_deleted_account_are_free_again() {
    on_each_database(async |app| {
        let first = sign_up_as(app, "ada@example.org", "ada").await;
        delete_me(app, &first, PASSWORD).await.unwrap();
        let second = sign_up_as(app, "ada@example.org", "ada").await;
        assert_ne!(super::acts::account_id(&first), super::acts::account_id(&second));
        assert_eq!(app.me(&first.session).await.reason(), "SESSION_ENDED");
        let account = app.me(&second.session).await.unwrap();
        assert_eq!((account.email.as_str(), account.username.as_str()), ("ada@example.org", "ada"));
    });
}

#[test]
fn links_and_waiting_mails_of_a_deleted_account_are_dead() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, "ada@example.org").await;
        let token = reset_token(app, &ada.email).await;
        request_email_change(app, &ada, "new@example.org").await.unwrap();
        let confirmation = app.mail_to("new@example.org").await.link_token();
        request_email_change(app, &ada, "newer@example.org").await.unwrap();
        request_reset(app, &ada.email).await;
        delete_me(app, &ada, PASSWORD).await.unwrap();
        assert!(app.mails_to("newer@example.org").await.is_empty());
        let mails = app.mails_to(&ada.email).await;
        assert_eq!(mails.iter().filter(|mail| mail.subject.starts_with("Set a new password")).count(), 1);
        assert_eq!(reset(app, &token, NEW_PASSWORD).await.reason(), "LINK_INVALID");
        assert_eq!(super::acts::confirm(app, &confirmation).await.reason(), "LINK_INVALID");
        app.advance(SECOND);
    });
}

#[test]
fn a_registration_that_waited_while_its_address_had_an_account_works_after_the_account_is_gone() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, "ada@example.org").await;
        super::acts::register(app, super::acts::form("ada@example.org")).await.unwrap();
        app.send_mail().await;
        delete_me(app, &ada, PASSWORD).await.unwrap();
        super::acts::resend(app, "ada@example.org").await;
        let token = app.mail_to("ada@example.org").await.link_token();
        verify(app, &token).await.unwrap();
        app.log_in("ada@example.org", PASSWORD).await.unwrap();
        assert_eq!(app.account().verify(VerifyRequest { token, ..Default::default() }).await.reason(), "LINK_USED");
    });
}
