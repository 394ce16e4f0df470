use super::server::MailServer;
use crate::support::{App, AppOptions, PASSWORD, Person, on_sqlite, on_sqlite_with};
use countersign::grpc::wire::proto::*;
use std::{fs, time::Duration};

const SECOND: Duration = Duration::from_secs(1);

async fn register_in(app: &App, email: &str, locale: &str) {
    let form = RegisterRequest {
        email: email.to_owned(),
        password: PASSWORD.to_owned(),
        locale: locale.to_owned(),
        ..Default::default()
    };
    app.account().register(form).await.unwrap();
}

async fn request_reset(app: &App, email: &str) {
    app.advance(SECOND);
    let form = RequestResetRequest { email: email.to_owned(), ..Default::default() };
    app.account().request_reset(form).await.unwrap();
}

#[test]
fn the_language_of_the_registration_is_the_language_of_every_mail() {
    on_sqlite(async |app| {
        let confirm = |locale: &str| match locale {
            "de" => ("Bestätigen Sie Ihre E-Mail-Adresse für Countersign", "Neues Passwort für Countersign"),
            _ => ("Confirm your e-mail address for Countersign", "Set a new password for Countersign"),
        };
        for (tag, language) in [("de-AT", "de"), ("DE", "de"), ("en-GB", "en"), ("fr", "en"), ("", "en")] {
            let email = format!("{}@example.org", if tag.is_empty() { "none" } else { tag });
            register_in(app, &email, tag).await;
            let mail = app.mail_to(&email).await;
            let (verify, reset) = confirm(language);
            assert_eq!(mail.subject, verify, "{tag}");
            assert!(mail.html.contains(&format!("lang=\"{language}\"")), "{}", mail.html);
            let token = mail.token().unwrap();
            app.account().verify(VerifyRequest { token, ..Default::default() }).await.unwrap();
            request_reset(app, &email).await;
            assert_eq!(app.mail_to(&email).await.subject, reset, "{tag}");
        }
    });
}

#[test]
fn every_mail_calls_the_service_by_the_name_of_its_sender() {
    for (from, name) in
        [("Vale Identity <accounts@mail.example.org>", "Vale Identity"), ("accounts@mail.example.org", "Countersign")]
    {
        on_sqlite_with(AppOptions::with("COUNTERSIGN_MAIL__FROM", from), async |app| {
            let verified = Person::sign_up(app, "ada@example.org").await;
            request_reset(app, &verified.email).await;
            let mails = app.mails_to(&verified.email).await;
            let subjects: Vec<_> = mails.iter().map(|mail| mail.subject.clone()).collect();
            for subject in ["Confirm your e-mail address for", "Set a new password for"] {
                assert!(subjects.contains(&format!("{subject} {name}")), "{subjects:?}");
            }
            for mail in mails {
                for text in [&mail.text, &mail.html] {
                    assert!(text.contains(name), "{text}");
                    assert_eq!(text.contains("Countersign"), name == "Countersign", "{text}");
                }
            }
        });
    }
}

#[test]
fn a_changed_language_is_the_language_of_the_next_mail() {
    on_sqlite(async |app| {
        let ada = Person::sign_up(app, "ada@example.org").await;
        let account = Account { locale: "de".to_owned(), ..Default::default() };
        let mask = prost_types::FieldMask { paths: vec!["locale".to_owned()] };
        let form = UpdateMeRequest { account: Some(account), update_mask: Some(mask), ..Default::default() };
        app.account().update_me(ada.asks(form)).await.unwrap();
        request_reset(app, &ada.email).await;
        assert_eq!(app.mail_to(&ada.email).await.subject, "Neues Passwort für Countersign");
    });
}

#[test]
fn sender_recipient_date_and_message_id_are_right() {
    let server = MailServer::start();
    let options = AppOptions::with("COUNTERSIGN_SMTP_URL", &server.url())
        .and("COUNTERSIGN_MAIL__FROM", "Vale Identity <accounts@mail.example.org>")
        .and("COUNTERSIGN_MAIL__REPLY_TO", "help@example.org");
    on_sqlite_with(options, async |app| {
        register_in(app, "Ada@Example.org", "").await;
        app.advance(Duration::from_secs(90));
        app.send_mail().await;
        let mails = server.heard();
        let [mail] = mails.as_slice() else { panic!("one mail, not {mails:?}") };
        assert!(mail.sender.starts_with("MAIL FROM:<accounts@mail.example.org>"), "{}", mail.sender);
        assert_eq!(mail.recipient, "Ada@Example.org");
        assert_eq!(mail.header("From"), "\"Vale Identity\" <accounts@mail.example.org>");
        assert_eq!(mail.header("To"), "<Ada@Example.org>");
        assert_eq!(mail.header("Reply-To"), "<help@example.org>");
        assert_eq!(mail.header("Date"), "Fri, 15 Jan 2027 08:01:30 +0000", "when it was sent");
        assert_eq!(mail.header("Auto-Submitted"), "auto-generated");
        let id = mail.header("Message-ID");
        let (left, right) = id.trim_matches(['<', '>']).split_once('@').unwrap();
        assert_eq!(right, "mail.example.org");
        assert_eq!(app.number(&format!("SELECT count(*) FROM outbox WHERE {}", is_id(app, left))).await, 1);
    });
}

/// A condition for the row of a mail, in the dialect of the database.
fn is_id(app: &App, id: &str) -> String {
    match app.database.get_database_backend() {
        sea_orm::DbBackend::Sqlite => format!("hex(id) = '{}'", id.replace('-', "").to_uppercase()),
        _ => format!("id = '{id}'"),
    }
}

#[test]
fn mails_go_to_the_stored_spelling_and_not_to_the_typed_one() {
    on_sqlite(async |app| {
        Person::register(app, "Fiona@Example.org").await;
        // Addresses that compare as equal may still be different mailboxes.
        for typed in ["fiona@example.org", "FIONA@EXAMPLE.ORG", "Fiona@example.ORG", "\u{FB01}ona@example.org"] {
            request_reset(app, typed).await;
            app.advance(SECOND);
            let form = ResendVerificationRequest { email: typed.to_owned(), ..Default::default() };
            app.account().resend_verification(form).await.unwrap();
            register_in(app, typed, "").await;
        }
        app.send_mail().await;
        let accounts: Vec<_> = app.mailbox.list(None, 1_000).await.unwrap();
        assert!(accounts.len() >= 10, "{}", accounts.len());
        let strays: Vec<_> = accounts.iter().filter(|mail| mail.to != "Fiona@Example.org").collect();
        for stray in strays {
            // A different address is a different person, who may register but gets no mail about this account.
            assert_eq!((stray.to.as_str(), &stray.subject[..7]), ("\u{FB01}ona@example.org", "Confirm"));
        }
    });
}

#[test]
fn a_mail_has_a_plain_text_and_a_page_that_say_the_same() {
    on_sqlite(async |app| {
        register_in(app, "ada@example.org", "").await;
        let mail = app.mail_to("ada@example.org").await;
        let (token, code) = (mail.token().unwrap(), mail.code().unwrap());
        for part in [&mail.text, &mail.html.replace("&#x2f;", "/")] {
            assert!(part.contains(&format!("https://id.example.org/verify#token={token}")), "{part}");
            assert!(part.contains(&code), "{part}");
        }
        let raw = fs::read_to_string(app.data_dir.join("mail").join(format!("{}.eml", mail.id))).unwrap();
        assert!(raw.contains("Content-Type: multipart/alternative"), "{raw}");
    });
}
