//! Using the request ids of somebody else, so that their call is refused or swallowed, or reveals that they made it.

use crate::support::{MailText as _, PASSWORD, Person, on_each_database};
use countersign::grpc::wire::proto::*;

/// An id that two clients choose, as bad clients may.
const ID: &str = "00000001";
const NEW_PASSWORD: &str = "five patient lanterns by the sea";

#[test]
fn an_unauthenticated_caller_can_neither_take_nor_learn_the_request_ids_of_others() {
    on_each_database(async |app| {
        let register = |email: &str| RegisterRequest {
            email: email.to_owned(),
            password: PASSWORD.to_owned(),
            request_id: ID.to_owned(),
            ..Default::default()
        };
        let ask = |email: &str| RequestResetRequest {
            email: email.to_owned(),
            request_id: ID.to_owned(),
            ..Default::default()
        };
        for email in ["eve@example.org", "ada@example.org"] {
            app.account().register(register(email)).await.unwrap();
            let token = app.mail_to(email).await.link_token();
            let verify = VerifyRequest { token, request_id: ID.to_owned(), ..Default::default() };
            app.account().verify(verify).await.unwrap();
        }
        app.account().request_reset(ask("eve@example.org")).await.unwrap();
        let mails = app.mails_to("ada@example.org").await.len();
        app.advance(std::time::Duration::from_secs(1));
        app.account().request_reset(ask("ada@example.org")).await.unwrap();
        assert_eq!(app.mails_to("ada@example.org").await.len(), mails + 1, "her own call was not swallowed");
    });
}

#[test]
fn one_account_can_neither_take_nor_learn_of_the_request_ids_of_another() {
    on_each_database(async |app| {
        let eve = Person::sign_up(app, "eve@example.org").await;
        let ada = Person::sign_up(app, "ada@example.org").await;
        let change = || ChangePasswordRequest {
            current_password: PASSWORD.to_owned(),
            new_password: NEW_PASSWORD.to_owned(),
            request_id: ID.to_owned(),
        };
        app.account().change_password(eve.asks(change())).await.unwrap();
        app.account().change_password(ada.asks(change())).await.unwrap();
        app.log_in(&ada.email, NEW_PASSWORD).await.unwrap();
    });
}
