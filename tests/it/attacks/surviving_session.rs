use crate::support::{MailText as _, PASSWORD, Person, Proof, Purpose, Refused as _, on_each_database, reset_mail};
use countersign::grpc::wire::proto::*;

const NEW_PASSWORD: &str = "nine loud ravens at dawn";

async fn assert_ended(app: &crate::support::App, session: &Session) {
    assert_eq!(app.me(session).await.reason(), "SESSION_ENDED");
    assert_eq!(app.refresh(&session.refresh_token).await.reason(), "SESSION_ENDED");
}

#[test]
fn a_new_password_ends_the_other_sessions() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, "ada@example.org").await;
        let thief = app.log_in(&ada.email, PASSWORD).await.unwrap();
        let change = ChangePasswordRequest {
            current_password: PASSWORD.to_owned(),
            new_password: NEW_PASSWORD.to_owned(),
            ..Default::default()
        };
        app.account().change_password(ada.asks(change)).await.unwrap();
        assert_ended(app, &thief).await;
        app.me(&ada.session).await.unwrap();

        let link = Proof::Link(reset_mail(app, &ada.email).await.link_token());
        Purpose::Reset.claim(app, &link, "ten calm owls at noon", "").await.unwrap();
        assert_ended(app, &ada.session).await;
        for old in [PASSWORD, NEW_PASSWORD] {
            assert_eq!(app.log_in(&ada.email, old).await.reason(), "CREDENTIALS_INVALID");
        }
    });
}
