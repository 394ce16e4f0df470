use crate::support::{Person, Refused as _, on_each_database};
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

#[test]
fn no_refresh_outlives_the_absolute_end() {
    on_each_database(async |app| {
        let mut session = Person::sign_up(app, "ada@example.org").await.session;
        let end = app.number("SELECT max(absolute_expires_at) FROM sessions").await / 1_000_000;
        let opened = app.number("SELECT max(created_at) FROM sessions").await / 1_000_000;
        assert_eq!(end - opened, 90 * 24 * 60 * 60);
        for day in (10..90).step_by(10) {
            app.advance(10 * DAY);
            session = app.refresh(&session.refresh_token).await.unwrap();
            let told = session.refresh_expire_time.unwrap().seconds;
            assert_eq!(told, end.min(opened + (day + 14) * 24 * 60 * 60), "on day {day}");
        }
        assert_eq!(app.number("SELECT max(absolute_expires_at) FROM sessions").await / 1_000_000, end);
        app.advance(10 * DAY - Duration::from_secs(60));
        session = app.refresh(&session.refresh_token).await.unwrap();
        assert_eq!(session.refresh_expire_time.unwrap().seconds, end);
        assert_eq!(session.access_expire_time.unwrap().seconds, end);
        app.advance(Duration::from_secs(60));
        assert_eq!(app.refresh(&session.refresh_token).await.reason(), "SESSION_EXPIRED");
        assert_eq!(app.me(&session).await.reason(), "TOKEN_EXPIRED");
    });
}

#[test]
fn asking_again_within_the_grace_moves_no_life() {
    on_each_database(async |app| {
        let first = Person::sign_up(app, "ada@example.org").await.session;
        let second = app.refresh(&first.refresh_token).await.unwrap();
        for _ in 0..5 {
            app.advance(Duration::from_secs(6));
            let again = app.refresh(&first.refresh_token).await.unwrap();
            assert_eq!(again.access_expire_time, second.access_expire_time);
            assert_eq!(again.refresh_expire_time, second.refresh_expire_time);
        }
        app.advance(Duration::from_secs(6));
        assert_eq!(app.refresh(&first.refresh_token).await.reason(), "REFRESH_TOKEN_REUSED");
    });
}
