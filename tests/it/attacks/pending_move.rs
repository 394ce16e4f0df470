use crate::support::{
    App, MailText as _, PASSWORD, Person, Proof, Purpose, Refused as _, email_change_mail, on_each_database, reset_mail,
};
use countersign::grpc::wire::proto::*;
use std::time::Duration;

const NEW_PASSWORD: &str = "nine loud ravens at dawn";

async fn assert_stays(app: &App) {
    assert_eq!(app.number("SELECT count(*) FROM accounts WHERE email = 'ada@example.org'").await, 1);
}

#[test]
fn a_move_that_a_thief_asked_for_dies_with_a_reset() {
    on_each_database(async |app| {
        let thief = Person::sign_up(app, "ada@example.org").await;
        let stolen = Proof::Link(email_change_mail(app, &thief, "eve@example.net").await.link_token());
        let reset = Proof::Link(reset_mail(app, "ada@example.org").await.link_token());
        Purpose::Reset.claim(app, &reset, NEW_PASSWORD, "").await.unwrap();
        assert_eq!(Purpose::ConfirmEmail.claim(app, &stolen, "", "").await.reason(), "LINK_USED");
        assert_stays(app).await;
    });
}

#[test]
fn a_move_that_a_thief_asked_for_dies_with_a_changed_password() {
    on_each_database(async |app| {
        let thief = Person::sign_up(app, "ada@example.org").await;
        let stolen = Proof::Link(email_change_mail(app, &thief, "eve@example.net").await.link_token());
        let session = app.log_in("ada@example.org", PASSWORD).await.unwrap();
        let ada = Person { email: "ada@example.org".to_owned(), session };
        let form = ChangePasswordRequest {
            current_password: PASSWORD.to_owned(),
            new_password: NEW_PASSWORD.to_owned(),
            ..Default::default()
        };
        app.account().change_password(ada.asks(form)).await.unwrap();
        assert_eq!(Purpose::ConfirmEmail.claim(app, &stolen, "", "").await.reason(), "LINK_USED");
        assert_stays(app).await;
    });
}

#[test]
fn a_move_whose_mail_is_still_on_its_way_dies_with_a_reset() {
    on_each_database(async |app| {
        let thief = Person::sign_up(app, "ada@example.org").await;
        let reset = Proof::Link(reset_mail(app, "ada@example.org").await.link_token());
        app.advance(Duration::from_secs(1));
        let form = RequestEmailChangeRequest {
            new_email: "eve@example.net".to_owned(),
            current_password: PASSWORD.to_owned(),
            ..Default::default()
        };
        app.account().request_email_change(thief.asks(form)).await.unwrap();
        Purpose::Reset.claim(app, &reset, NEW_PASSWORD, "").await.unwrap();
        assert!(app.mails_to("eve@example.net").await.is_empty());
    });
}
