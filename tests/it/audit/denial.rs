use super::listed;
use crate::support::{
    App, AppOptions, Backend, OPERATOR_TOKEN, Person, Refused as _, bearer, on_each_database, on_each_database_with,
    request_with,
};
use countersign::grpc::wire::{
    admin_proto::{AuditEvent, EventFilter, ListEventsRequest},
    proto::*,
};
use tonic::{Request, metadata::MetadataValue};

async fn denials(app: &App) -> Vec<AuditEvent> {
    listed(app, EventFilter { kind: "call_refused".to_owned(), ..Default::default() }).await
}

fn id_of(person: &Person) -> String {
    person.session.account.as_ref().unwrap().account_id.clone()
}

/// Asserts that there is one more denial, and that the newest one has these values.
async fn is_recorded(app: &App, so_far: &mut usize, who: &str, rpc: &str, reason: &str) {
    *so_far += 1;
    let events = denials(app).await;
    assert_eq!(events.len(), *so_far, "{rpc} by {who} is recorded once: {events:?}");
    let event = &events[0];
    assert!([event.account_id.as_str(), event.service_id.as_str()].contains(&who), "{event:?}");
    assert_eq!((event.object.as_str(), event.reason.as_str()), (rpc, reason));
    assert!(!event.request_id.is_empty() && event.address == "127.0.0.1", "{event:?}");
    app.advance(std::time::Duration::from_millis(1));
}

async fn open_tenant(app: &App) {
    let id = if app.database_url.starts_with("sqlite") { "randomblob(16)" } else { "gen_random_uuid()" };
    app.execute(&format!("INSERT INTO tenants (id, name, created_at) VALUES ({id}, 'acme', 0)")).await;
}

fn of_tenant<T>(mut request: Request<T>, tenant: &str) -> Request<T> {
    request.metadata_mut().insert("x-countersign-tenant", MetadataValue::try_from(tenant).unwrap());
    request
}

#[test]
fn refusals_of_authenticated_callers_are_in_the_audit_log() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, "ada@example.org").await;
        let bob = Person::sign_up(app, "bob@example.org").await;
        let backend = Backend::enrol(app, "orders").await;
        let (ada_id, backend_id) = (id_of(&ada), backend.created.id.to_string());
        let mut so_far = 0;

        // The wrong kind of caller.
        let keys = GetVerificationKeysRequest { audience: "default".to_owned() };
        let refused = app.verification().get_verification_keys(ada.asks(keys)).await;
        assert_eq!(refused.reason(), "CALLER_NOT_ALLOWED");
        let rpc = "/countersign.v1.VerificationService/GetVerificationKeys";
        is_recorded(app, &mut so_far, &ada_id, rpc, "CALLER_NOT_ALLOWED").await;
        assert_eq!(app.account().get_me(backend.asks(GetMeRequest {})).await.reason(), "CALLER_NOT_ALLOWED");
        let rpc = "/countersign.v1.AccountService/GetMe";
        is_recorded(app, &mut so_far, &backend_id, rpc, "CALLER_NOT_ALLOWED").await;
        assert_eq!(app.auth().logout(backend.asks(LogoutRequest::default())).await.reason(), "CALLER_NOT_ALLOWED");
        is_recorded(app, &mut so_far, &backend_id, "/countersign.v1.AuthService/Logout", "CALLER_NOT_ALLOWED").await;

        // Somebody else's session, and an audience that does not belong to the caller.
        let theirs = RevokeSessionRequest { session_id: bob.session.session_id.clone() };
        assert_eq!(app.sessions().revoke_session(ada.asks(theirs)).await.reason(), "SESSION_NOT_FOUND");
        let rpc = "/countersign.v1.SessionService/RevokeSession";
        is_recorded(app, &mut so_far, &ada_id, rpc, "SESSION_NOT_FOUND").await;
        assert_eq!(denials(app).await[0].session_id, bob.session.session_id);
        let nobodys = RevokeSessionRequest { session_id: "019a0000-0000-7000-8000-000000000000".to_owned() };
        assert_eq!(app.sessions().revoke_session(ada.asks(nobodys)).await.reason(), "SESSION_NOT_FOUND");
        assert_eq!(denials(app).await.len(), so_far, "a mistake is no denial");
        let keys = GetVerificationKeysRequest { audience: "billing".to_owned() };
        let refused = app.verification().get_verification_keys(backend.asks(keys)).await;
        assert_eq!(refused.reason(), "CALLER_NOT_ALLOWED");
        let rpc = "/countersign.v1.VerificationService/GetVerificationKeys";
        is_recorded(app, &mut so_far, &backend_id, rpc, "CALLER_NOT_ALLOWED").await;

        // Another tenant.
        open_tenant(app).await;
        let refused = app.account().get_me(of_tenant(ada.asks(GetMeRequest {}), "acme")).await;
        assert_eq!(refused.reason(), "TOKEN_INVALID");
        let rpc = "/countersign.v1.AccountService/GetMe";
        is_recorded(app, &mut so_far, &ada_id, rpc, "TOKEN_INVALID").await;

        // Operators' RPCs.
        let refused = app.audit().list_events(ada.asks(ListEventsRequest::default())).await;
        assert_eq!(refused.reason(), "TOKEN_INVALID");
        let rpc = "/countersign.admin.v1.AuditService/ListEvents";
        is_recorded(app, &mut so_far, &ada_id, rpc, "TOKEN_INVALID").await;
        let refused = app.audit().list_events(backend.asks(ListEventsRequest::default())).await;
        assert_eq!(refused.reason(), "TOKEN_INVALID");
        is_recorded(app, &mut so_far, &backend_id, rpc, "TOKEN_INVALID").await;
    });
}

#[test]
fn what_nobody_in_particular_is_refused_leaves_no_event_and_a_line_a_minute() {
    on_each_database(async |app| {
        let before = app.rows("audit_events").await;
        for number in 0..50 {
            let token = format!("guess-{number}-of-the-operators-token-0123456789");
            let refused = app.audit().list_events(bearer(&token, ListEventsRequest::default())).await;
            assert_eq!(refused.reason(), "TOKEN_INVALID");
            let refused = app.account().get_me(bearer(&token, GetMeRequest {})).await;
            assert_eq!(refused.reason(), "TOKEN_INVALID");
        }
        let basic = request_with("authorization", &format!("Basic {OPERATOR_TOKEN}"), ListEventsRequest::default());
        app.audit().list_events(basic).await.unwrap_err();
        app.audit().list_events(ListEventsRequest::default()).await.unwrap_err();
        assert_eq!(app.rows("audit_events").await, before);
        let sample = "a call with a wrong operators' token was refused";
        assert_eq!(app.log.text().lines().filter(|line| line.contains(sample)).count(), 1);
    });
}

#[test]
fn whoever_tries_again_and_again_fills_nothing() {
    let strict = AppOptions::with("COUNTERSIGN_LIMITS__PERCENT", "100");
    on_each_database_with(strict, async |app| {
        let ada = Person::sign_up(app, "ada@example.org").await;
        for _ in 0..40 {
            let keys = GetVerificationKeysRequest { audience: "default".to_owned() };
            let refused = app.verification().get_verification_keys(ada.asks(keys)).await;
            assert_eq!(refused.reason(), "CALLER_NOT_ALLOWED");
        }
        assert_eq!(denials(app).await.len(), 20);
        app.advance(std::time::Duration::from_secs(60));
        let keys = GetVerificationKeysRequest { audience: "default".to_owned() };
        app.verification().get_verification_keys(ada.asks(keys)).await.unwrap_err();
        assert_eq!(denials(app).await.len(), 21);
    });
}
