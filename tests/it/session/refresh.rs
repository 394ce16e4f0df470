use crate::support::{
    App, AppOptions, Backend, Client, Faults, PASSWORD, Person, Refused as _, at_once, census, grown, on_each_database,
    on_each_database_with,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use countersign::{grpc::wire::proto::*, usecase::Origin};
use countersign_domain::tenant::DEFAULT_TENANT;
use countersign_token::{KeyId, RefreshSealer, RefreshToken, SealingKeys};
use std::time::Duration;
use tonic::Code;
use tonic_types::StatusExt as _;

const GRACE: Duration = Duration::from_secs(30);
/// The lifetime of an access token.
const ACCESS: Duration = Duration::from_mins(10);
const MOMENT: Duration = Duration::from_micros(1);

async fn generation(app: &App) -> i64 {
    app.number("SELECT max(generation) FROM sessions").await
}

async fn live(app: &App) -> i64 {
    app.number("SELECT count(*) FROM sessions WHERE ended_at IS NULL").await
}

/// A rotated token was reused: the session has ended, its owner got a mail and the audit log has an event.
async fn assert_ended_as_reused(app: &App, session: &Session, email: &str) {
    assert_eq!(live(app).await, 0);
    assert_eq!(app.me(session).await.reason(), "SESSION_ENDED");
    assert_eq!(app.refresh(&session.refresh_token).await.reason(), "SESSION_ENDED");
    let told = app.mails_to(email).await;
    assert_eq!(told.iter().filter(|mail| mail.subject.contains("signed out a device")).count(), 1);
    let events = "SELECT count(*) FROM audit_events WHERE kind = 'refresh_refused' AND reason = 'REFRESH_TOKEN_REUSED'";
    assert_eq!(app.number(events).await, 1);
    assert_eq!(app.number("SELECT count(*) FROM sessions WHERE end_reason = 'refresh_reused'").await, 1);
}

#[test]
fn a_refresh_exchanges_both_tokens_and_moves_their_lives() {
    on_each_database(async |app| {
        let first = Person::sign_up(app, "ada@example.org").await.session;
        app.advance(Duration::from_secs(300));
        let before = census(app).await;
        let second = app.refresh(&first.refresh_token).await.unwrap();
        assert!(grown(app, &before).await.is_empty(), "a refresh keeps no token");
        assert_eq!(second.session_id, first.session_id);
        assert_eq!(second.account, first.account);
        assert_ne!(second.refresh_token, first.refresh_token);
        assert_ne!(second.access_token, first.access_token);
        let later = |time: Option<prost_types::Timestamp>| time.unwrap().seconds + 300;
        assert_eq!(second.access_expire_time.unwrap().seconds, later(first.access_expire_time));
        assert_eq!(second.refresh_expire_time.unwrap().seconds, later(first.refresh_expire_time));
        assert_eq!(generation(app).await, 2);
        app.me(&second).await.unwrap();
    });
}

#[test]
fn the_parent_is_answered_with_the_same_generation_until_the_grace_has_passed() {
    on_each_database(async |app| {
        let first = Person::sign_up(app, "ada@example.org").await.session;
        let second = app.refresh(&first.refresh_token).await.unwrap();
        for wait in [Duration::ZERO, GRACE - MOMENT, MOMENT] {
            app.advance(wait);
            let again = app.refresh(&first.refresh_token).await.unwrap();
            assert_eq!(again.access_expire_time, second.access_expire_time);
            assert_eq!(again.refresh_expire_time, second.refresh_expire_time);
            assert_eq!(again.session_id, second.session_id);
            assert_eq!(generation(app).await, 2);
            app.me(&again).await.unwrap();
        }
        app.advance(MOMENT);
        let status = app
            .auth()
            .refresh(RefreshRequest { refresh_token: first.refresh_token.clone(), ..Default::default() })
            .await
            .unwrap_err();
        assert_eq!(status.code(), Code::Unauthenticated);
        assert_eq!(Err::<(), _>(status).reason(), "REFRESH_TOKEN_REUSED");
        assert_ended_as_reused(app, &second, "ada@example.org").await;
    });
}

#[test]
fn an_answer_that_was_lost_is_asked_for_again() {
    on_each_database(async |app| {
        let first = Person::sign_up(app, "ada@example.org").await.session;
        drop(app.refresh(&first.refresh_token).await);
        app.advance(Duration::from_secs(5));
        let retried = app.refresh(&first.refresh_token).await.unwrap();
        let next = app.refresh(&retried.refresh_token).await.unwrap();
        app.me(&next).await.unwrap();
        assert_eq!((generation(app).await, live(app).await), (3, 1));
    });
}

/// An account with a session, and the token of the device on which it was opened.
async fn on_a_device(app: &App, email: &str) -> (Client, Session, String) {
    Person::register(app, email).await;
    let client = Client::in_network(app, "app/1.0", "192.0.2.1").await;
    let (session, device) = client.log_in_on(email, PASSWORD, "").await;
    (client, session, device)
}

async fn void(app: &App) -> i64 {
    app.number("SELECT coalesce(max(void_generation), 0) FROM sessions").await
}

#[test]
fn an_answer_that_was_lost_for_longer_than_the_grace_is_recovered_by_the_device_of_the_session() {
    on_each_database(async |app| {
        for (email, wait) in [("ada@example.org", GRACE + MOMENT), ("grace@example.org", ACCESS)] {
            let (client, first, device) = on_a_device(app, email).await;
            drop(client.refresh_on(&first.refresh_token, &device).await.unwrap());
            app.advance(wait);
            let third = client.refresh_on(&first.refresh_token, &device).await.unwrap();
            assert_eq!((generation(app).await, void(app).await), (3, 2));
            app.me(&third).await.unwrap();
            // That answer may also be lost, with the same grace as any other.
            app.advance(GRACE);
            let again = client.refresh_on(&first.refresh_token, &device).await.unwrap();
            assert_eq!(again.access_expire_time, third.access_expire_time);
            assert_eq!(generation(app).await, 3);
            let fourth = client.refresh_on(&again.refresh_token, &device).await.unwrap();
            app.me(&fourth).await.unwrap();
            assert!(app.mails_to(email).await.iter().all(|mail| !mail.subject.contains("signed out")));
            app.execute("DELETE FROM sessions").await;
        }
        let recovered = "SELECT count(*) FROM audit_events WHERE kind = 'refresh_recovered'";
        assert_eq!(app.number(recovered).await, 2);
    });
}

#[test]
fn a_lost_answer_is_recovered_once_in_a_row_and_only_while_its_access_token_could_live() {
    on_each_database(async |app| {
        let (client, first, device) = on_a_device(app, "ada@example.org").await;
        drop(client.refresh_on(&first.refresh_token, &device).await.unwrap());
        app.advance(GRACE + MOMENT);
        let third = client.refresh_on(&first.refresh_token, &device).await.unwrap();
        app.advance(GRACE + MOMENT);
        assert_eq!(client.refresh_on(&first.refresh_token, &device).await.reason(), "REFRESH_TOKEN_REUSED");
        assert_ended_as_reused(app, &third, "ada@example.org").await;

        let (session, device) = client.log_in_on("ada@example.org", PASSWORD, &device).await;
        client.refresh_on(&session.refresh_token, &device).await.unwrap();
        app.advance(ACCESS + MOMENT);
        assert_eq!(client.refresh_on(&session.refresh_token, &device).await.reason(), "REFRESH_TOKEN_REUSED");
        app.mail_to("ada@example.org").await;
    });
}

#[test]
fn after_a_rotation_that_arrived_another_answer_may_be_lost() {
    on_each_database(async |app| {
        let (client, mut session, device) = on_a_device(app, "ada@example.org").await;
        for lost in [2, 5, 8] {
            drop(client.refresh_on(&session.refresh_token, &device).await.unwrap());
            app.advance(GRACE + MOMENT);
            session = client.refresh_on(&session.refresh_token, &device).await.unwrap();
            assert_eq!(void(app).await, lost);
            app.advance(GRACE + MOMENT);
            session = client.refresh_on(&session.refresh_token, &device).await.unwrap();
        }
        app.me(&session).await.unwrap();
    });
}

#[test]
fn a_lost_answer_that_many_request_at_once_is_recovered_once() {
    on_each_database(async |app| {
        let (client, first, device) = on_a_device(app, "ada@example.org").await;
        drop(client.refresh_on(&first.refresh_token, &device).await.unwrap());
        app.advance(GRACE + MOMENT);
        let (app, client) = (&*app, &client);
        let tabs = at_once(32, async |_| client.refresh_on(&first.refresh_token, &device).await).await;
        tabs.assert_refused_only_for(&["REFRESH_CONTENDED"], "tabs");
        assert!(!tabs.successes.is_empty());
        assert_eq!((generation(app).await, void(app).await, live(app).await), (3, 2, 1));
        for tab in &tabs.successes {
            app.me(tab).await.unwrap();
        }
    });
}

#[test]
fn an_answer_whose_access_token_was_used_here_is_not_recovered() {
    on_each_database(async |app| {
        let backend = Backend::enrol(app, "orders").await;
        for (email, how) in [("ada@example.org", "GetMe"), ("grace@example.org", "Introspect")] {
            let (client, first, device) = on_a_device(app, email).await;
            let second = client.refresh_on(&first.refresh_token, &device).await.unwrap();
            if how == "GetMe" {
                app.me(&second).await.unwrap();
            } else {
                let asked = backend.asks(IntrospectRequest { token: second.access_token.clone() });
                assert!(app.verification().introspect(asked).await.unwrap().into_inner().active);
            }
            app.note_uses.store_uses().await.unwrap();
            assert_eq!(app.number("SELECT max(seen_generation) FROM sessions").await, 2, "{how}");
            app.advance(GRACE + MOMENT);
            assert_eq!(
                client.refresh_on(&first.refresh_token, &device).await.reason(),
                "REFRESH_TOKEN_REUSED",
                "{how}"
            );
            assert!(app.mails_to(email).await.iter().any(|mail| mail.subject.contains("signed out a device")));
            app.execute("DELETE FROM sessions").await;
        }
    });
}

#[test]
fn the_use_of_an_older_access_token_says_nothing_of_the_answer_after_it() {
    on_each_database(async |app| {
        let (client, first, device) = on_a_device(app, "ada@example.org").await;
        drop(client.refresh_on(&first.refresh_token, &device).await.unwrap());
        app.me(&first).await.unwrap();
        app.note_uses.store_uses().await.unwrap();
        app.advance(GRACE + MOMENT);
        let third = client.refresh_on(&first.refresh_token, &device).await.unwrap();
        assert_eq!(app.me(&first).await.reason(), "TOKEN_EXPIRED", "its holder has a newer one");
        app.me(&third).await.unwrap();
    });
}

#[test]
fn a_device_token_that_can_be_none_is_a_bad_field_and_another_one_is_none() {
    on_each_database(async |app| {
        let (client, first, _) = on_a_device(app, "ada@example.org").await;
        assert_eq!(client.refresh_on(&first.refresh_token, &"x".repeat(10_000)).await.reason(), "INVALID_FIELD");
        let second = client.refresh_on(&first.refresh_token, "garbage").await.unwrap();
        let (_, another) =
            Client::in_network(app, "app/1.0", "192.0.2.1").await.log_in_on("ada@example.org", PASSWORD, "").await;
        app.advance(GRACE + MOMENT);
        assert_eq!(client.refresh_on(&first.refresh_token, &another).await.reason(), "REFRESH_TOKEN_REUSED");
        assert_eq!(app.me(&second).await.reason(), "SESSION_ENDED");
        app.mail_to("ada@example.org").await;
    });
}

#[test]
fn a_token_of_a_clock_that_is_ahead_says_so_and_refresh_goes_on() {
    on_each_database(async |app| {
        let first = Person::sign_up(app, "ada@example.org").await.session;
        drop(app.refresh(&first.refresh_token).await.unwrap());
        // The time that a replica writes whose clock is six seconds ahead.
        app.execute("UPDATE sessions SET refreshed_at = refreshed_at + 6000000").await;
        let ahead = app.refresh(&first.refresh_token).await.unwrap();
        let status = app.me(&ahead).await.unwrap_err();
        assert_eq!(status.code(), Code::Unavailable);
        assert!(status.get_error_details().retry_info().is_some());
        assert_eq!(Err::<(), _>(status).reason(), "TOKEN_NOT_YET_VALID");
        let backend = Backend::enrol(app, "orders").await;
        let asked = backend.asks(IntrospectRequest { token: ahead.access_token.clone() });
        assert_eq!(app.verification().introspect(asked).await.reason(), "TOKEN_NOT_YET_VALID");

        let next = app.refresh(&ahead.refresh_token).await.unwrap();
        app.me(&next).await.unwrap();
        app.advance(Duration::from_secs(1));
        app.me(&ahead).await.unwrap();
    });
}

#[test]
fn a_grandparent_is_reuse_even_within_the_grace() {
    on_each_database(async |app| {
        let first = Person::sign_up(app, "ada@example.org").await.session;
        let second = app.refresh(&first.refresh_token).await.unwrap();
        let third = app.refresh(&second.refresh_token).await.unwrap();
        assert_eq!(app.refresh(&first.refresh_token).await.reason(), "REFRESH_TOKEN_REUSED");
        assert_ended_as_reused(app, &third, "ada@example.org").await;
    });
}

#[test]
fn without_a_grace_the_parent_is_reuse_a_moment_later() {
    on_each_database_with(AppOptions::with("COUNTERSIGN_SESSIONS__REFRESH_GRACE", "0s"), async |app| {
        let first = Person::sign_up(app, "ada@example.org").await.session;
        let second = app.refresh(&first.refresh_token).await.unwrap();
        app.advance(MOMENT);
        assert_eq!(app.refresh(&first.refresh_token).await.reason(), "REFRESH_TOKEN_REUSED");
        assert_ended_as_reused(app, &second, "ada@example.org").await;
    });
}

#[test]
fn reuse_seen_many_times_at_once_is_notified_once() {
    on_each_database(async |app| {
        let first = Person::sign_up(app, "ada@example.org").await.session;
        app.refresh(&first.refresh_token).await.unwrap();
        app.advance(GRACE + MOMENT);
        let app = &*app;
        let replays = at_once(16, async |_| app.refresh(&first.refresh_token).await).await;
        assert!(replays.successes.is_empty());
        replays.assert_refused_only_for(&["REFRESH_TOKEN_REUSED", "SESSION_ENDED"], "replays");
        assert!(replays.refusals["REFRESH_TOKEN_REUSED"] >= 1);
        let told = app.mails_to("ada@example.org").await;
        assert_eq!(told.iter().filter(|mail| mail.subject.contains("signed out a device")).count(), 1);
    });
}

#[test]
fn reuse_ends_one_session_and_leaves_the_others_alone() {
    on_each_database(async |app| {
        let stolen = Person::sign_up(app, "ada@example.org").await.session;
        let other = app.log_in("ada@example.org", PASSWORD).await.unwrap();
        app.refresh(&stolen.refresh_token).await.unwrap();
        app.advance(GRACE + MOMENT);
        assert_eq!(app.refresh(&stolen.refresh_token).await.reason(), "REFRESH_TOKEN_REUSED");
        app.me(&other).await.unwrap();
        app.refresh(&other.refresh_token).await.unwrap();
    });
}

#[test]
fn what_is_no_refresh_token_is_refused_before_the_database_is_queried() {
    on_each_database(async |app| {
        let session = Person::sign_up(app, "ada@example.org").await.session;
        let good = &session.refresh_token;
        let before = census(app).await;
        assert_eq!(app.refresh("").await.reason(), "TOKEN_MISSING");
        let foreign = "v4.local.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
        for token in ["garbage", "v4.local.", foreign, &session.access_token, &good[..good.len() - 2], &good[3..]] {
            assert_eq!(app.refresh(token).await.reason(), "TOKEN_INVALID");
        }
        for at in (0..good.len()).step_by(5) {
            let mut bytes = good.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(bytes).unwrap();
            assert_eq!(app.refresh(&changed).await.reason(), "TOKEN_INVALID", "changed at {at}");
        }
        assert!(grown(app, &before).await.is_empty());
        app.refresh(good).await.unwrap();
    });
}

#[test]
fn what_is_no_refresh_token_is_looked_for_in_no_table() {
    let faults = Faults::default();
    on_each_database_with(AppOptions::default().interfered_with(faults.interference()), async |app| {
        let session = Person::sign_up(app, "ada@example.org").await.session;
        let good = &session.refresh_token;
        let mut forged = good.clone().into_bytes();
        forged[40] = if forged[40] == b'A' { b'B' } else { b'A' };
        let forged = String::from_utf8(forged).unwrap();
        faults.none();
        for token in ["garbage", "v4.local.", &session.access_token, &good[..good.len() - 2], &good[3..], &forged] {
            assert_eq!(app.refresh(token).await.reason(), "TOKEN_INVALID");
        }
        // Now and then the service loads a key that another replica may have created.
        let asked: Vec<_> = faults.steps().into_iter().filter(|step| !step.starts_with("key.")).collect();
        assert_eq!(asked, [""; 0]);
    });
}

#[test]
fn a_refresh_token_sealed_under_a_foreign_key_is_refused() {
    on_each_database(async |app| {
        let session = Person::sign_up(app, "ada@example.org").await.session;
        let footer = session.refresh_token.rsplit('.').next().unwrap();
        let own_id = String::from_utf8(URL_SAFE_NO_PAD.decode(footer).unwrap()).unwrap();
        for key_id in [own_id.as_str(), "another"] {
            let keys = SealingKeys::new((KeyId::new(key_id).unwrap(), [9; 32]), Vec::new()).unwrap();
            let token = RefreshToken {
                tenant_id: DEFAULT_TENANT.as_uuid(),
                session_id: session.session_id.parse().unwrap(),
                generation: 1,
                audience: "default".to_owned(),
            };
            let foreign = RefreshSealer::new(keys).seal(&token).unwrap();
            assert_eq!(app.refresh(&foreign).await.reason(), "TOKEN_INVALID", "{key_id}");
        }
        assert_eq!(generation(app).await, 1);
    });
}

#[test]
fn a_disabled_account_is_told_so_when_it_refreshes() {
    on_each_database(async |app| {
        let person = Person::sign_up(app, "ada@example.org").await;
        // The state between the two statements of an operator on another replica: the sessions have not ended yet.
        app.execute("UPDATE accounts SET disabled_at = 1800000000000000").await;
        assert_eq!(app.refresh(&person.session.refresh_token).await.reason(), "ACCOUNT_DISABLED");
        assert_eq!(generation(app).await, 1);
        app.execute("UPDATE accounts SET disabled_at = NULL").await;

        let id = person.session.account.as_ref().unwrap().account_id.parse().unwrap();
        assert!(app.operations.disable_account.disable(&Origin::terminal(), id).await.unwrap());
        assert_eq!(app.refresh(&person.session.refresh_token).await.reason(), "ACCOUNT_DISABLED");
        assert!(app.operations.enable_account.enable(&Origin::terminal(), id).await.unwrap());
        assert_eq!(app.refresh(&person.session.refresh_token).await.reason(), "SESSION_ENDED");
    });
}
