use crate::support::{MailText as _, PASSWORD, on_each_database};
use countersign::grpc::wire::proto::*;
use std::time::Duration;

fn form(email: &str) -> RegisterRequest {
    RegisterRequest {
        email: email.to_owned(),
        password: PASSWORD.to_owned(),
        username: "ada".to_owned(),
        ..Default::default()
    }
}

#[test]
fn a_registration_that_waits_blocks_neither_address_nor_user_name() {
    on_each_database(async |app| {
        app.account().register(form("eve@example.org")).await.unwrap();
        app.account().register(form("ada@example.org")).await.unwrap();
        app.account().register(form("ada@example.org")).await.unwrap();
        let token = app.mail_to("ada@example.org").await.link_token();
        app.account().verify(VerifyRequest { token, ..Default::default() }).await.unwrap();
        app.log_in("ada", PASSWORD).await.unwrap();

        let token = app.mail_to("eve@example.org").await.link_token();
        app.account().verify(VerifyRequest { token, ..Default::default() }).await.unwrap();
        let eve = app.log_in("eve@example.org", PASSWORD).await.unwrap();
        assert_eq!(eve.account.unwrap().username, "", "the name has gone to somebody else");
    });
}

#[test]
fn a_registration_nobody_verifies_is_forgotten() {
    on_each_database(async |app| {
        app.account().register(form("eve@example.org")).await.unwrap();
        app.send_mail().await;
        app.advance(Duration::from_secs(30 * 24 * 60 * 60));
        app.purge.purge().await.unwrap();
        assert_eq!(app.rows("registrations").await, 1);
        app.advance(Duration::from_secs(1));
        app.purge.purge().await.unwrap();
        assert_eq!(app.rows("registrations").await, 0);
    });
}
