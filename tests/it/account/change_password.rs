use super::acts::{
    NEW_PASSWORD, change_password, delete_me, events, request_email_change, reset, reset_token, violations,
};
use crate::support::{App, PASSWORD, Person, Refused as _, on_each_database};
use countersign::grpc::wire::proto::*;
use futures_util::future::join_all;

const WRONG: &str = "nobody ever chose this one";

/// Set one after the other, each unlike the ones before.
const PASSWORDS: [&str; 6] = [
    PASSWORD,
    NEW_PASSWORD,
    "twelve muddy boots outside",
    "thirteen violet umbrellas",
    "fourteen patient carpenters",
    "fifteen borrowed ladders here",
];

#[test]
fn a_change_ends_the_other_sessions_and_keeps_this_one() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, "ada@example.org").await;
        let other = app.log_in(&ada.email, PASSWORD).await.unwrap();
        let stranger = Person::sign_up(app, "eve@example.org").await;
        change_password(app, &ada, PASSWORD, NEW_PASSWORD).await.unwrap();
        app.me(&ada.session).await.unwrap();
        app.refresh(&ada.session.refresh_token).await.unwrap();
        assert_eq!(app.me(&other).await.reason(), "SESSION_ENDED");
        assert_eq!(app.refresh(&other.refresh_token).await.reason(), "SESSION_ENDED");
        app.me(&stranger.session).await.unwrap();
        assert_eq!(app.log_in(&ada.email, PASSWORD).await.reason(), "CREDENTIALS_INVALID");
        app.log_in(&ada.email, NEW_PASSWORD).await.unwrap();
        let mail = app.mail_to(&ada.email).await;
        assert_eq!(mail.subject, "Your password for Countersign was changed");
        assert_eq!(events(app, "password_changed").await, 1);
    });
}

#[test]
fn the_policy_holds_for_a_changed_password_too_and_nothing_is_half_done() {
    on_each_database(async |app| {
        let ada = super::acts::sign_up_as(app, "ada@example.org", "zbigniewkowalczyk").await;
        let mails = app.rows("outbox").await;
        for (password, reason) in [
            ("short", "PASSWORD_TOO_SHORT"),
            ("correct horse battery staple", "PASSWORD_TOO_COMMON"),
            ("zbigniewkowalczyk", "PASSWORD_CONTAINS_IDENTIFIER"),
            (PASSWORD, "PASSWORD_REUSED"),
        ] {
            let answer = change_password(app, &ada, PASSWORD, password).await;
            assert_eq!(answer.reason(), "PASSWORD_REJECTED", "{password}");
            assert_eq!(violations(change_password(app, &ada, PASSWORD, password).await), [reason]);
        }
        assert_eq!((app.rows("outbox").await, app.rows("past_passwords").await), (mails, 0));
        app.log_in(&ada.email, PASSWORD).await.unwrap();
    });
}

#[test]
fn the_last_five_passwords_do_not_come_back_and_the_sixth_does() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, "ada@example.org").await;
        for pair in PASSWORDS.windows(2) {
            change_password(app, &ada, pair[0], pair[1]).await.unwrap();
        }
        let current = PASSWORDS[5];
        for past in &PASSWORDS[1..] {
            let answer = change_password(app, &ada, current, past).await;
            assert_eq!(violations(answer), ["PASSWORD_REUSED"], "{past}");
        }
        let token = reset_token(app, &ada.email).await;
        assert_eq!(violations(reset(app, &token, PASSWORDS[1]).await), ["PASSWORD_REUSED"]);
        change_password(app, &ada, current, PASSWORDS[0]).await.unwrap();
        assert_eq!(app.rows("past_passwords").await, 4, "no more hashes are kept than are compared");
    });
}

#[test]
fn five_wrong_current_passwords_end_the_session_and_no_other() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, "ada@example.org").await;
        let other = app.log_in(&ada.email, PASSWORD).await.unwrap();
        for _ in 0..4 {
            assert_eq!(change_password(app, &ada, WRONG, NEW_PASSWORD).await.reason(), "CURRENT_PASSWORD_WRONG");
        }
        app.me(&ada.session).await.unwrap();
        assert_eq!(change_password(app, &ada, WRONG, NEW_PASSWORD).await.reason(), "SESSION_ENDED");
        assert_eq!(app.me(&ada.session).await.reason(), "SESSION_ENDED");
        assert_eq!(change_password(app, &ada, PASSWORD, NEW_PASSWORD).await.reason(), "SESSION_ENDED");
        assert_eq!(app.refresh(&ada.session.refresh_token).await.reason(), "SESSION_ENDED");
        app.me(&other).await.unwrap();
        assert_eq!(events(app, "password_proof_refused").await, 5);
    });
}

#[test]
fn wrong_current_passwords_are_counted_across_everything_that_asks_for_one() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, "ada@example.org").await;
        let elsewhere = || RequestEmailChangeRequest {
            new_email: "new@example.org".to_owned(),
            current_password: WRONG.to_owned(),
            ..Default::default()
        };
        for _ in 0..2 {
            assert_eq!(change_password(app, &ada, WRONG, NEW_PASSWORD).await.reason(), "CURRENT_PASSWORD_WRONG");
            let answer = app.account().request_email_change(ada.asks(elsewhere())).await;
            assert_eq!(answer.fields(), ["current_password"]);
        }
        assert_eq!(delete_me(app, &ada, WRONG).await.reason(), "SESSION_ENDED");
        assert_eq!(app.rows("accounts").await, 1);
    });
}

#[test]
fn a_right_current_password_is_never_counted_as_a_wrong_one() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, "ada@example.org").await;
        for _ in 0..4 {
            assert_eq!(change_password(app, &ada, WRONG, NEW_PASSWORD).await.reason(), "CURRENT_PASSWORD_WRONG");
        }
        for _ in 0..6 {
            request_email_change(app, &ada, "new@example.org").await.unwrap();
        }
        app.me(&ada.session).await.unwrap();
    });
}

/// Makes changes with a wrong password at the same time, and returns their reasons.
async fn change_at_once(app: &App, person: &Person, attempts: usize) -> Vec<String> {
    let answers = join_all((0..attempts).map(|_| change_password(app, person, WRONG, NEW_PASSWORD))).await;
    answers.into_iter().map(|answer| answer.reason()).collect()
}

#[test]
fn of_many_attempts_made_at_once_no_more_than_five_are_evaluated() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, "ada@example.org").await;
        let reasons = change_at_once(app, &ada, 24).await;
        let wrong = reasons.iter().filter(|reason| *reason == "CURRENT_PASSWORD_WRONG").count();
        assert_eq!(wrong, 4, "{reasons:?}");
        let others = ["CURRENT_PASSWORD_WRONG", "SESSION_ENDED", "OVERLOADED"];
        assert!(reasons.iter().all(|reason| others.contains(&reason.as_str())), "{reasons:?}");
        assert_eq!(events(app, "password_proof_refused").await, 5, "each password that was looked at is an event");
        assert_eq!(app.me(&ada.session).await.reason(), "SESSION_ENDED");
    });
}

#[test]
fn right_current_passwords_at_once_never_get_the_answer_that_a_live_session_has_ended() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, "ada@example.org").await;
        let answers = join_all((0..8).map(|_| request_email_change(app, &ada, "new@example.org"))).await;
        app.me(&ada.session).await.unwrap();
        for answer in answers.into_iter().filter(Result::is_err) {
            assert_ne!(answer.reason(), "SESSION_ENDED");
        }
    });
}

#[test]
fn of_two_changes_at_once_one_wins_and_its_password_is_the_one() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, "ada@example.org").await;
        let wishes = [NEW_PASSWORD, "twelve muddy boots outside"];
        let answers = join_all(wishes.map(|new| change_password(app, &ada, PASSWORD, new))).await;
        assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1, "{answers:?}");
        for (wish, answer) in wishes.into_iter().zip(&answers) {
            assert_eq!(app.log_in(&ada.email, wish).await.is_ok(), answer.is_ok());
        }
        let refused = answers.into_iter().find(Result::is_err).unwrap().reason();
        assert_eq!(refused, "CURRENT_PASSWORD_WRONG", "the password that was proven is no longer the current one");
    });
}
