use crate::support::{App, AppOptions, Backend, Person, Refused as _, bearer, on_each_database, on_each_database_with};
use countersign::{
    grpc::wire::proto::*,
    usecase::{Origin, service::NewService},
};

async fn ask(app: &App, id: &str, secret: &str, audience: &str) -> Result<IssueServiceTokenResponse, tonic::Status> {
    let form = IssueServiceTokenRequest {
        client_id: id.to_owned(),
        client_secret: secret.to_owned(),
        audience: audience.to_owned(),
    };
    Ok(app.auth().issue_service_token(form).await?.into_inner())
}

#[test]
fn a_service_draws_a_token_that_says_what_it_is() {
    on_each_database(async |app| {
        let backend = Backend::enrol(app, "orders").await;
        let drawn = Backend::draw(app, &backend.created, "default").await.unwrap();
        let about = backend.asks(IntrospectRequest { token: drawn.access_token });
        let found = app.verification().introspect(about).await.unwrap().into_inner();
        assert!(found.active);
        assert_eq!(found.subject, backend.created.id.to_string());
        assert_eq!(found.session_id, backend.created.secret_id.to_string());
        assert_eq!((found.level.as_str(), found.audience.as_str()), ("service", "default"));
        assert_eq!(found.methods, ["client_secret"]);
        assert!(found.roles.is_empty());
        assert_eq!(found.expire_time, drawn.access_expire_time);
    });
}

#[test]
fn every_wrong_credential_is_refused_alike() {
    on_each_database(async |app| {
        let one = Backend::enrol(app, "one").await;
        let other = Backend::enrol(app, "other").await;
        let (id, secret) = (one.created.id.to_string(), one.created.secret.reveal().to_owned());
        let unknown = "01890000-0000-7000-8000-000000000000";
        let long = "x".repeat(10_000);
        let changed = format!("{}{}", &secret[..secret.len() - 1], if secret.ends_with('A') { 'B' } else { 'A' });
        for (id, secret) in [
            (id.as_str(), changed.as_str()),
            (id.as_str(), other.created.secret.reveal()),
            (id.as_str(), ""),
            (id.as_str(), long.as_str()),
            (unknown, secret.as_str()),
            ("", secret.as_str()),
            ("' OR 1=1 --", secret.as_str()),
            (&id.to_uppercase(), secret.as_str()),
        ] {
            assert_eq!(ask(app, id, secret, "").await.reason(), "CREDENTIALS_INVALID", "{id}");
        }
    });
}

#[test]
fn a_token_is_for_an_audience_that_the_service_serves_or_calls() {
    on_each_database(async |app| {
        let create = async |name: &str, calls: &[&str]| {
            let calls = calls.iter().map(|name| (*name).to_owned()).collect();
            let new = NewService { name: name.to_owned(), serves: vec!["default".to_owned()], calls };
            app.key_operations.create_service.create(&Origin::terminal(), new).await.unwrap().unwrap()
        };
        let quiet = create("quiet", &[]).await;
        assert_eq!(Backend::draw(app, &quiet, "billing").await.reason(), "CALLER_NOT_ALLOWED");
        assert_eq!(Backend::draw(app, &quiet, "Not A Name").await.fields(), ["audience"]);
        Backend::draw(app, &quiet, "default").await.unwrap();
    });
}

#[test]
fn a_service_is_no_person_and_a_person_no_service() {
    on_each_database(async |app| {
        let backend = Backend::enrol(app, "orders").await;
        let ada = Person::sign_up(app, "ada@example.org").await;
        assert_eq!(app.account().get_me(backend.asks(GetMeRequest {})).await.reason(), "CALLER_NOT_ALLOWED");
        let asked = bearer(&ada.session.access_token, GetVerificationKeysRequest { audience: "default".to_owned() });
        assert_eq!(app.verification().get_verification_keys(asked).await.reason(), "CALLER_NOT_ALLOWED");
        let leaving = backend.asks(LogoutRequest::default());
        assert_eq!(app.auth().logout(leaving).await.reason(), "CALLER_NOT_ALLOWED");
    });
}

#[test]
fn tokens_issued_and_refused_to_services_are_in_the_audit_log() {
    on_each_database(async |app| {
        let backend = Backend::enrol(app, "orders").await;
        let id = backend.created.id.to_string();
        ask(app, &id, "wrong", "").await.unwrap_err();
        let counted = async |kind: &str| {
            app.number(&format!("SELECT count(*) FROM audit_events WHERE kind = '{kind}' AND service_id IS NOT NULL"))
                .await
        };
        assert_eq!(counted("service_created").await, 1);
        assert_eq!(counted("service_token_issued").await, 1);
        assert_eq!(counted("service_token_refused").await, 1);
    });
}

#[test]
fn client_ids_that_are_nobodys_are_counted_and_leave_no_event() {
    on_each_database(async |app| {
        let backend = Backend::enrol(app, "orders").await;
        let before = app.rows("audit_events").await;
        let secret = backend.created.secret.reveal().to_owned();
        for number in 0..50 {
            let unknown = format!("01890000-0000-7000-8000-{number:012}");
            for secret in ["wrong", secret.as_str()] {
                assert_eq!(ask(app, &unknown, secret, "").await.reason(), "CREDENTIALS_INVALID");
            }
        }
        assert_eq!(app.rows("audit_events").await, before);
        let sample = "IssueServiceToken was called with an unknown client id";
        assert_eq!(app.log.text().lines().filter(|line| line.contains(sample)).count(), 1, "a line a minute");
    });
}

#[test]
fn wrong_secrets_of_one_service_leave_a_few_events_and_every_one_the_same_answer() {
    let strict = AppOptions::with("COUNTERSIGN_LIMITS__PERCENT", "100");
    on_each_database_with(strict, async |app| {
        let backend = Backend::enrol(app, "orders").await;
        let id = backend.created.id.to_string();
        for _ in 0..30 {
            assert_eq!(ask(app, &id, "wrong", "").await.reason(), "CREDENTIALS_INVALID");
        }
        let refused = "SELECT count(*) FROM audit_events WHERE kind = 'service_token_refused'";
        assert_eq!(app.number(refused).await, 20);
        Backend::draw(app, &backend.created, "").await.unwrap();
    });
}
