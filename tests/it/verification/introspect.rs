use crate::support::{App, Backend, Person, Refused as _, on_each_database};
use countersign::{
    grpc::wire::proto::*,
    usecase::{Origin, service::NewService},
};
use std::time::Duration;

async fn ask(app: &App, backend: &Backend, token: &str) -> IntrospectResponse {
    let request = backend.asks(IntrospectRequest { token: token.to_owned() });
    app.verification().introspect(request).await.unwrap().into_inner()
}

#[test]
fn a_live_token_is_active_and_says_what_it_says() {
    on_each_database(async |app| {
        let backend = Backend::enrol(app, "orders").await;
        let ada = Person::sign_up(app, "ada@example.org").await;
        let found = ask(app, &backend, &ada.session.access_token).await;
        assert!(found.active);
        assert_eq!(found.subject, ada.session.account.as_ref().unwrap().account_id);
        assert_eq!(found.session_id, ada.session.session_id);
        assert_eq!(found.issuer, "https://id.example.org");
        assert_eq!(found.methods, ["pwd"]);
        assert_eq!(found.expire_time, ada.session.access_expire_time);
        assert!(found.issue_time.is_some() && found.authenticate_time.is_some() && !found.token_id.is_empty());
    });
}

#[test]
fn whatever_does_not_hold_is_not_active_and_says_nothing() {
    on_each_database(async |app| {
        let backend = Backend::enrol(app, "orders").await;
        let ada = Person::sign_up(app, "ada@example.org").await;
        let leaving = LogoutRequest { refresh_token: ada.session.refresh_token.clone(), ..Default::default() };
        app.auth().logout(leaving).await.unwrap();
        let eve = Person::sign_up(app, "eve@example.org").await;
        let id = eve.session.account.as_ref().unwrap().account_id.parse().unwrap();
        app.operations.disable_account.disable(&Origin::terminal(), id).await.unwrap();
        let retired = Backend::enrol(app, "retired").await;
        app.operations.disable_service.disable(&Origin::terminal(), retired.created.id).await.unwrap();
        let long = "e".repeat(20_000);
        for token in [
            ada.session.access_token.as_str(),
            eve.session.access_token.as_str(),
            eve.session.refresh_token.as_str(),
            retired.token.as_str(),
            "x",
            "....",
            long.as_str(),
        ] {
            assert_eq!(ask(app, &backend, token).await, IntrospectResponse::default());
        }
    });
}

#[test]
fn a_token_is_active_until_it_expires_and_not_a_moment_longer() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, "ada@example.org").await;
        app.advance(Duration::from_secs(599));
        let backend = Backend::enrol(app, "orders").await;
        assert!(ask(app, &backend, &ada.session.access_token).await.active);
        app.advance(Duration::from_secs(1));
        assert!(!ask(app, &backend, &ada.session.access_token).await.active);
    });
}

#[test]
fn a_token_of_others_is_none_of_ones_business() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, "ada@example.org").await;
        let operator = Origin::terminal();
        let new = NewService {
            name: "caller".to_owned(),
            serves: vec!["elsewhere".to_owned()],
            calls: vec!["default".to_owned()],
        };
        let created = app.key_operations.create_service.create(&operator, new).await.unwrap().unwrap();
        let backend = Backend::enrol(app, "orders").await;
        let drawn = Backend::draw(app, &created, "default").await.unwrap().access_token;
        let caller = Backend { created, token: drawn.clone() };
        // The backends that it calls hold its token for them, so that token proves nothing here.
        let request = caller.asks(IntrospectRequest { token: ada.session.access_token.clone() });
        assert_eq!(app.verification().introspect(request).await.reason(), "CALLER_NOT_ALLOWED");
        // Nor once it was found live for another backend. The feed is read before as well, because new keys in it make
        // the process forget what it found.
        app.follow.follow().await.unwrap();
        assert!(ask(app, &backend, &drawn).await.active, "those it calls may ask about it");
        app.follow.follow().await.unwrap();
        let request = caller.asks(IntrospectRequest { token: ada.session.access_token.clone() });
        assert_eq!(app.verification().introspect(request).await.reason(), "CALLER_NOT_ALLOWED", "nor does it then");
        let own = Backend::draw(app, &caller.created, "elsewhere").await.unwrap().access_token;
        let caller = Backend { token: own, ..caller };
        assert_eq!(ask(app, &caller, &ada.session.access_token).await, IntrospectResponse::default());
    });
}

#[test]
fn an_empty_question_is_named_as_such() {
    on_each_database(async |app| {
        let backend = Backend::enrol(app, "orders").await;
        let request = backend.asks(IntrospectRequest::default());
        assert_eq!(app.verification().introspect(request).await.fields(), ["token"]);
    });
}
