use super::{ADA, DAY, key, rotate};
use crate::support::{
    App, MailText as _, PASSWORD, Person, Proof, Purpose, Refused as _, on_each_database, reset_mail,
};
use countersign::grpc::wire::proto::*;
use countersign_domain::key::KeyPurpose;
use std::time::Duration;

const NEW_PASSWORD: &str = "nine loud ravens at dawn";

async fn update(app: &App, ada: &Person, name: &str) -> Result<(), tonic::Status> {
    let form = ChangePasswordRequest {
        current_password: PASSWORD.to_owned(),
        new_password: name.to_owned(),
        request_id: "12345678-abcd".to_owned(),
    };
    app.account().change_password(ada.asks(form)).await.map(drop)
}

#[test]
fn links_and_codes_from_before_a_rotation_still_work() {
    on_each_database(async |app| {
        Person::register(app, ADA).await;
        let mail = reset_mail(app, ADA).await;
        for purpose in [KeyPurpose::Action, KeyPurpose::Mac, KeyPurpose::Action, KeyPurpose::Mac] {
            rotate(app, purpose).await;
        }
        let code = Proof::Code { email: ADA.to_owned(), code: mail.typed_code() };
        Purpose::Reset.claim(app, &code, NEW_PASSWORD, "").await.unwrap();
        app.advance(Duration::from_secs(60));
        let mail = reset_mail(app, ADA).await;
        rotate(app, KeyPurpose::Action).await;
        Purpose::Reset.claim(app, &Proof::Link(mail.link_token()), "four slow storks at noon", "").await.unwrap();
    });
}

#[test]
fn a_repeated_call_is_recognised_across_a_rotation() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, ADA).await;
        update(app, &ada, NEW_PASSWORD).await.unwrap();
        rotate(app, KeyPurpose::Mac).await;
        update(app, &ada, NEW_PASSWORD).await.unwrap();
        assert_eq!(app.number("SELECT count(*) FROM audit_events WHERE kind = 'password_changed'").await, 1);
    });
}

#[test]
fn a_retiring_code_key_goes_when_no_code_and_no_request_id_can_need_it() {
    on_each_database(async |app| {
        let old = key(app, "mac", "active").await;
        rotate(app, KeyPurpose::Mac).await;
        app.advance(DAY);
        app.keys.maintain().await.unwrap();
        assert_eq!(key(app, "mac", "retiring").await, old);
        app.advance(Duration::from_secs(5 * 60));
        app.keys.maintain().await.unwrap();
        assert_eq!(key(app, "mac", "gone").await, old);
    });
}

#[test]
fn a_link_outlives_its_key_s_rotation_by_its_whole_life_and_its_key_goes_after_a_week() {
    on_each_database(async |app| {
        let old = key(app, "action", "active").await;
        let form = RegisterRequest { email: ADA.to_owned(), password: PASSWORD.to_owned(), ..Default::default() };
        app.account().register(form).await.unwrap();
        let token = app.mail_to(ADA).await.link_token();
        rotate(app, KeyPurpose::Action).await;
        app.advance(DAY - Duration::from_secs(1));
        app.keys.maintain().await.unwrap();
        app.account().verify(VerifyRequest { token: token.clone(), ..Default::default() }).await.unwrap();
        app.advance(6 * DAY + Duration::from_secs(5 * 60 + 1));
        app.keys.maintain().await.unwrap();
        assert_eq!(key(app, "action", "gone").await, old);
        let again = app.account().verify(VerifyRequest { token, ..Default::default() }).await;
        assert_eq!(again.reason(), "LINK_INVALID");
    });
}
