use crate::support::{PASSWORD, Person, Refused as _, at_once, on_each_database};
use countersign::grpc::wire::proto::*;

fn attempt(number: usize) -> DeleteMeRequest {
    DeleteMeRequest { current_password: format!("wrong attempt number {number}") }
}

#[test]
fn five_wrong_current_passwords_end_the_session() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, "ada@example.org").await;
        let other = app.log_in(&ada.email, PASSWORD).await.unwrap();
        for number in 0..4 {
            let refused = app.account().delete_me(ada.asks(attempt(number))).await;
            assert_eq!(refused.reason(), "CURRENT_PASSWORD_WRONG");
        }
        assert_eq!(app.account().delete_me(ada.asks(attempt(4))).await.reason(), "SESSION_ENDED");
        assert_eq!(app.me(&ada.session).await.reason(), "SESSION_ENDED");
        app.me(&other).await.unwrap();
        assert_eq!(app.rows("accounts").await, 1);
    });
}

#[test]
fn current_passwords_tried_at_once_are_all_counted() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, "ada@example.org").await;
        let app = &*app;
        let computed = app.hasher.computed();
        let attempts = at_once(32, async |number| app.account().delete_me(ada.asks(attempt(number))).await).await;
        assert!(attempts.successes.is_empty());
        assert_eq!(app.hasher.computed(), computed + 5, "more than five passwords were compared");
        assert_eq!(app.me(&ada.session).await.reason(), "SESSION_ENDED");
    });
}
