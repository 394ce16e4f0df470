use crate::support::{PASSWORD, Person, Refused as _, on_each_database};
use countersign::grpc::wire::proto::*;

#[test]
fn an_old_token_ends_its_own_session_only() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, "ada@example.org").await;
        let other = app.log_in(&ada.email, PASSWORD).await.unwrap();
        let second = app.refresh(&ada.session.refresh_token).await.unwrap();
        let third = app.refresh(&second.refresh_token).await.unwrap();
        let stolen =
            LogoutRequest { refresh_token: ada.session.refresh_token.clone(), everywhere: true, ..Default::default() };
        assert_eq!(app.auth().logout(stolen).await.reason(), "SESSION_ENDED", "what was not done is not called done");
        assert_eq!(app.me(&third).await.reason(), "SESSION_ENDED");
        app.me(&other).await.unwrap();
        app.refresh(&other.refresh_token).await.unwrap();
    });
}

#[test]
fn an_old_token_ends_sessions_once_and_never_again() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, "ada@example.org").await;
        let form = |everywhere| LogoutRequest {
            refresh_token: ada.session.refresh_token.clone(),
            everywhere,
            ..Default::default()
        };
        app.auth().logout(form(false)).await.unwrap();
        app.auth().logout(form(true)).await.unwrap();
        for _ in 0..3 {
            let later = app.log_in(&ada.email, PASSWORD).await.unwrap();
            assert_eq!(app.auth().logout(form(true)).await.reason(), "SESSION_ENDED");
            app.me(&later).await.unwrap();
        }
    });
}
