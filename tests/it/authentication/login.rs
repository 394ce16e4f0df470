use crate::support::{MailText as _, PASSWORD, Person, Refused as _, census, grown, on_each_database};
use countersign::grpc::wire::proto::*;
use tonic::Status;

fn form(identifier: &str) -> LoginRequest {
    LoginRequest { identifier: identifier.to_owned(), password: PASSWORD.to_owned(), ..Default::default() }
}

async fn log_in(app: &crate::support::App, form: LoginRequest) -> Result<Session, Status> {
    let answer = app.auth().login(form).await?.into_inner();
    let Some(login_response::Outcome::Session(session)) = answer.outcome else { panic!("a login without a session") };
    Ok(session)
}

#[test]
fn an_address_or_a_user_name_in_any_case_logs_in() {
    on_each_database(async |app| {
        let with_name = RegisterRequest {
            email: "Grace@Example.org".to_owned(),
            password: PASSWORD.to_owned(),
            username: "Grace.Hopper".to_owned(),
            ..Default::default()
        };
        app.account().register(with_name).await.unwrap();
        let token = app.mail_to("grace@example.org").await.link_token();
        app.account().verify(VerifyRequest { token, ..Default::default() }).await.unwrap();
        let identifiers = [
            "Grace@Example.org",
            "grace@example.org",
            "GRACE@EXAMPLE.ORG",
            " grace@example.org ",
            "Grace.Hopper",
            "grace.hopper",
            "GRACE.HOPPER",
            "ｇｒａｃｅ.hopper",
        ];
        for identifier in identifiers {
            let session = app.log_in(identifier, PASSWORD).await.unwrap();
            assert_eq!(session.account.unwrap().email, "Grace@Example.org", "{identifier}");
        }
        assert_eq!(app.rows("sessions").await, identifiers.len() as i64);
    });
}

#[test]
fn a_login_answers_with_tokens_whose_lives_are_told() {
    on_each_database(async |app| {
        let session = Person::sign_up(app, "ada@example.org").await.session;
        let opened = app.number("SELECT max(created_at) FROM sessions").await / 1_000_000;
        let minute = 60;
        assert_eq!(session.access_expire_time.unwrap().seconds, opened + 10 * minute);
        assert_eq!(session.refresh_expire_time.unwrap().seconds, opened + 14 * 24 * 60 * minute);
        assert_eq!(session.account, Some(app.me(&session).await.unwrap()));
        assert_ne!(session.access_token, session.refresh_token);
    });
}

#[test]
fn a_login_is_for_the_default_audience_unless_it_names_another_that_exists() {
    on_each_database(async |app| {
        Person::register(app, "ada@example.org").await;
        for audience in ["", "default"] {
            let named = LoginRequest { audience: audience.to_owned(), ..form("ada@example.org") };
            let session = log_in(app, named).await.unwrap();
            app.me(&session).await.unwrap();
        }
        assert_eq!(app.number("SELECT count(*) FROM sessions WHERE audience = 'default'").await, 2);
        let unknown = LoginRequest { audience: "nobody".to_owned(), ..form("ada@example.org") };
        assert_eq!(log_in(app, unknown).await.reason(), "AUDIENCE_UNKNOWN");
        for malformed in ["Default", "a b", "x'; --", &"a".repeat(65)] {
            let malformed = LoginRequest { audience: malformed.to_owned(), ..form("ada@example.org") };
            let refused = log_in(app, malformed).await;
            assert_eq!(refused.fields(), ["audience"]);
        }
        assert_eq!(app.rows("sessions").await, 2);
    });
}

#[test]
fn a_device_name_is_shown_in_the_list_and_a_hostile_one_is_refused() {
    on_each_database(async |app| {
        Person::register(app, "ada@example.org").await;
        let named =
            LoginRequest { device_name: "  Ольгин телефон ☎ ".to_owned(), ..form("ada@example.org") };
        let session = log_in(app, named).await.unwrap();
        let person = Person { email: "ada@example.org".to_owned(), session };
        let listed = app.sessions().list_sessions(person.asks(ListSessionsRequest::default())).await.unwrap();
        assert_eq!(listed.into_inner().sessions[0].device_name, "Ольгин телефон ☎");
        for hostile in ["a\r\nBcc: eve@example.org", "a\0b", "i\u{202E}enohp", &"x".repeat(101)] {
            let named = LoginRequest { device_name: hostile.to_owned(), ..form("ada@example.org") };
            assert_eq!(log_in(app, named).await.fields(), ["device_name"]);
        }
        assert_eq!(app.rows("sessions").await, 1);
    });
}

#[test]
fn a_login_without_an_identifier_or_a_password_names_the_field_and_writes_nothing() {
    on_each_database(async |app| {
        Person::register(app, "ada@example.org").await;
        let before = census(app).await;
        assert_eq!(log_in(app, form("")).await.fields(), ["identifier"]);
        let without = LoginRequest { password: String::new(), ..form("ada@example.org") };
        assert_eq!(log_in(app, without).await.fields(), ["password"]);
        assert!(grown(app, &before).await.is_empty());
    });
}

#[test]
fn a_login_that_fails_opens_nothing_and_one_that_succeeds_is_audited() {
    on_each_database(async |app| {
        Person::register(app, "ada@example.org").await;
        let before = census(app).await;
        assert_eq!(app.log_in("ada@example.org", "not the password at all").await.reason(), "CREDENTIALS_INVALID");
        assert_eq!(grown(app, &before).await, [("audit_events", 1)].into());
        let before = census(app).await;
        let session = app.log_in("ada@example.org", PASSWORD).await.unwrap();
        assert_eq!(grown(app, &before).await, [("audit_events", 1), ("devices", 1), ("sessions", 1)].into());
        let logged_in =
            app.number("SELECT count(*) FROM audit_events WHERE kind = 'logged_in' AND session_id IS NOT NULL");
        assert_eq!(logged_in.await, 1);
        app.me(&session).await.unwrap();
    });
}
