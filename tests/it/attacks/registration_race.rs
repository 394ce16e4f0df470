use crate::support::{
    App, MailText as _, PASSWORD, Person, Proof, Purpose, Refused as _, at_once, email_change_mail, on_each_database,
    retry_after,
};
use countersign::grpc::wire::proto::*;
use std::time::Duration;

/// The links of `count` registrations.
async fn waiting(app: &App, count: usize, address: impl Fn(usize) -> String, username: &str) -> Vec<Proof> {
    let mut links = Vec::new();
    for number in 0..count {
        app.advance(Duration::from_secs(1));
        let form = RegisterRequest {
            email: address(number),
            password: PASSWORD.to_owned(),
            username: username.to_owned(),
            ..Default::default()
        };
        app.account().register(form).await.unwrap();
        links.push(Proof::Link(app.mail_to(&address(number)).await.link_token()));
    }
    links
}

#[test]
fn of_many_verifications_at_once_one_makes_the_account() {
    on_each_database(async |app| {
        let links = waiting(app, 12, |_| "ada@example.org".to_owned(), "").await;
        let app = &*app;
        let claims = at_once(12, async |number| Purpose::Verify.claim(app, &links[number], "", "").await).await;
        claims.assert_one_won(&["LINK_USED"], "verifications of one address");
        assert_eq!((app.rows("accounts").await, app.rows("registrations").await), (1, 0));
        // All of them chose the same password.
        app.log_in("ada@example.org", PASSWORD).await.unwrap();
    });
}

#[test]
fn of_many_accounts_that_want_one_user_name_one_gets_it() {
    on_each_database(async |app| {
        let address = |number| format!("ada{number}@example.org");
        let links = waiting(app, 12, address, "ada").await;
        let app = &*app;
        let claims = at_once(12, async |number| {
            let mut answer = Purpose::Verify.claim(app, &links[number], "", "").await;
            // A call that lost the name at this very instant has to be repeated, and its link is still valid.
            while let Err(status) = &answer
                && status.code() == tonic::Code::Unavailable
            {
                assert!(retry_after(status).is_some());
                answer = Purpose::Verify.claim(app, &links[number], "", "").await;
            }
            answer
        });
        let claims = claims.await;
        assert_eq!(claims.successes.len(), 12, "{:?}", claims.refusals);
        assert_eq!(app.rows("accounts").await, 12);
        assert_eq!(app.number("SELECT count(*) FROM accounts WHERE username_normalised = 'ada'").await, 1);
        app.log_in("ada", PASSWORD).await.unwrap();
        for number in 0..12 {
            app.log_in(&address(number), PASSWORD).await.unwrap();
        }
    });
}

#[test]
fn of_many_changes_to_one_user_name_one_succeeds() {
    on_each_database(async |app| {
        let mut people = Vec::new();
        for number in 0..8 {
            people.push(Person::sign_up(app, &format!("ada{number}@example.org")).await);
        }
        let app = &*app;
        let changes = at_once(8, async |number| {
            let change = UpdateMeRequest {
                account: Some(Account { username: "ada".to_owned(), ..Default::default() }),
                update_mask: Some(prost_types::FieldMask { paths: vec!["username".to_owned()] }),
                current_password: PASSWORD.to_owned(),
            };
            app.account().update_me(people[number].asks(change)).await
        });
        changes.await.assert_one_won(&["USERNAME_TAKEN"], "changes of user name");
    });
}

#[test]
fn an_address_that_is_verified_and_moved_to_at_once_has_one_account() {
    on_each_database(async |app| {
        for round in 0..6 {
            let wanted = format!("wanted{round}@example.org");
            let mut claims = Vec::new();
            for number in 0..3 {
                let person = Person::sign_up(app, &format!("ada{round}.{number}@example.org")).await;
                let link = Proof::Link(email_change_mail(app, &person, &wanted).await.link_token());
                claims.push((Purpose::ConfirmEmail, link));
            }
            let link = waiting(app, 1, |_| wanted.clone(), "").await.remove(0);
            claims.insert(round % 4, (Purpose::Verify, link));
            let app = &*app;
            let claims = at_once(4, async |number| claims[number].0.claim(app, &claims[number].1, "", "").await).await;
            claims.assert_one_won(&["LINK_USED", "EMAIL_TAKEN"], "claims of one address");
            let holders = format!("SELECT count(*) FROM accounts WHERE email_normalised = '{wanted}'");
            assert_eq!(app.number(&holders).await, 1);
        }
    });
}

#[test]
fn a_link_of_a_registration_that_lost_is_used() {
    on_each_database(async |app| {
        let links = waiting(app, 2, |_| "ada@example.org".to_owned(), "").await;
        Purpose::Verify.claim(app, &links[0], "", "").await.unwrap();
        assert_eq!(Purpose::Verify.claim(app, &links[1], "", "").await.reason(), "LINK_USED");
    });
}
