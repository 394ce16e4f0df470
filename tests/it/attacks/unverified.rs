use crate::support::{MailText as _, PASSWORD, Proof, Purpose, Refused as _, on_each_database};
use countersign::grpc::wire::proto::*;

#[test]
fn nobody_logs_in_before_the_address_is_verified() {
    on_each_database(async |app| {
        let mail = Purpose::Verify.mail(app, "ada@example.org").await;
        assert_eq!(app.log_in("ada@example.org", PASSWORD).await.reason(), "CREDENTIALS_INVALID");
        let sent = app.mails_to("ada@example.org").await.len();
        let reset = RequestResetRequest { email: "ada@example.org".to_owned(), ..Default::default() };
        app.account().request_reset(reset).await.unwrap();
        assert_eq!(app.mails_to("ada@example.org").await.len(), sent, "a reset would be a way around");
        assert_eq!((app.rows("accounts").await, app.rows("sessions").await), (0, 0));
        Purpose::Verify.claim(app, &Proof::Link(mail.link_token()), "", "").await.unwrap();
        app.log_in("ada@example.org", PASSWORD).await.unwrap();
    });
}
