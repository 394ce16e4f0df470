use super::acts::{MINUTE, account_id, disable, form, register, sign_up_as, verify, violations};
use crate::support::{App, MailText as _, PASSWORD, Person, Refused as _, on_each_database};
use countersign::grpc::wire::proto::*;

/// The numbers of registrations, mails and events.
async fn counts(app: &App) -> [i64; 3] {
    [app.rows("registrations").await, app.rows("outbox").await, app.rows("audit_events").await]
}

#[test]
fn a_person_registers_verifies_and_logs_in() {
    on_each_database(async |app| {
        let with_names = RegisterRequest {
            username: "Ольга".to_owned(),
            display_name: "Ольга Ладыженская".to_owned(),
            locale: "de-AT".to_owned(),
            ..form("Olga@Example.org")
        };
        app.account().register(with_names).await.unwrap();
        assert_eq!(app.log_in("olga@example.org", PASSWORD).await.reason(), "CREDENTIALS_INVALID");

        let mail = app.mail_to("Olga@Example.org").await;
        assert!(mail.text.contains("https://id.example.org/verify#token="), "{}", mail.text);
        let token = mail.link_token();
        app.account().verify(VerifyRequest { token, ..Default::default() }).await.unwrap();

        for identifier in ["olga@example.org", "OLGA@EXAMPLE.ORG", "ольга"] {
            let session = app.log_in(identifier, PASSWORD).await.unwrap();
            let account = app.me(&session).await.unwrap();
            assert_eq!((account.email.as_str(), account.username.as_str()), ("Olga@Example.org", "Ольга"));
            assert_eq!((account.display_name.as_str(), account.locale.as_str()), ("Ольга Ладыженская", "de"));
        }
    });
}

#[test]
fn known_and_unknown_addresses_are_answered_alike_and_leave_the_same_rows() {
    on_each_database(async |app| {
        Person::register(app, "Known@Example.org").await;
        let disabled = Person::sign_up(app, "disabled@example.org").await;
        disable(app, &disabled).await;
        let mut answers = Vec::new();
        for email in ["known@example.org", "fresh@example.org", "disabled@example.org"] {
            let before = counts(app).await;
            let answer = register(app, form(email)).await.unwrap();
            let after = counts(app).await;
            assert_eq!(after, before.map(|count| count + 1), "{email}");
            let mut headers: Vec<_> =
                answer.metadata().clone().into_headers().iter().map(|(k, v)| (k.to_string(), v.len())).collect();
            headers.sort();
            answers.push((headers, answer.into_inner()));
        }
        assert_eq!(answers[0], answers[1]);
        assert_eq!(answers[0], answers[2]);
    });
}

#[test]
fn a_known_address_gets_a_mail_at_the_stored_mailbox_and_nowhere_else() {
    on_each_database(async |app| {
        let person = Person::sign_up(app, "Known@Example.org").await;
        register(
            app,
            RegisterRequest { password: "another fine long password".to_owned(), ..form("known@EXAMPLE.org") },
        )
        .await
        .unwrap();
        let mail = app.mail_to("known@example.org").await;
        assert_eq!(mail.to, "Known@Example.org");
        assert_eq!(mail.subject, "You already have an account at Countersign");
        assert_eq!((mail.token(), mail.code()), (None, None), "it carries nothing to act with");
        let account = app.me(&person.session).await.unwrap();
        assert_eq!(account.account_id, account_id(&person).to_string());
        assert!(app.log_in("known@example.org", "another fine long password").await.is_err());
    });
}

#[test]
fn a_disabled_account_gets_no_mail_when_its_address_is_registered_again() {
    on_each_database(async |app| {
        let person = Person::sign_up(app, "gone@example.org").await;
        disable(app, &person).await;
        let before = app.mails_to("gone@example.org").await.len();
        register(app, form("gone@example.org")).await.unwrap();
        assert_eq!(app.mails_to("gone@example.org").await.len(), before);
    });
}

#[test]
fn every_bad_field_is_named_at_once_and_leaves_nothing_behind() {
    on_each_database(async |app| {
        let before = counts(app).await;
        let bad = RegisterRequest {
            email: "ada".to_owned(),
            password: String::new(),
            username: "a b".to_owned(),
            display_name: "x".repeat(101),
            locale: "../../etc".to_owned(),
            request_id: "short".to_owned(),
            ..Default::default()
        };
        let answer = app.account().register(bad.clone()).await;
        assert_eq!(answer.fields(), ["email", "password", "username", "display_name", "locale", "request_id"]);
        assert_eq!(app.account().register(bad).await.reason(), "INVALID_FIELD");
        assert_eq!(counts(app).await, before);
    });
}

#[test]
fn a_password_that_breaks_the_policy_is_refused_with_its_reason_and_leaves_nothing_behind() {
    on_each_database(async |app| {
        let before = counts(app).await;
        let too_long = "quiet herons ".repeat(79);
        for (password, reason) in [
            ("fourteen chars", "PASSWORD_TOO_SHORT"),
            (too_long.as_str(), "PASSWORD_TOO_LONG"),
            ("correct horse battery staple", "PASSWORD_TOO_COMMON"),
            ("password1234567", "PASSWORD_TOO_COMMON"),
            ("zbigniewkowalczyk", "PASSWORD_CONTAINS_IDENTIFIER"),
            ("seven quiet\nherons at dusk", "PASSWORD_FORBIDDEN_CHARACTER"),
        ] {
            let form = || RegisterRequest {
                password: password.to_owned(),
                username: "zbyszek".to_owned(),
                request_id: "0123456789".to_owned(),
                ..form("zbigniewkowalczyk@example.org")
            };
            assert_eq!(app.account().register(form()).await.reason(), "PASSWORD_REJECTED", "{password}");
            assert_eq!(violations(app.account().register(form()).await), [reason], "{password}");
            assert_eq!(app.account().register(form()).await.fields(), ["password"]);
        }
        assert_eq!(counts(app).await, before);
        assert_eq!(app.rows("request_ids").await, 0, "a refused call may be repeated with its id");
    });
}

#[test]
fn a_user_name_is_taken_by_verified_accounts_only() {
    on_each_database(async |app| {
        let wish = |email: &str| RegisterRequest { username: "Grace".to_owned(), ..form(email) };
        register(app, wish("first@example.org")).await.unwrap();
        register(app, wish("second@example.org")).await.unwrap();
        let token = app.mail_to("first@example.org").await.link_token();
        verify(app, &token).await.unwrap();

        let before = counts(app).await;
        let late = RegisterRequest { username: "GRACE".to_owned(), ..form("third@example.org") };
        let answer = register(app, late.clone()).await;
        assert_eq!(answer.reason(), "USERNAME_TAKEN");
        assert_eq!(register(app, late).await.fields(), ["username"]);
        assert_eq!(counts(app).await, before);
    });
}

#[test]
fn a_taken_user_name_says_the_same_whether_or_not_the_address_is_known() {
    on_each_database(async |app| {
        sign_up_as(app, "grace@example.org", "grace").await;
        for email in ["grace@example.org", "nobody@example.org"] {
            let form = RegisterRequest { username: "grace".to_owned(), ..form(email) };
            assert_eq!(register(app, form).await.reason(), "USERNAME_TAKEN", "{email}");
        }
    });
}

#[test]
fn an_unverified_sign_up_blocks_neither_the_address_nor_the_name() {
    on_each_database(async |app| {
        let squatter = RegisterRequest {
            username: "ada".to_owned(),
            password: "nine loud ravens at dawn".to_owned(),
            ..form("ada@example.org")
        };
        register(app, squatter).await.unwrap();
        app.mail_to("ada@example.org").await;
        app.advance(MINUTE);
        let wish = RegisterRequest { username: "ada".to_owned(), ..form("ada@example.org") };
        register(app, wish).await.unwrap();
        let token = app.mail_to("ada@example.org").await.link_token();
        verify(app, &token).await.unwrap();
        Person::set_password_by_mail(app, "ada@example.org", PASSWORD).await;
        let session = app.log_in("ada@example.org", PASSWORD).await.unwrap();
        let account = app.me(&session).await.unwrap();
        assert_eq!((account.email.as_str(), account.username.as_str()), ("ada@example.org", "ada"));
    });
}

#[test]
fn each_registration_for_an_address_has_its_own_link_and_verifying_one_kills_the_others() {
    on_each_database(async |app| {
        let names = ["First", "Second", "Third"];
        let mut tokens = Vec::new();
        for name in names {
            let password = format!("nine loud {name} ravens at dawn");
            let form = RegisterRequest { display_name: name.to_owned(), password, ..form("ada@example.org") };
            register(app, form).await.unwrap();
            tokens.push(app.mail_to("ada@example.org").await.link_token());
        }
        assert_eq!(app.rows("registrations").await, 3);
        verify(app, &tokens[1]).await.unwrap();
        for token in &tokens {
            assert_eq!(verify(app, token).await.reason(), "LINK_USED");
        }
        // Nobody can tell which of the passwords is the owner's, so none is accepted: the owner got a link to set one.
        for name in names {
            let password = format!("nine loud {name} ravens at dawn");
            assert_eq!(app.log_in("ada@example.org", &password).await.reason(), "CREDENTIALS_INVALID");
        }
        Person::set_password_by_mail(app, "ada@example.org", PASSWORD).await;
        let session = app.log_in("ada@example.org", PASSWORD).await.unwrap();
        assert_eq!(app.me(&session).await.unwrap().display_name, "Second");
        assert_eq!((app.rows("registrations").await, app.rows("accounts").await), (0, 1));
    });
}

#[test]
fn a_registration_whose_address_got_an_account_before_its_mail_left_gets_a_mail_about_the_account() {
    on_each_database(async |app| {
        register(app, form("ada@example.org")).await.unwrap();
        let token = app.mail_to("ada@example.org").await.link_token();
        register(app, form("ada@example.org")).await.unwrap();
        verify(app, &token).await.unwrap();
        let mails = app.mails_to("ada@example.org").await;
        let told = mails.iter().filter(|mail| mail.subject == "You already have an account at Countersign");
        assert_eq!(told.count(), 1);
    });
}
