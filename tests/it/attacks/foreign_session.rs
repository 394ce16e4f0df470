use crate::support::{Person, Refused as _, census, grown, on_each_database};
use countersign::grpc::wire::proto::*;

#[test]
fn a_foreign_session_is_not_found() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, "ada@example.org").await;
        let eve = Person::sign_up(app, "eve@example.org").await;
        let before = census(app).await;
        let foreign = RevokeSessionRequest { session_id: ada.session.session_id.clone() };
        let refused = app.sessions().revoke_session(eve.asks(foreign)).await;
        let unknown = RevokeSessionRequest { session_id: "019a0000-0000-7000-8000-000000000000".to_owned() };
        let not_there = app.sessions().revoke_session(eve.asks(unknown)).await;
        assert_eq!(refused.reason(), "SESSION_NOT_FOUND");
        assert_eq!(not_there.reason(), "SESSION_NOT_FOUND");
        let grown: Vec<_> = grown(app, &before).await.into_iter().collect();
        assert_eq!(
            grown,
            [("audit_events", 1)],
            "that somebody asked for a session of another is an event, and nothing else is"
        );
        let ended = app.sessions().revoke_other_sessions(eve.asks(RevokeOtherSessionsRequest {})).await.unwrap();
        assert_eq!(ended.into_inner().revoked_count, 0);
        app.me(&ada.session).await.unwrap();
        app.refresh(&ada.session.refresh_token).await.unwrap();
        let listed = app.sessions().list_sessions(eve.asks(ListSessionsRequest::default())).await.unwrap().into_inner();
        assert!(listed.sessions.iter().all(|session| session.session_id == eve.session.session_id));
    });
}
