use crate::support::{MailText as _, PASSWORD, Person, on_each_database, reset_mail};
use countersign::grpc::wire::proto::*;
use std::time::Duration;

async fn register(app: &crate::support::App, email: &str, username: &str) {
    let form = RegisterRequest {
        email: email.to_owned(),
        password: PASSWORD.to_owned(),
        username: username.to_owned(),
        ..Default::default()
    };
    app.account().register(form).await.unwrap();
}

#[test]
fn addresses_that_differ_by_case_or_form_are_one_account() {
    on_each_database(async |app| {
        Person::register(app, "Jos\u{E9}@Example.org").await;
        for same in ["jos\u{E9}@example.org", "JOSE\u{301}@EXAMPLE.ORG", "jose\u{301}@example.org"] {
            // Mails of the same instant have no order.
            app.advance(Duration::from_secs(1));
            register(app, same, "").await;
            let mails = app.mails_to("Jos\u{E9}@Example.org").await;
            assert!(mails[0].subject.contains("already"), "{same}: {}", mails[0].subject);
            assert_eq!(mails[0].token(), None, "{same}");
        }
        assert_eq!(app.rows("accounts").await, 1);
    });
}

#[test]
fn user_names_that_differ_by_form_are_one_name() {
    on_each_database(async |app| {
        register(app, "ada@example.org", "josefine").await;
        let token = app.mail_to("ada@example.org").await.link_token();
        app.account().verify(VerifyRequest { token, ..Default::default() }).await.unwrap();
        for same in ["JOSEFINE", "ｊｏｓｅｆｉｎｅ"] {
            let form = RegisterRequest {
                email: "eve@example.org".to_owned(),
                password: PASSWORD.to_owned(),
                username: same.to_owned(),
                ..Default::default()
            };
            let refused = app.account().register(form).await;
            assert_eq!(crate::support::Refused::reason(refused), "USERNAME_TAKEN", "{same}");
        }
        let form = RegisterRequest {
            email: "eve@example.org".to_owned(),
            password: PASSWORD.to_owned(),
            username: "Jose\u{FB01}ne".to_owned(),
            ..Default::default()
        };
        assert_eq!(crate::support::Refused::fields(app.account().register(form).await), ["username"]);
        app.log_in("Jose\u{FB01}ne", PASSWORD).await.unwrap();
    });
}

#[test]
fn a_reset_goes_to_the_stored_address() {
    on_each_database(async |app| {
        Person::register(app, "Kate@Example.org").await;
        let sent = app.mails_to("kate@example.org").await.len();
        let typed = ["KATE@EXAMPLE.ORG", "\u{212A}ate@example.org", "\u{FF4B}ate@example.org", "kate@example.org"];
        for (number, typed) in typed.iter().enumerate() {
            reset_mail(app, typed).await;
            let mails = app.mailbox.list(None, 100).await.unwrap();
            assert_eq!(mails.len(), sent + number + 1, "{typed}");
            assert!(mails.iter().all(|mail| mail.to == "Kate@Example.org"), "{typed}");
        }
    });
}

#[test]
fn a_look_alike_of_an_address_gets_no_mail() {
    on_each_database(async |app| {
        Person::register(app, "kim@example.org").await;
        app.send_mail().await;
        let sent = app.mailbox.list(None, 100).await.unwrap().len();
        let look_alikes = [
            "k\u{131}m@example.org",
            "k\u{456}m@example.org",
            "kim@ex\u{430}mple.org",
            "kim@example.\u{43E}rg",
            "kim+x@example.org",
            "k\u{130}m@example.org",
        ];
        for email in look_alikes {
            let form = RequestResetRequest { email: email.to_owned(), ..Default::default() };
            app.account().request_reset(form).await.unwrap();
        }
        app.send_mail().await;
        assert_eq!(app.mailbox.list(None, 100).await.unwrap().len(), sent);
        assert_eq!(app.number("SELECT count(*) FROM actions WHERE purpose = 'reset_password'").await, 0);
    });
}
