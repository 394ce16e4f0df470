//! A program that still uses an old password.

use crate::support::{
    App, AppOptions, PASSWORD, Person, WRONG, another_wrong, held, log_in_from, on_each_database_with, reason,
    recognized_device, try_wrong_passwords,
};
use countersign::grpc::wire::proto::*;
use std::time::Duration;
use tonic::{Request, Status};

const ADA: &str = "ada@example.org";
const MINUTE: Duration = Duration::from_mins(1);

fn usual() -> AppOptions {
    AppOptions::with("COUNTERSIGN_LOCKOUT__LOCK_AFTER", "5").and("COUNTERSIGN_SERVER__TRUSTED_PROXIES", "127.0.0.1")
}

async fn log_in(app: &App, address: &str, password: &str) -> Result<(), Status> {
    let form = LoginRequest { identifier: ADA.to_owned(), password: password.to_owned(), ..Default::default() };
    let mut request = Request::new(form);
    request.metadata_mut().insert("x-forwarded-for", address.parse().unwrap());
    app.auth().login(request).await.map(drop)
}

#[test]
fn a_program_that_goes_on_with_an_old_password_keeps_nobody_out() {
    on_each_database_with(usual(), async |app| {
        Person::register(app, ADA).await;
        let hashes = app.hasher.computed();
        // One network, from any of its addresses.
        for minute in 0..150 {
            let address = format!("2001:db8:0:7::{minute:x}");
            assert_eq!(reason(&log_in(app, &address, WRONG).await.unwrap_err()), "CREDENTIALS_INVALID", "{minute}");
            app.advance(MINUTE);
        }
        assert_eq!(app.hasher.computed() - hashes, 150, "each was looked at, and paid for");
        assert_eq!(app.number("SELECT count(*) FROM audit_events WHERE kind = 'login_refused'").await, 150);
        assert_eq!(app.number("SELECT CAST(max(password_failures) AS BIGINT) FROM accounts").await, 1);
        log_in(app, "192.0.2.1", PASSWORD).await.unwrap();
    });
}

#[test]
fn wrong_passwords_of_others_count_as_if_the_program_were_not_there() {
    on_each_database_with(usual(), async |app| {
        Person::register(app, ADA).await;
        for _ in 0..20 {
            log_in(app, "192.0.2.1", WRONG).await.unwrap_err();
        }
        // The same password from elsewhere, and other passwords from this network, count.
        log_in(app, "192.0.2.2", WRONG).await.unwrap_err();
        log_in(app, "2001:db8:0:7::1", WRONG).await.unwrap_err();
        log_in(app, "192.0.2.1", &another_wrong()).await.unwrap_err();
        assert_eq!(reason(&log_in(app, "192.0.2.1", WRONG).await.unwrap_err()), "CREDENTIALS_INVALID");
        try_wrong_passwords(app, ADA, 1).await;
        assert_eq!(held(log_in(app, "192.0.2.1", WRONG).await), MINUTE);
        assert_eq!(held(log_in(app, "192.0.2.9", PASSWORD).await), MINUTE);
    });
}

#[test]
fn a_recognized_device_that_still_sends_an_old_password_stays_recognized() {
    on_each_database_with(usual(), async |app| {
        let device = recognized_device(app, ADA).await;
        for _ in 0..120 {
            let refused = log_in_from(app, ADA, WRONG, &device).await.unwrap_err();
            assert_eq!(reason(&refused), "CREDENTIALS_INVALID");
        }
        let answer = log_in_from(app, ADA, PASSWORD, &device).await.unwrap();
        assert_eq!(answer.device_token, device);
    });
}
