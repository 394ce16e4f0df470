use crate::support::{App, PASSWORD, Person, Refused as _, at_once, bearer, on_each_database, request_with};
use countersign::grpc::wire::proto::*;
use std::time::Duration;
use tonic::Status;

const PAST_THE_GRACE: Duration = Duration::from_secs(31);
const DAY: Duration = Duration::from_hours(24);
const MOMENT: Duration = Duration::from_micros(1);

async fn leave(app: &App, refresh_token: &str, everywhere: bool) -> Result<(), Status> {
    let form = LogoutRequest { refresh_token: refresh_token.to_owned(), everywhere, ..Default::default() };
    app.auth().logout(form).await.map(|_| ())
}

async fn leave_by_access(app: &App, access_token: &str, everywhere: bool) -> Result<(), Status> {
    let form = LogoutRequest { refresh_token: String::new(), everywhere, ..Default::default() };
    app.auth().logout(bearer(access_token, form)).await.map(|_| ())
}

async fn assert_ended(app: &App, session: &Session) {
    assert_eq!(app.me(session).await.reason(), "SESSION_ENDED");
    assert_eq!(app.refresh(&session.refresh_token).await.reason(), "SESSION_ENDED");
}

async fn assert_alive(app: &App, session: &Session) {
    app.me(session).await.unwrap();
}

#[test]
fn a_refresh_token_logs_its_session_out_and_only_it() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, "ada@example.org").await;
        let other = app.log_in(&ada.email, PASSWORD).await.unwrap();
        leave(app, &ada.session.refresh_token, false).await.unwrap();
        assert_ended(app, &ada.session).await;
        assert_alive(app, &other).await;
        let audited = app.number("SELECT count(*) FROM audit_events WHERE kind = 'logged_out'").await;
        assert_eq!(audited, 1);
        leave(app, &ada.session.refresh_token, false).await.unwrap();
        let audited = app.number("SELECT count(*) FROM audit_events WHERE kind = 'logged_out'").await;
        assert_eq!(audited, 1, "a session that is over is not logged out again");
    });
}

#[test]
fn an_access_token_logs_its_session_out_too_and_twice_is_fine() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, "ada@example.org").await;
        let other = app.log_in(&ada.email, PASSWORD).await.unwrap();
        for _ in 0..2 {
            leave_by_access(app, &ada.session.access_token, false).await.unwrap();
            assert_ended(app, &ada.session).await;
        }
        assert_alive(app, &other).await;
    });
}

#[test]
fn logging_out_everywhere_makes_all_devices_unrecognized_but_the_one_it_was_done_from() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, "ada@example.org").await;
        app.advance(MOMENT);
        let here = app.log_in(&ada.email, PASSWORD).await.unwrap();
        let own = "SELECT count(*) FROM devices WHERE id = \
                   (SELECT device_id FROM sessions ORDER BY created_at DESC LIMIT 1)";
        assert_eq!((app.rows("devices").await, app.number(own).await), (2, 1));
        leave(app, &here.refresh_token, true).await.unwrap();
        assert_eq!((app.rows("devices").await, app.number(own).await), (1, 1));
    });
}

#[test]
fn logging_out_everywhere_ends_every_session_of_the_account_and_of_no_other() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, "ada@example.org").await;
        let eve = Person::sign_up(app, "eve@example.org").await;
        let other = app.log_in(&ada.email, PASSWORD).await.unwrap();
        leave(app, &ada.session.refresh_token, true).await.unwrap();
        assert_ended(app, &ada.session).await;
        assert_ended(app, &other).await;

        let first = app.log_in(&ada.email, PASSWORD).await.unwrap();
        let second = app.log_in(&ada.email, PASSWORD).await.unwrap();
        leave_by_access(app, &second.access_token, true).await.unwrap();
        assert_ended(app, &first).await;
        assert_ended(app, &second).await;
        assert_alive(app, &eve.session).await;
    });
}

#[test]
fn the_parent_within_the_grace_is_good_for_logging_out_everywhere() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, "ada@example.org").await;
        let other = app.log_in(&ada.email, PASSWORD).await.unwrap();
        app.refresh(&ada.session.refresh_token).await.unwrap();
        leave(app, &ada.session.refresh_token, true).await.unwrap();
        assert_ended(app, &other).await;
    });
}

#[test]
fn a_token_that_was_replaced_ends_its_own_session_and_says_that_the_others_go_on() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, "ada@example.org").await;
        let other = app.log_in(&ada.email, PASSWORD).await.unwrap();
        let live = app.refresh(&ada.session.refresh_token).await.unwrap();
        app.advance(PAST_THE_GRACE);
        assert_refused(leave(app, &ada.session.refresh_token, true).await);
        assert_ended(app, &live).await;
        assert_alive(app, &other).await;
    });
}

/// No other session was ended, and the message says what to do.
fn assert_refused(answer: Result<(), Status>) {
    let text = answer.as_ref().unwrap_err().message().to_owned();
    assert_eq!(answer.reason(), "SESSION_ENDED");
    assert!(text.contains("log in, then log out everywhere"), "{text}");
}

#[test]
fn the_last_token_of_a_session_that_ended_logs_out_everywhere_for_a_day_and_once() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, "ada@example.org").await;
        let last = app.refresh(&ada.session.refresh_token).await.unwrap();
        leave(app, &last.refresh_token, false).await.unwrap();
        app.advance(DAY - MOMENT);
        let other = app.log_in(&ada.email, PASSWORD).await.unwrap();
        assert_refused(leave(app, &ada.session.refresh_token, true).await);
        leave(app, &last.refresh_token, true).await.unwrap();
        assert_ended(app, &other).await;

        let later = app.log_in(&ada.email, PASSWORD).await.unwrap();
        assert_refused(leave(app, &last.refresh_token, true).await);
        assert_alive(app, &later).await;
        leave(app, &last.refresh_token, false).await.unwrap();
    });
}

#[test]
fn a_day_after_its_session_ended_or_ran_out_a_token_has_no_say_over_the_other_sessions() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, "ada@example.org").await;
        let ended = app.log_in(&ada.email, PASSWORD).await.unwrap();
        leave(app, &ended.refresh_token, false).await.unwrap();
        app.advance(DAY);
        let other = app.log_in(&ada.email, PASSWORD).await.unwrap();
        assert_refused(leave(app, &ended.refresh_token, true).await);
        assert_alive(app, &other).await;
        app.advance(14 * DAY);
        let kept = app.log_in(&ada.email, PASSWORD).await.unwrap();
        // The first session expired a day and a moment ago.
        assert_refused(leave(app, &ada.session.refresh_token, true).await);
        assert_alive(app, &kept).await;
        leave(app, &other.refresh_token, true).await.unwrap();
        assert_ended(app, &kept).await;
    });
}

#[test]
fn an_access_token_of_an_ended_session_does_not_pass_for_a_logout_everywhere() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, "ada@example.org").await;
        let other = app.log_in(&ada.email, PASSWORD).await.unwrap();
        leave(app, &ada.session.refresh_token, false).await.unwrap();
        assert_refused(leave_by_access(app, &ada.session.access_token, true).await);
        leave_by_access(app, &ada.session.access_token, false).await.unwrap();
        assert_alive(app, &other).await;
    });
}

#[test]
fn of_many_logouts_everywhere_with_one_token_of_a_session_that_ended_one_is_done() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, "ada@example.org").await;
        leave(app, &ada.session.refresh_token, false).await.unwrap();
        let app = &*app;
        let tried = at_once(16, async |_| leave(app, &ada.session.refresh_token, true).await).await;
        assert_eq!(tried.successes.len(), 1);
        tried.assert_refused_only_for(&["SESSION_ENDED"], "the others");
    });
}

#[test]
fn garbage_logs_nobody_out_and_nothing_at_all_is_missing() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, "ada@example.org").await;
        for garbage in ["garbage", "v4.local.x", &ada.session.access_token] {
            assert_eq!(leave(app, garbage, true).await.reason(), "TOKEN_INVALID");
        }
        for garbage in ["garbage", &ada.session.refresh_token] {
            assert_eq!(leave_by_access(app, garbage, true).await.reason(), "TOKEN_INVALID");
        }
        assert_eq!(leave(app, "", true).await.reason(), "TOKEN_MISSING");
        let basic = request_with("authorization", "Basic x", LogoutRequest::default());
        assert_eq!(app.auth().logout(basic).await.reason(), "TOKEN_MISSING", "what is no bearer token is none");
        assert_alive(app, &ada.session).await;
    });
}

#[test]
fn the_refresh_token_decides_when_an_access_token_comes_along() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, "ada@example.org").await;
        let eve = Person::sign_up(app, "eve@example.org").await;
        let form = LogoutRequest { refresh_token: eve.session.refresh_token.clone(), ..Default::default() };
        app.auth().logout(ada.asks(form)).await.unwrap();
        assert_ended(app, &eve.session).await;
        assert_alive(app, &ada.session).await;
    });
}
