use super::acts::{
    HOUR, NEW_PASSWORD, SECOND, confirm, disable, events, form, move_to, register, request_email_change, reset_token,
    verify,
};
use crate::support::{MailText as _, PASSWORD, Person, Refused as _, on_each_database};
use countersign::grpc::wire::proto::*;

#[test]
fn an_account_moves_once_its_new_address_answers_and_the_old_one_gets_a_mail() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, "ada@example.org").await;
        request_email_change(app, &ada, "Lovelace@Example.org").await.unwrap();
        assert_eq!(app.me(&ada.session).await.unwrap().email, "ada@example.org", "nothing changed yet");
        let mail = app.mail_to("lovelace@example.org").await;
        assert!(mail.text.contains("https://id.example.org/confirm-email#token="), "{}", mail.text);
        app.advance(SECOND);
        confirm(app, &mail.link_token()).await.unwrap();

        let account = app.me(&ada.session).await.unwrap();
        assert_eq!(account.email, "Lovelace@Example.org");
        let verified = account.email_verify_time.unwrap().seconds;
        assert!(verified > account.create_time.unwrap().seconds);
        let told = app.mail_to("ada@example.org").await;
        assert_eq!(told.subject, "The e-mail address of your account at Countersign was changed");
        assert!(told.text.contains("Lovelace@Example.org"), "{}", told.text);
        assert_eq!(app.log_in("ada@example.org", PASSWORD).await.reason(), "CREDENTIALS_INVALID");
        app.log_in("lovelace@example.org", PASSWORD).await.unwrap();
        assert_eq!(confirm(app, &mail.link_token()).await.reason(), "LINK_USED");
        assert_eq!(events(app, "email_changed").await, 1);
    });
}

#[test]
fn a_code_typed_with_the_new_address_confirms_it_too() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, "ada@example.org").await;
        request_email_change(app, &ada, "new@example.org").await.unwrap();
        let code = app.mail_to("new@example.org").await.typed_code();
        let with = |email: &str| ConfirmEmailChangeRequest {
            email: email.to_owned(),
            code: code.clone(),
            ..Default::default()
        };
        let old = app.account().confirm_email_change(with("ada@example.org")).await;
        assert_eq!(old.reason(), "CODE_INVALID");
        app.account().confirm_email_change(with("NEW@example.org")).await.unwrap();
        assert_eq!(app.me(&ada.session).await.unwrap().email, "new@example.org");
    });
}

#[test]
fn a_new_address_that_somebody_got_meanwhile_is_taken_and_the_account_stays() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, "ada@example.org").await;
        request_email_change(app, &ada, "wanted@example.org").await.unwrap();
        let token = app.mail_to("wanted@example.org").await.link_token();
        app.advance(SECOND);
        Person::register(app, "Wanted@example.org").await;
        assert_eq!(confirm(app, &token).await.reason(), "EMAIL_TAKEN");
        assert_eq!(app.me(&ada.session).await.unwrap().email, "ada@example.org");
        assert_eq!(app.number("SELECT count(*) FROM outbox WHERE template = 'address_changed'").await, 0);
    });
}

#[test]
fn the_owner_of_a_wanted_address_gets_a_mail_and_whoever_wants_it_learns_nothing() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, "ada@example.org").await;
        Person::register(app, "Owner@example.org").await;
        let before = app.mails_to("owner@example.org").await.len();
        let taken = request_email_change(app, &ada, "owner@example.org").await.unwrap();
        let free = request_email_change(app, &ada, "free@example.org").await.unwrap();
        assert_eq!(taken.into_inner(), free.into_inner());
        request_email_change(app, &ada, "owner@example.org").await.unwrap();
        let mails = app.mails_to("owner@example.org").await;
        assert_eq!(mails.len(), before + 1);
        let told = &mails[0];
        assert_eq!(told.subject, "You already have an account at Countersign");
        assert_eq!(told.to, "Owner@example.org", "the address that is stored");
        assert!(told.text.contains("wanted to move another account"), "{}", told.text);
        assert!(told.token().is_none() && told.code().is_none(), "{}", told.text);
        assert!(!told.text.contains("ada@example.org"), "who wants the address is not told either: {}", told.text);
    });
}

#[test]
fn a_disabled_account_gets_no_mail_about_who_wants_its_address() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, "ada@example.org").await;
        let owner = Person::sign_up(app, "owner@example.org").await;
        disable(app, &owner).await;
        let before = app.mails_to("owner@example.org").await.len();
        request_email_change(app, &ada, "owner@example.org").await.unwrap();
        assert_eq!(app.mails_to("owner@example.org").await.len(), before);
    });
}

#[test]
fn only_the_last_wish_for_an_address_counts() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, "ada@example.org").await;
        request_email_change(app, &ada, "first@example.org").await.unwrap();
        let first = app.mail_to("first@example.org").await.link_token();
        // This mail is never sent: the next request replaces it in the outbox.
        request_email_change(app, &ada, "second@example.org").await.unwrap();
        request_email_change(app, &ada, "third@example.org").await.unwrap();
        let third = app.mail_to("third@example.org").await.link_token();
        assert!(app.mails_to("second@example.org").await.is_empty());
        assert_eq!(confirm(app, &first).await.reason(), "LINK_USED");
        confirm(app, &third).await.unwrap();
        assert_eq!(app.me(&ada.session).await.unwrap().email, "third@example.org");
    });
}

#[test]
fn the_present_address_is_refused_and_another_spelling_of_it_is_not() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, "ada@example.org").await;
        let mails = app.rows("outbox").await;
        assert_eq!(request_email_change(app, &ada, "ada@example.org").await.fields(), ["new_email"]);
        assert_eq!(app.rows("outbox").await, mails);
        move_to(app, &ada, "Ada@Example.org").await;
        assert_eq!(app.me(&ada.session).await.unwrap().email, "Ada@Example.org");
        assert_eq!(app.rows("accounts").await, 1);
    });
}

#[test]
fn an_address_of_somebody_else_is_answered_like_any_other_and_costs_as_much() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, "ada@example.org").await;
        Person::register(app, "eve@example.org").await;
        app.send_mail().await;
        let before = (app.rows("outbox").await, app.rows("audit_events").await);
        request_email_change(app, &ada, "EVE@example.org").await.unwrap();
        let between = (app.rows("outbox").await, app.rows("audit_events").await);
        app.send_mail().await;
        request_email_change(app, &ada, "free@example.org").await.unwrap();
        let after = (app.rows("outbox").await, app.rows("audit_events").await);
        assert_eq!((between.0 - before.0, between.1 - before.1), (1, 1));
        assert_eq!((after.0 - between.0, after.1 - between.1), (1, 1));
        app.send_mail().await;
    });
}

#[test]
fn a_change_needs_the_current_password_and_a_proper_address() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, "ada@example.org").await;
        let ask = |new_email: &str, current: &str| RequestEmailChangeRequest {
            new_email: new_email.to_owned(),
            current_password: current.to_owned(),
            ..Default::default()
        };
        let mails = app.rows("outbox").await;
        let wrong = app.account().request_email_change(ada.asks(ask("new@example.org", NEW_PASSWORD))).await;
        assert_eq!(wrong.reason(), "CURRENT_PASSWORD_WRONG");
        let address = app.account().request_email_change(ada.asks(ask("new", PASSWORD))).await;
        assert_eq!(address.fields(), ["new_email"]);
        assert_eq!(app.rows("outbox").await, mails);
    });
}

#[test]
fn a_confirmation_link_lives_a_day() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, "ada@example.org").await;
        request_email_change(app, &ada, "new@example.org").await.unwrap();
        let token = app.mail_to("new@example.org").await.link_token();
        app.advance(24 * HOUR);
        assert_eq!(confirm(app, &token).await.reason(), "LINK_EXPIRED");
    });
}

#[test]
fn a_disabled_account_does_not_move_and_gets_no_mail() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, "ada@example.org").await;
        request_email_change(app, &ada, "new@example.org").await.unwrap();
        let token = app.mail_to("new@example.org").await.link_token();
        request_email_change(app, &ada, "other@example.org").await.unwrap();
        disable(app, &ada).await;
        assert!(app.mails_to("other@example.org").await.is_empty());
        assert_eq!(confirm(app, &token).await.reason(), "LINK_USED", "a later wish made it useless");
        let bob = Person::sign_up(app, "bob@example.org").await;
        request_email_change(app, &bob, "robert@example.org").await.unwrap();
        let token = app.mail_to("robert@example.org").await.link_token();
        disable(app, &bob).await;
        assert_eq!(confirm(app, &token).await.reason(), "LINK_USED", "disabling made it useless");
        let moved = "SELECT count(*) FROM accounts WHERE email = 'robert@example.org'";
        assert_eq!(app.number(moved).await, 0);
    });
}

#[test]
fn a_waiting_registration_for_the_new_address_ends_once_the_account_has_moved() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, "ada@example.org").await;
        register(app, form("new@example.org")).await.unwrap();
        let registration = app.mail_to("new@example.org").await.link_token();
        move_to(app, &ada, "new@example.org").await;
        assert_eq!(verify(app, &registration).await.reason(), "LINK_USED");
        assert_eq!(app.rows("registrations").await, 0);
    });
}

#[test]
fn the_old_address_can_be_registered_by_somebody_else_after_the_move() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, "ada@example.org").await;
        move_to(app, &ada, "new@example.org").await;
        app.advance(SECOND);
        let other = Person::sign_up(app, "ada@example.org").await;
        let token = reset_token(app, "ada@example.org").await;
        super::acts::reset(app, &token, NEW_PASSWORD).await.unwrap();
        assert_eq!(app.me(&other.session).await.reason(), "SESSION_ENDED");
        assert_eq!(app.me(&ada.session).await.unwrap().email, "new@example.org");
    });
}
