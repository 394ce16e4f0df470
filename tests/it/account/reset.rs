use super::acts::{
    MINUTE, NEW_PASSWORD, SECOND, account_id, change_password, disable, events, move_to, request_reset, reset,
    reset_token, violations,
};
use crate::support::{App, MailText as _, PASSWORD, Person, Refused as _, on_each_database};
use countersign::{grpc::wire::proto::*, usecase::Origin};
use futures_util::future::join_all;
use tonic::{Response, Status};

async fn reset_by_code(app: &App, email: &str, code: &str, new: &str) -> Result<Response<ResetResponse>, Status> {
    let (email, code, new_password) = (email.to_owned(), code.to_owned(), new.to_owned());
    app.account().reset(ResetRequest { email, code, new_password, ..Default::default() }).await
}

#[test]
fn a_reset_by_link_ends_all_sessions_tells_the_person_and_kills_the_old_password() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, "ada@example.org").await;
        let second = app.log_in(&ada.email, PASSWORD).await.unwrap();
        let token = reset_token(app, "ADA@example.org").await;
        assert!(app.me(&second).await.is_ok(), "asking for a reset ends nothing");
        reset(app, &token, NEW_PASSWORD).await.unwrap();
        for session in [&ada.session, &second] {
            assert_eq!(app.me(session).await.reason(), "SESSION_ENDED");
            assert_eq!(app.refresh(&session.refresh_token).await.reason(), "SESSION_ENDED");
        }
        assert_eq!(app.log_in(&ada.email, PASSWORD).await.reason(), "CREDENTIALS_INVALID");
        app.log_in(&ada.email, NEW_PASSWORD).await.unwrap();
        let mail = app.mail_to(&ada.email).await;
        assert_eq!(mail.subject, "Your password for Countersign was changed");
        assert_eq!((mail.token(), mail.code()), (None, None));
        assert_eq!(reset(app, &token, "twelve muddy boots outside").await.reason(), "LINK_USED");
    });
}

#[test]
fn a_code_resets_as_well_as_the_link() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, "ada@example.org").await;
        request_reset(app, &ada.email).await;
        let mail = app.mail_to(&ada.email).await;
        assert!(mail.text.contains("https://id.example.org/reset#token="), "{}", mail.text);
        reset_by_code(app, "ADA@example.org", &mail.typed_code(), NEW_PASSWORD).await.unwrap();
        assert_eq!(app.me(&ada.session).await.reason(), "SESSION_ENDED");
        app.log_in(&ada.email, NEW_PASSWORD).await.unwrap();
        assert_eq!(reset(app, &mail.link_token(), "twelve muddy boots outside").await.reason(), "LINK_USED");
        let again = reset_by_code(app, &ada.email, &mail.typed_code(), "twelve muddy boots outside").await;
        assert_eq!(again.reason(), "CODE_INVALID");
    });
}

#[test]
fn a_reset_link_lives_half_an_hour_and_so_does_its_code() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, "ada@example.org").await;
        request_reset(app, &ada.email).await;
        let mail = app.mail_to(&ada.email).await;
        app.advance(30 * MINUTE);
        let by_code = reset_by_code(app, &ada.email, &mail.typed_code(), NEW_PASSWORD).await;
        assert_eq!(by_code.reason(), "CODE_INVALID");
        request_reset(app, &ada.email).await;
        let mail = app.mail_to(&ada.email).await;
        app.advance(30 * MINUTE - SECOND);
        reset_by_code(app, &ada.email, &mail.typed_code(), NEW_PASSWORD).await.unwrap();
        let late = reset_token(app, &ada.email).await;
        app.advance(30 * MINUTE);
        assert_eq!(reset(app, &late, "twelve muddy boots outside").await.reason(), "LINK_EXPIRED");
        app.log_in(&ada.email, NEW_PASSWORD).await.unwrap();
    });
}

#[test]
fn a_password_that_breaks_the_policy_does_not_cost_the_link_or_the_code() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, "zbigniewkowalczyk@example.org").await;
        request_reset(app, &ada.email).await;
        let mail = app.mail_to(&ada.email).await;
        for (password, reason) in [
            ("short", "PASSWORD_TOO_SHORT"),
            ("correct horse battery staple", "PASSWORD_TOO_COMMON"),
            ("zbigniewkowalczyk", "PASSWORD_CONTAINS_IDENTIFIER"),
            (PASSWORD, "PASSWORD_REUSED"),
        ] {
            let answer = reset(app, &mail.link_token(), password).await;
            assert_eq!(answer.reason(), "PASSWORD_REJECTED", "{password}");
            assert_eq!(violations(reset(app, &mail.link_token(), password).await), [reason]);
        }
        let by_code = reset_by_code(app, &ada.email, &mail.typed_code(), "zbigniewkowalczyk").await;
        assert_eq!(by_code.reason(), "PASSWORD_REJECTED");
        reset_by_code(app, &ada.email, &mail.typed_code(), NEW_PASSWORD).await.unwrap();
        app.log_in(&ada.email, NEW_PASSWORD).await.unwrap();
    });
}

#[test]
fn no_password_is_judged_without_a_link_or_a_code() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, "ada@example.org").await;
        let common = "correct horse battery staple";
        assert_eq!(reset(app, "made up", common).await.reason(), "LINK_INVALID");
        assert_eq!(reset_by_code(app, &ada.email, "1234 5678", common).await.reason(), "CODE_INVALID");
        assert_eq!(reset(app, "made up", "short").await.reason(), "PASSWORD_REJECTED", "a slip costs no try");
    });
}

#[test]
fn whoever_holds_no_link_learns_nothing_of_past_passwords() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, "ada@example.org").await;
        assert_eq!(reset(app, "made up", PASSWORD).await.reason(), "LINK_INVALID");
        let by_code = reset_by_code(app, &ada.email, "1234 5678", PASSWORD).await;
        assert_eq!(by_code.reason(), "CODE_INVALID");
    });
}

#[test]
fn a_reset_link_is_void_after_a_change_another_reset_or_a_move_to_another_address() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, "ada@example.org").await;
        let before_change = reset_token(app, &ada.email).await;
        change_password(app, &ada, PASSWORD, NEW_PASSWORD).await.unwrap();
        assert_eq!(reset(app, &before_change, "twelve muddy boots outside").await.reason(), "LINK_USED");

        let first = reset_token(app, &ada.email).await;
        let second = reset_token(app, &ada.email).await;
        reset(app, &second, "twelve muddy boots outside").await.unwrap();
        assert_eq!(reset(app, &first, "thirteen violet umbrellas").await.reason(), "LINK_USED");

        let bob = Person::sign_up(app, "bob@example.org").await;
        let before_move = reset_token(app, &bob.email).await;
        move_to(app, &bob, "robert@example.org").await;
        assert_eq!(reset(app, &before_move, NEW_PASSWORD).await.reason(), "LINK_USED");
        app.log_in("robert@example.org", PASSWORD).await.unwrap();
    });
}

#[test]
fn a_reset_mail_that_was_still_waiting_when_the_account_moved_reaches_nobody() {
    on_each_database(async |app| {
        let bob = Person::sign_up(app, "bob@example.org").await;
        super::acts::request_email_change(app, &bob, "robert@example.org").await.unwrap();
        let token = app.mail_to("robert@example.org").await.link_token();
        request_reset(app, "bob@example.org").await;
        super::acts::confirm(app, &token).await.unwrap();
        let mails = app.mails_to("bob@example.org").await;
        assert!(mails.iter().all(|mail| !mail.subject.starts_with("Set a new password")), "{mails:?}");
        assert_eq!(app.number("SELECT count(*) FROM outbox WHERE outcome = 'dropped'").await, 1);
    });
}

#[test]
fn a_disabled_account_gets_no_reset_mail_and_a_link_never_enables_it() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, "ada@example.org").await;
        let token = reset_token(app, &ada.email).await;
        let code = app.mail_to(&ada.email).await.typed_code();
        disable(app, &ada).await;
        assert_eq!(reset(app, &token, NEW_PASSWORD).await.reason(), "LINK_USED");
        let by_code = reset_by_code(app, &ada.email, &code, NEW_PASSWORD).await;
        assert_eq!(by_code.reason(), "CODE_INVALID");
        let before = app.mails_to(&ada.email).await.len();
        request_reset(app, &ada.email).await;
        assert_eq!(app.mails_to(&ada.email).await.len(), before);
        for password in [PASSWORD, NEW_PASSWORD] {
            assert_eq!(app.log_in(&ada.email, password).await.reason(), "CREDENTIALS_INVALID");
        }
        assert_eq!(app.number("SELECT count(*) FROM accounts WHERE disabled_at IS NOT NULL").await, 1);
        assert!(app.operations.enable_account.enable(&Origin::terminal(), account_id(&ada)).await.unwrap());
        app.log_in(&ada.email, PASSWORD).await.unwrap();
    });
}

#[test]
fn known_and_unknown_addresses_are_answered_alike_when_a_reset_is_asked_for() {
    on_each_database(async |app| {
        Person::register(app, "known@example.org").await;
        for (email, mails) in [("known@example.org", 1), ("nobody@example.org", 0)] {
            let before = (app.rows("outbox").await, events(app, "reset_requested").await);
            let mailed = app.mails_to(email).await.len();
            request_reset(app, email).await;
            let after = (app.rows("outbox").await, events(app, "reset_requested").await);
            assert_eq!(after, (before.0 + 1, before.1 + 1), "{email}");
            assert_eq!(app.mails_to(email).await.len(), mailed + mails, "{email}");
        }
    });
}

#[test]
fn two_reset_links_used_at_once_set_one_password() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, "ada@example.org").await;
        let links = [reset_token(app, &ada.email).await, reset_token(app, &ada.email).await];
        let passwords = [NEW_PASSWORD, "twelve muddy boots outside"];
        let answers = join_all(links.iter().zip(passwords).map(|(link, new)| reset(app, link, new))).await;
        let done: Vec<_> = answers.iter().zip(passwords).filter(|(answer, _)| answer.is_ok()).collect();
        assert_eq!(done.len(), 1, "{answers:?}");
        for (password, answer) in passwords.into_iter().zip(&answers) {
            assert_eq!(app.log_in(&ada.email, password).await.is_ok(), answer.is_ok());
        }
        let refused = answers.into_iter().find(Result::is_err).unwrap().reason();
        assert!(["LINK_USED", "STORE_UNAVAILABLE"].contains(&refused.as_str()), "{refused}");
    });
}

#[test]
fn a_right_code_costs_no_try_however_often_the_password_is_refused() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, "ada@example.org").await;
        reset_token(app, &ada.email).await;
        let code = app.mail_to(&ada.email).await.typed_code();
        for _ in 0..7 {
            assert_eq!(reset_by_code(app, &ada.email, &code, PASSWORD).await.reason(), "PASSWORD_REJECTED");
        }
        reset_by_code(app, &ada.email, &code, NEW_PASSWORD).await.unwrap();
    });
}
