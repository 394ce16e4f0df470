use crate::support::{
    App, AppOptions, MailText as _, PASSWORD, Person, Refused as _, on_each_database, on_each_database_with,
};
use countersign::{grpc::wire::proto::*, usecase::Origin};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const TABLES: [&str; 7] = ["accounts", "registrations", "sessions", "actions", "outbox", "request_ids", "audit_events"];

async fn register(
    app: &App,
    email: &str,
    request_id: &str,
) -> Result<tonic::Response<RegisterResponse>, tonic::Status> {
    let form = RegisterRequest {
        email: email.to_owned(),
        password: PASSWORD.to_owned(),
        request_id: request_id.to_owned(),
        ..Default::default()
    };
    app.account().register(form).await
}

async fn rows(app: &App) -> Vec<i64> {
    let mut rows = Vec::new();
    for table in TABLES {
        rows.push(app.rows(table).await);
    }
    rows
}

#[test]
fn registrations_that_nobody_verified_go_after_thirty_days_and_accounts_stay() {
    on_each_database(async |app| {
        Person::register(app, "ada@example.org").await;
        register(app, "waiting@example.org", "").await.unwrap();
        let token = app.mail_to("waiting@example.org").await.link_token();
        app.advance(30 * DAY);
        app.purge.purge().await.unwrap();
        assert_eq!(app.rows("registrations").await, 1, "thirty days are not over yet");
        app.advance(SECOND);
        app.purge.purge().await.unwrap();
        assert_eq!((app.rows("registrations").await, app.rows("accounts").await), (0, 1));
        let late = app.account().verify(VerifyRequest { token, ..Default::default() }).await;
        assert_eq!(late.reason(), "LINK_EXPIRED");
        register(app, "waiting@example.org", "").await.unwrap();
    });
}

#[test]
fn neither_an_account_nor_a_disabled_one_is_ever_purged() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, "ada@example.org").await;
        let bob = Person::sign_up(app, "bob@example.org").await;
        let id = bob.session.account.unwrap().account_id.parse().unwrap();
        assert!(app.operations.disable_account.disable(&Origin::terminal(), id).await.unwrap());
        app.send_mail().await;
        app.advance(10 * 365 * DAY);
        app.purge.purge().await.unwrap();
        assert_eq!(rows(app).await, [2, 0, 0, 0, 0, 0, 0], "{TABLES:?}");
        app.log_in(&ada.email, PASSWORD).await.unwrap();
        assert_eq!(app.log_in(&bob.email, PASSWORD).await.reason(), "CREDENTIALS_INVALID");
    });
}

#[test]
fn sessions_are_purged_a_week_after_they_ended_and_live_ones_stay() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, "ada@example.org").await;
        let ended = app.log_in(&ada.email, PASSWORD).await.unwrap();
        app.log_in(&ada.email, PASSWORD).await.unwrap();
        let form = LogoutRequest { refresh_token: ended.refresh_token.clone(), ..Default::default() };
        app.auth().logout(form).await.unwrap();
        app.advance(7 * DAY);
        app.purge.purge().await.unwrap();
        assert_eq!(app.rows("sessions").await, 3);
        app.advance(SECOND);
        let mut live = app.refresh(&ada.session.refresh_token).await.unwrap();
        app.purge.purge().await.unwrap();
        assert_eq!(app.rows("sessions").await, 2, "the one that logged out is gone");
        app.advance(13 * DAY);
        live = app.refresh(&live.refresh_token).await.unwrap();
        app.advance(DAY + SECOND);
        app.purge.purge().await.unwrap();
        assert_eq!(app.rows("sessions").await, 1, "the one nobody refreshed is gone");
        app.refresh(&live.refresh_token).await.unwrap();
    });
}

#[test]
fn links_and_mails_are_purged_a_week_after_they_ended() {
    on_each_database(async |app| {
        register(app, "ada@example.org", "").await.unwrap();
        app.send_mail().await;
        assert_eq!((app.rows("actions").await, app.rows("outbox").await), (1, 1));
        app.advance(7 * DAY);
        app.purge.purge().await.unwrap();
        assert_eq!((app.rows("actions").await, app.rows("outbox").await), (1, 1));
        app.advance(SECOND);
        app.purge.purge().await.unwrap();
        assert_eq!((app.rows("actions").await, app.rows("outbox").await), (1, 0), "the link lived a day longer");
        app.advance(DAY);
        app.purge.purge().await.unwrap();
        assert_eq!((app.rows("actions").await, app.rows("outbox").await), (0, 0));
    });
}

#[test]
fn mails_that_wait_are_never_purged_and_dead_ones_go_after_their_retention() {
    on_each_database(async |app| {
        for email in ["waiting@example.org", "dead@example.org"] {
            register(app, email, "").await.unwrap();
        }
        app.execute("UPDATE outbox SET outcome = 'dead', finished_at = created_at WHERE recipient LIKE 'dead%'").await;
        app.advance(30 * DAY);
        app.purge.purge().await.unwrap();
        assert_eq!(app.rows("outbox").await, 2);
        app.advance(SECOND);
        app.purge.purge().await.unwrap();
        assert_eq!(app.number("SELECT count(*) FROM outbox WHERE recipient LIKE 'dead%'").await, 0);
        assert_eq!(app.rows("outbox").await, 1, "one that waits says what nobody has read yet");
        app.send_mail().await;
    });
}

#[test]
fn dead_mails_are_kept_for_as_long_as_the_operator_wants() {
    on_each_database_with(AppOptions::with("COUNTERSIGN_MAIL__DEAD_RETENTION", "2d"), async |app| {
        register(app, "dead@example.org", "").await.unwrap();
        app.execute("UPDATE outbox SET outcome = 'dead', finished_at = created_at").await;
        app.advance(2 * DAY);
        app.purge.purge().await.unwrap();
        assert_eq!(app.rows("outbox").await, 1);
        app.advance(SECOND);
        app.purge.purge().await.unwrap();
        assert_eq!(app.rows("outbox").await, 0);
    });
}

#[test]
fn request_ids_are_forgotten_after_a_day() {
    on_each_database(async |app| {
        register(app, "ada@example.org", "one-and-the-same").await.unwrap();
        app.advance(DAY);
        app.purge.purge().await.unwrap();
        let mails = app.rows("outbox").await;
        register(app, "ada@example.org", "one-and-the-same").await.unwrap();
        assert_eq!(app.rows("outbox").await, mails, "it is still a repetition");
        app.advance(SECOND);
        app.purge.purge().await.unwrap();
        assert_eq!(app.rows("request_ids").await, 0);
        register(app, "ada@example.org", "one-and-the-same").await.unwrap();
        assert_eq!(app.rows("request_ids").await, 1);
    });
}

#[test]
fn audit_events_go_after_their_retention_and_not_before() {
    on_each_database(async |app| {
        register(app, "ada@example.org", "").await.unwrap();
        app.send_mail().await;
        app.advance(400 * DAY);
        register(app, "eve@example.org", "").await.unwrap();
        app.purge.purge().await.unwrap();
        assert_eq!(app.rows("audit_events").await, 2);
        app.advance(SECOND);
        app.purge.purge().await.unwrap();
        assert_eq!(app.rows("audit_events").await, 1);
    });
}

#[test]
fn purging_twice_at_once_is_harmless() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, "ada@example.org").await;
        for number in 0..5 {
            register(app, &format!("waiting{number}@example.org"), &format!("request-{number}")).await.unwrap();
        }
        app.send_mail().await;
        app.advance(31 * DAY);
        let rounds = futures_util::future::join_all((0..4).map(|_| app.purge.purge())).await;
        assert!(rounds.iter().all(Result::is_ok), "{rounds:?}");
        let left = rows(app).await;
        assert_eq!(left[..6], [1, 0, 0, 0, 0, 0], "{TABLES:?}");
        assert!(left[6] > 0, "the audit trail stays longer");
        app.log_in(&ada.email, PASSWORD).await.unwrap();
    });
}
