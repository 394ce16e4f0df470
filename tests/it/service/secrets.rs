use crate::support::{App, Backend, Refused as _, on_each_database};
use countersign::{
    grpc::wire::proto::*,
    usecase::{Origin, service::NewService},
};
use countersign_domain::revocation::CLOCK_LEEWAY;
use futures_util::future::join_all;
use std::time::Duration;

async fn draw(app: &App, backend: &Backend, secret: &str) -> Result<String, tonic::Status> {
    let form = IssueServiceTokenRequest {
        client_id: backend.created.id.to_string(),
        client_secret: secret.to_owned(),
        audience: String::new(),
    };
    Ok(app.auth().issue_service_token(form).await?.into_inner().access_token)
}

async fn keys(app: &App, token: &str) -> Result<(), tonic::Status> {
    let request = crate::support::bearer(token, IntrospectRequest { token: "x".to_owned() });
    app.verification().introspect(request).await.map(drop)
}

#[test]
fn a_secret_is_replaced_without_a_moment_in_which_none_works() {
    on_each_database(async |app| {
        let backend = Backend::enrol(app, "orders").await;
        let operator = Origin::terminal();
        let (_, second) = app.operations.add_service_secret.add(&operator, backend.created.id).await.unwrap().unwrap();
        let old = draw(app, &backend, backend.created.secret.reveal()).await.unwrap();
        let new = draw(app, &backend, second.reveal()).await.unwrap();
        let retired = app
            .operations
            .retire_service_secret
            .retire(&operator, backend.created.id, backend.created.secret_id)
            .await
            .unwrap();
        assert!(retired);
        assert_eq!(draw(app, &backend, backend.created.secret.reveal()).await.reason(), "CREDENTIALS_INVALID");
        assert_eq!(keys(app, &old).await.reason(), "SESSION_ENDED", "what was drawn from it ends with it");
        keys(app, &new).await.unwrap();
        let again =
            app.operations.retire_service_secret.retire(&operator, backend.created.id, backend.created.secret_id).await;
        assert!(!again.unwrap());
    });
}

#[test]
fn a_service_never_has_more_than_two_secrets() {
    on_each_database(async |app| {
        let backend = Backend::enrol(app, "orders").await;
        let operator = Origin::terminal();
        let added =
            join_all((0..8).map(|_| app.operations.add_service_secret.add(&operator, backend.created.id))).await;
        assert_eq!(added.into_iter().filter(|added| added.as_ref().unwrap().is_some()).count(), 1);
        assert_eq!(app.rows("service_secrets").await, 2);
    });
}

#[test]
fn a_secret_is_stored_as_a_digest_and_its_use_is_noted() {
    on_each_database(async |app| {
        let backend = Backend::enrol(app, "orders").await;
        let digests = app.number("SELECT count(*) FROM service_secrets WHERE length(digest) = 32").await;
        assert_eq!(digests, 1);
        let used = app.number("SELECT used_at FROM service_secrets").await;
        app.advance(Duration::from_secs(60));
        draw(app, &backend, backend.created.secret.reveal()).await.unwrap();
        assert_eq!(app.number("SELECT used_at FROM service_secrets").await, used, "not written at every use");
        app.advance(Duration::from_secs(3_600));
        draw(app, &backend, backend.created.secret.reveal()).await.unwrap();
        assert!(app.number("SELECT used_at FROM service_secrets").await > used);
    });
}

#[test]
fn a_disabled_service_has_nothing_until_it_is_enabled() {
    on_each_database(async |app| {
        let backend = Backend::enrol(app, "orders").await;
        let operator = Origin::terminal();
        assert!(app.operations.disable_service.disable(&operator, backend.created.id).await.unwrap());
        assert!(!app.operations.disable_service.disable(&operator, backend.created.id).await.unwrap());
        assert_eq!(keys(app, &backend.token).await.reason(), "SESSION_ENDED");
        assert_eq!(draw(app, &backend, backend.created.secret.reveal()).await.reason(), "CREDENTIALS_INVALID");
        assert!(app.operations.enable_service.enable(&operator, backend.created.id).await.unwrap());
        assert_eq!(keys(app, &backend.token).await.reason(), "SESSION_ENDED", "what was revoked stays revoked");
        app.advance(CLOCK_LEEWAY + Duration::from_secs(1));
        let token = draw(app, &backend, backend.created.secret.reveal()).await.unwrap();
        keys(app, &token).await.unwrap();
    });
}

#[test]
fn of_two_services_of_one_name_one_is_made() {
    on_each_database(async |app| {
        let made = join_all((0..6).map(async |_| {
            let new = NewService { name: "orders".to_owned(), serves: vec!["default".to_owned()], calls: Vec::new() };
            app.key_operations.create_service.create(&Origin::terminal(), new).await.unwrap()
        }));
        assert_eq!(made.await.into_iter().flatten().count(), 1);
        assert_eq!((app.rows("services").await, app.rows("service_secrets").await), (1, 1));
    });
}
