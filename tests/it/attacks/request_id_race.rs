use crate::support::{MailText as _, PASSWORD, Proof, Purpose, at_once, census, grown, on_each_database};
use countersign::grpc::wire::proto::*;

const REQUEST_ID: &str = "6f1c9c4e-9d0e-4c1c-8d0a-2f6a3e1b7c55";

#[test]
fn of_64_registrations_with_one_request_id_one_is_kept_and_all_are_answered() {
    on_each_database(async |app| {
        let app = &*app;
        let before = census(app).await;
        let calls = at_once(64, async |_| {
            let form = RegisterRequest {
                email: "ada@example.org".to_owned(),
                password: PASSWORD.to_owned(),
                request_id: REQUEST_ID.to_owned(),
                ..Default::default()
            };
            app.account().register(form).await
        });
        let calls = calls.await;
        assert_eq!(calls.successes.len(), 64, "{:?}", calls.refusals);
        let expected = [("audit_events", 1), ("outbox", 1), ("registrations", 1), ("request_ids", 1)].into();
        assert_eq!(grown(app, &before).await, expected);
    });
}

#[test]
fn of_64_claims_with_one_request_id_one_acts_and_all_are_answered() {
    for purpose in Purpose::ALL {
        on_each_database(async |app| {
            let mail = purpose.mail(app, "ada@example.org").await;
            let link = Proof::Link(mail.link_token());
            let app = &*app;
            let claims =
                at_once(64, async |_| purpose.claim(app, &link, "nine loud ravens at dawn", REQUEST_ID).await).await;
            assert_eq!(claims.successes.len(), 64, "{purpose:?}: {:?}", claims.refusals);
            let acts = "SELECT count(*) FROM audit_events WHERE kind IN ('address_verified', 'password_reset', 'email_changed')";
            let verified_before = i64::from(purpose != Purpose::Verify);
            assert_eq!(app.number(acts).await, 1 + verified_before, "{purpose:?}");
        });
    }
}
