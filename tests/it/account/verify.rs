use super::acts::{HOUR, SECOND, events, form, register, reset_token, sign_up_as, verify, verify_by_code};
use crate::support::{App, MailText as _, PASSWORD, Person, Refused as _, on_each_database};
use countersign::{grpc::wire::proto::*, mail::StoredMail};
use futures_util::future::join_all;

async fn mail_of(app: &App, email: &str) -> StoredMail {
    register(app, form(email)).await.unwrap();
    app.mail_to(email).await
}

#[test]
fn a_code_verifies_as_well_as_the_link_and_uses_both_up() {
    on_each_database(async |app| {
        let mail = mail_of(app, "Ada@example.org").await;
        let typed = mail.typed_code().replace(' ', "-");
        verify_by_code(app, "ADA@example.org", &typed).await.unwrap();
        app.log_in("ada@example.org", PASSWORD).await.unwrap();
        assert_eq!(verify(app, &mail.link_token()).await.reason(), "LINK_USED");
        assert_eq!(verify_by_code(app, "ada@example.org", &typed).await.reason(), "CODE_INVALID");
    });
}

#[test]
fn a_link_works_once_and_takes_its_code_with_it() {
    on_each_database(async |app| {
        let mail = mail_of(app, "ada@example.org").await;
        verify(app, &mail.link_token()).await.unwrap();
        assert_eq!(verify(app, &mail.link_token()).await.reason(), "LINK_USED");
        assert_eq!(verify_by_code(app, "ada@example.org", &mail.typed_code()).await.reason(), "CODE_INVALID");
        assert_eq!(app.rows("accounts").await, 1);
        assert_eq!(events(app, "address_verified").await, 1);
    });
}

#[test]
fn a_link_lives_a_day_and_so_does_its_code() {
    on_each_database(async |app| {
        let early = mail_of(app, "early@example.org").await;
        app.advance(24 * HOUR - SECOND);
        verify_by_code(app, "early@example.org", &early.typed_code()).await.unwrap();

        let mail = mail_of(app, "ada@example.org").await;
        app.advance(24 * HOUR);
        assert_eq!(verify_by_code(app, "ada@example.org", &mail.typed_code()).await.reason(), "CODE_INVALID");
        assert_eq!(verify(app, &mail.link_token()).await.reason(), "LINK_EXPIRED");
        assert_eq!(app.rows("accounts").await, 1);

        let late = mail_of(app, "late@example.org").await;
        app.advance(24 * HOUR - SECOND);
        verify(app, &late.link_token()).await.unwrap();
    });
}

#[test]
fn a_tampered_or_forged_link_is_no_link() {
    on_each_database(async |app| {
        let token = mail_of(app, "ada@example.org").await.link_token();
        for at in [0, token.len() / 2, token.len() - 1] {
            let mut forged = token.clone().into_bytes();
            forged[at] = if forged[at] == b'A' { b'B' } else { b'A' };
            let forged = String::from_utf8(forged).unwrap();
            assert_eq!(verify(app, &forged).await.reason(), "LINK_INVALID", "changed at {at}");
        }
        for made_up in ["x", "v4.local.AAAA", "нет", &token[..token.len() - 4], &format!("{token}AAAA")] {
            assert_eq!(verify(app, made_up).await.reason(), "LINK_INVALID", "{made_up}");
        }
        assert_eq!(verify(app, &"A".repeat(2_000)).await.reason(), "INVALID_FIELD");
        assert_eq!(app.rows("accounts").await, 0);
        assert_eq!(events(app, "action_refused").await, 0, "garbage that anybody can send leaves no row");
        verify(app, &token).await.unwrap();
    });
}

#[test]
fn links_and_codes_of_one_purpose_do_nothing_for_another() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, "ada@example.org").await;
        let reset = reset_token(app, &ada.email).await;
        let reset_code = app.mail_to(&ada.email).await.typed_code();
        let confirm = |token: &str| ConfirmEmailChangeRequest { token: token.to_owned(), ..Default::default() };
        assert_eq!(verify(app, &reset).await.reason(), "LINK_INVALID");
        assert_eq!(app.account().confirm_email_change(confirm(&reset)).await.reason(), "LINK_INVALID");
        assert_eq!(verify_by_code(app, &ada.email, &reset_code).await.reason(), "CODE_INVALID");

        let verification = mail_of(app, "eve@example.org").await.link_token();
        assert_eq!(app.account().confirm_email_change(confirm(&verification)).await.reason(), "LINK_INVALID");
        let foreign = super::acts::reset(app, &verification, super::acts::NEW_PASSWORD).await;
        assert_eq!(foreign.reason(), "LINK_INVALID");
        for token in [&ada.session.access_token, &ada.session.refresh_token] {
            let answer = verify(app, token).await;
            assert!(matches!(answer.reason().as_str(), "LINK_INVALID" | "INVALID_FIELD"));
        }
    });
}

#[test]
fn a_code_is_void_after_five_wrong_ones_and_the_link_is_not() {
    on_each_database(async |app| {
        let mail = mail_of(app, "ada@example.org").await;
        let right = mail.typed_code();
        let wrong = if right == "0000 0000" { "0000 0001" } else { "0000 0000" };
        for _ in 0..5 {
            assert_eq!(verify_by_code(app, "ada@example.org", wrong).await.reason(), "CODE_INVALID");
        }
        assert_eq!(verify_by_code(app, "ada@example.org", &right).await.reason(), "CODE_INVALID");
        verify(app, &mail.link_token()).await.unwrap();
    });
}

#[test]
fn what_cannot_be_a_code_costs_no_try() {
    on_each_database(async |app| {
        let mail = mail_of(app, "ada@example.org").await;
        for slip in ["1234", "abcd efgh", "1234 5678 9"] {
            for _ in 0..2 {
                assert_eq!(verify_by_code(app, "ada@example.org", slip).await.reason(), "CODE_INVALID");
            }
        }
        verify_by_code(app, "ada@example.org", &mail.typed_code()).await.unwrap();
    });
}

#[test]
fn a_code_is_good_for_its_own_address_only() {
    on_each_database(async |app| {
        let ada = mail_of(app, "ada@example.org").await;
        mail_of(app, "eve@example.org").await;
        for email in ["eve@example.org", "nobody@example.org"] {
            assert_eq!(verify_by_code(app, email, &ada.typed_code()).await.reason(), "CODE_INVALID");
        }
        verify_by_code(app, "ada@example.org", &ada.typed_code()).await.unwrap();
    });
}

#[test]
fn either_a_token_or_an_address_with_a_code_is_needed() {
    on_each_database(async |app| {
        let ask = |token: &str, email: &str, code: &str| VerifyRequest {
            token: token.to_owned(),
            email: email.to_owned(),
            code: code.to_owned(),
            ..Default::default()
        };
        for (form, field) in [
            (ask("", "", ""), "token"),
            (ask("x", "ada@example.org", "1234 5678"), "token"),
            (ask("", "ada@example.org", ""), "code"),
            (ask("", "", "1234 5678"), "email"),
        ] {
            assert_eq!(app.account().verify(form).await.fields(), [field]);
        }
    });
}

#[test]
fn a_user_name_that_was_taken_meanwhile_is_dropped_and_the_account_begins_without_one() {
    on_each_database(async |app| {
        let wish = RegisterRequest { username: "Grace".to_owned(), ..form("slow@example.org") };
        register(app, wish).await.unwrap();
        let token = app.mail_to("slow@example.org").await.link_token();
        sign_up_as(app, "quick@example.org", "grace").await;
        let form = VerifyRequest { token, request_id: "verify-it-once".to_owned(), ..Default::default() };
        for _ in 0..2 {
            let answer = app.account().verify(form.clone()).await.unwrap().into_inner();
            assert_eq!(answer.username, "", "whoever wished for a name is told that it is not theirs");
        }
        let session = app.log_in("slow@example.org", PASSWORD).await.unwrap();
        assert_eq!(app.me(&session).await.unwrap().username, "");
    });
}

#[test]
fn a_user_name_that_was_got_is_told_and_told_again() {
    on_each_database(async |app| {
        let wish = RegisterRequest { username: "Grace".to_owned(), ..form("ada@example.org") };
        register(app, wish).await.unwrap();
        let token = app.mail_to("ada@example.org").await.link_token();
        let form = VerifyRequest { token, request_id: "verify-it-once".to_owned(), ..Default::default() };
        for _ in 0..2 {
            assert_eq!(app.account().verify(form.clone()).await.unwrap().into_inner().username, "Grace");
        }
    });
}

#[test]
fn of_many_wishes_for_one_name_verified_at_once_one_gets_it() {
    on_each_database(async |app| {
        let emails: Vec<String> = (0..6).map(|n| format!("person{n}@example.org")).collect();
        let mut tokens = Vec::new();
        for email in &emails {
            let wish = RegisterRequest { username: "Grace".to_owned(), ..form(email) };
            register(app, wish).await.unwrap();
            tokens.push(app.mail_to(email).await.link_token());
        }
        let answers = join_all(tokens.iter().map(|token| verify(app, token))).await;
        for (token, answer) in tokens.iter().zip(answers) {
            if let Err(status) = answer {
                // Lost the race at the same instant: the answer says to try again, and the next try succeeds.
                assert_eq!(crate::support::reason(&status), "STORE_UNAVAILABLE");
                assert!(crate::support::retry_after(&status).is_some());
                verify(app, token).await.unwrap();
            }
        }
        assert_eq!(app.rows("accounts").await, 6);
        assert_eq!(app.number("SELECT count(*) FROM accounts WHERE username IS NOT NULL").await, 1);
    });
}

const ANOTHER_PASSWORD: &str = "nine loud ravens at dawn";

/// Registers once more, as somebody does who waited for the first mail.
async fn mail_of_password(app: &App, password: &str) -> StoredMail {
    let form = RegisterRequest { password: password.to_owned(), ..form("ada@example.org") };
    register(app, form).await.unwrap();
    app.mail_to("ada@example.org").await
}

#[test]
fn who_registered_twice_with_one_password_can_log_in_with_it() {
    for verified in [0, 1] {
        on_each_database(async |app| {
            // Also at the same time: an impatient person presses twice.
            let (mut one, mut other) = (app.account(), app.account());
            let (first, second) = (one.register(form("ada@example.org")), other.register(form("ada@example.org")));
            let (first, second) = futures_util::join!(first, second);
            first.and(second).unwrap();
            let mails = [mail_of_password(app, PASSWORD).await, app.mails_to("ada@example.org").await.pop().unwrap()];
            let answer = verify(app, &mails[verified].link_token()).await.unwrap().into_inner();
            assert!(!answer.password_link_mailed);
            app.log_in("ada@example.org", PASSWORD).await.unwrap();
            assert_eq!((app.rows("accounts").await, app.rows("registrations").await), (1, 0));
            app.send_mail().await;
            let resets = "SELECT count(*) FROM outbox WHERE template = 'reset_password'";
            assert_eq!(app.number(resets).await, 0);
        });
    }
}

#[test]
fn who_registered_twice_with_two_passwords_learns_that_a_link_to_set_one_is_on_its_way() {
    on_each_database(async |app| {
        mail_of_password(app, PASSWORD).await;
        let mail = mail_of_password(app, ANOTHER_PASSWORD).await;
        let form =
            VerifyRequest { token: mail.link_token(), request_id: "verify-it-once".to_owned(), ..Default::default() };
        for _ in 0..2 {
            let answer = app.account().verify(form.clone()).await.unwrap().into_inner();
            assert!(answer.password_link_mailed, "a repeated call is told the same");
        }
        for password in [PASSWORD, ANOTHER_PASSWORD] {
            assert_eq!(app.log_in("ada@example.org", password).await.reason(), "CREDENTIALS_INVALID");
        }
        Person::set_password_by_mail(app, "ada@example.org", PASSWORD).await;
        app.log_in("ada@example.org", PASSWORD).await.unwrap();
        let answer = app.account().verify(form).await.unwrap().into_inner();
        assert!(!answer.password_link_mailed, "there is a password now");
    });
}

#[test]
fn one_registration_is_ready_and_a_repeated_call_is_told_so() {
    on_each_database(async |app| {
        let mail = mail_of(app, "ada@example.org").await;
        let (email, code) = ("ada@example.org".to_owned(), mail.typed_code());
        let form = VerifyRequest { email, code, request_id: "verify-it-once".to_owned(), ..Default::default() };
        for _ in 0..2 {
            assert!(!app.account().verify(form.clone()).await.unwrap().into_inner().password_link_mailed);
        }
    });
}

/// The salt tells two passwords of one address apart, and says nothing about two addresses.
#[test]
fn two_addresses_with_one_password_have_nothing_in_common() {
    on_each_database(async |app| {
        for email in ["ada@example.org", "eve@example.org"] {
            mail_of(app, email).await;
        }
        mail_of(app, "ada@example.org").await;
        let different = "SELECT count(DISTINCT password_hash) FROM registrations";
        assert_eq!((app.number(different).await, app.rows("registrations").await), (2, 3));
    });
}
