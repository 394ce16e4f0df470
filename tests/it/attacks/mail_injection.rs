use crate::support::{App, MailText as _, PASSWORD, Person, Refused as _, on_sqlite};
use countersign::grpc::wire::proto::*;
use std::time::Duration;

/// The header lines of every mail that was sent.
async fn headers(app: &App) -> Vec<String> {
    app.send_mail().await;
    let mut lines = Vec::new();
    for mail in app.mailbox.list(None, 1_000).await.unwrap() {
        let file = std::fs::read_to_string(app.data_dir.join("mail").join(format!("{}.eml", mail.id))).unwrap();
        let (head, _) = file.split_once("\r\n\r\n").unwrap();
        lines.extend(head.split("\r\n").map(str::to_owned));
    }
    lines
}

#[test]
fn nothing_an_attacker_chose_adds_a_header_or_a_recipient() {
    on_sqlite(async |app| {
        let hostile_addresses = [
            "ada@example.org\r\nBcc: eve@example.com",
            "ada@example.org\nBcc: eve@example.com",
            "ada@example.org,eve@example.com",
            "\"ada\r\nBcc: eve@example.com\"@example.org",
            "ada@example.org\u{2028}Bcc: eve@example.com",
        ];
        for email in hostile_addresses {
            let form = RegisterRequest { email: email.to_owned(), password: PASSWORD.to_owned(), ..Default::default() };
            assert_eq!(app.account().register(form).await.fields(), ["email"], "{email:?}");
            let form = RequestResetRequest { email: email.to_owned(), ..Default::default() };
            assert_eq!(app.account().request_reset(form).await.fields(), ["email"], "{email:?}");
        }
        let hostile_names = ["Ada\r\nBcc: eve@example.com", "Ada\nX: y", "Ada\rX: y", "Ada\u{85}X: y"];
        for name in hostile_names {
            let form = RegisterRequest {
                email: "ada@example.org".to_owned(),
                password: PASSWORD.to_owned(),
                display_name: name.to_owned(),
                ..Default::default()
            };
            assert_eq!(app.account().register(form).await.fields(), ["display_name"], "{name:?}");
        }
        let form = RegisterRequest {
            email: "ada@example.org".to_owned(),
            password: PASSWORD.to_owned(),
            display_name: "Bcc: eve@example.com, <eve@example.com>".to_owned(),
            locale: "en".to_owned(),
            ..Default::default()
        };
        app.account().register(form).await.unwrap();
        let token = app.mail_to("ada@example.org").await.link_token();
        app.account().verify(VerifyRequest { token, ..Default::default() }).await.unwrap();

        let lines = headers(app).await;
        assert!(!lines.is_empty());
        for line in &lines {
            let line = line.to_lowercase();
            assert!(!line.contains("eve@") && !line.starts_with("bcc") && !line.starts_with("x:"), "{line}");
        }
        assert_eq!(lines.iter().filter(|line| line.starts_with("To:")).count(), 1);
    });
}

#[test]
fn a_device_name_cannot_become_a_link() {
    on_sqlite(async |app| {
        Person::register(app, "ada@example.org").await;
        let form = LoginRequest {
            identifier: "ada@example.org".to_owned(),
            password: PASSWORD.to_owned(),
            device_name: "<a href=//evil.example>Sign in</a> https://evil.example/x www.evil.example".to_owned(),
            ..Default::default()
        };
        let answer = app.auth().login(form).await.unwrap().into_inner();
        let Some(login_response::Outcome::Session(session)) = answer.outcome else { panic!("no session") };
        app.refresh(&session.refresh_token).await.unwrap();
        app.advance(Duration::from_secs(31));
        assert_eq!(app.refresh(&session.refresh_token).await.reason(), "REFRESH_TOKEN_REUSED");

        let mail = app.mail_to("ada@example.org").await;
        assert!(mail.subject.contains("signed out a device"));
        assert!(mail.text.contains("Sign in"), "the device is named: {}", mail.text);
        for text in [&mail.text, &mail.html] {
            for part in ["evil.example", "//evil", "www.evil", "<a href=//", "href=\"//evil"] {
                assert!(!text.contains(part), "{part} in {text}");
            }
        }
    });
}

#[test]
fn routes_and_encoded_words_get_no_mail() {
    on_sqlite(async |app| {
        let ada = Person::sign_up(app, "ada@example.org").await;
        for email in [
            "victim%example.com@example.org",
            "example.com!victim@example.org",
            "=?utf-8?q?victim=40example.com=3e=00?=x@example.org",
        ] {
            let form = RegisterRequest { email: email.to_owned(), password: PASSWORD.to_owned(), ..Default::default() };
            assert_eq!(app.account().register(form).await.fields(), ["email"], "{email}");
            let form = RequestEmailChangeRequest {
                new_email: email.to_owned(),
                current_password: PASSWORD.to_owned(),
                ..Default::default()
            };
            assert_eq!(app.account().request_email_change(ada.asks(form)).await.fields(), ["new_email"], "{email}");
            // An account that has such an address from before still gets its mail, and the answer does not differ.
            let form = RequestResetRequest { email: email.to_owned(), ..Default::default() };
            app.account().request_reset(form).await.unwrap();
            assert!(app.mails_to("ada@example.org").await.iter().all(|mail| !mail.to.contains("victim")));
        }
        app.execute("UPDATE accounts SET email = 'a%b@example.org', email_normalised = 'a%b@example.org'").await;
        app.log_in("a%b@example.org", PASSWORD).await.unwrap();
    });
}
