use crate::support::{PASSWORD, Person, Refused as _, on_each_database};
use countersign::grpc::wire::proto::*;

#[test]
fn an_access_token_dies_with_its_session() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, "ada@example.org").await;
        let refreshed = app.refresh(&ada.session.refresh_token).await.unwrap();
        let kept = app.log_in(&ada.email, PASSWORD).await.unwrap();
        let leave = LogoutRequest { refresh_token: refreshed.refresh_token.clone(), ..Default::default() };
        app.auth().logout(leave).await.unwrap();
        for dead in [&ada.session, &refreshed] {
            assert_eq!(app.me(dead).await.reason(), "SESSION_ENDED");
        }
        app.me(&kept).await.unwrap();
    });
}
