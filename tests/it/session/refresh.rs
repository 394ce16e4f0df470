use crate::support::{
    App, AppOptions, PASSWORD, Person, Refused as _, at_once, census, grown, on_each_database, on_each_database_with,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use countersign::{grpc::wire::proto::*, usecase::Origin};
use countersign_domain::tenant::DEFAULT_TENANT;
use countersign_token::{KeyId, RefreshSealer, RefreshToken, SealingKeys};
use std::time::Duration;
use tonic::Code;

const GRACE: Duration = Duration::from_secs(30);
const MOMENT: Duration = Duration::from_micros(1);

async fn generation(app: &App) -> i64 {
    app.number("SELECT max(generation) FROM sessions").await
}

async fn live(app: &App) -> i64 {
    app.number("SELECT count(*) FROM sessions WHERE ended_at IS NULL").await
}

/// A token that was replaced came back: the session has ended, its owner was told and the trail has it.
async fn assert_ended_as_reused(app: &App, session: &Session, email: &str) {
    assert_eq!(live(app).await, 0);
    assert_eq!(Person::me(app, session).await.reason(), "SESSION_ENDED");
    assert_eq!(Person::refresh(app, &session.refresh_token).await.reason(), "SESSION_ENDED");
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
        let second = Person::refresh(app, &first.refresh_token).await.unwrap();
        assert!(grown(app, &before).await.is_empty(), "a refresh keeps no token");
        assert_eq!(second.session_id, first.session_id);
        assert_eq!(second.account, first.account);
        assert_ne!(second.refresh_token, first.refresh_token);
        assert_ne!(second.access_token, first.access_token);
        let later = |time: Option<prost_types::Timestamp>| time.unwrap().seconds + 300;
        assert_eq!(second.access_expire_time.unwrap().seconds, later(first.access_expire_time));
        assert_eq!(second.refresh_expire_time.unwrap().seconds, later(first.refresh_expire_time));
        assert_eq!(generation(app).await, 2);
        Person::me(app, &second).await.unwrap();
    });
}

#[test]
fn the_parent_is_answered_with_the_same_generation_until_the_grace_is_over() {
    on_each_database(async |app| {
        let first = Person::sign_up(app, "ada@example.org").await.session;
        let second = Person::refresh(app, &first.refresh_token).await.unwrap();
        for wait in [Duration::ZERO, GRACE - MOMENT, MOMENT] {
            app.advance(wait);
            let again = Person::refresh(app, &first.refresh_token).await.unwrap();
            assert_eq!(again.access_expire_time, second.access_expire_time);
            assert_eq!(again.refresh_expire_time, second.refresh_expire_time);
            assert_eq!(again.session_id, second.session_id);
            assert_eq!(generation(app).await, 2);
            Person::me(app, &again).await.unwrap();
        }
        app.advance(MOMENT);
        let status =
            app.auth().refresh(RefreshRequest { refresh_token: first.refresh_token.clone() }).await.unwrap_err();
        assert_eq!(status.code(), Code::Unauthenticated);
        assert_eq!(Err::<(), _>(status).reason(), "REFRESH_TOKEN_REUSED");
        assert_ended_as_reused(app, &second, "ada@example.org").await;
    });
}

#[test]
fn an_answer_that_was_lost_is_asked_for_again() {
    on_each_database(async |app| {
        let first = Person::sign_up(app, "ada@example.org").await.session;
        drop(Person::refresh(app, &first.refresh_token).await);
        app.advance(Duration::from_secs(5));
        let retried = Person::refresh(app, &first.refresh_token).await.unwrap();
        let next = Person::refresh(app, &retried.refresh_token).await.unwrap();
        Person::me(app, &next).await.unwrap();
        assert_eq!((generation(app).await, live(app).await), (3, 1));
    });
}

#[test]
fn a_grandparent_is_reuse_even_within_the_grace() {
    on_each_database(async |app| {
        let first = Person::sign_up(app, "ada@example.org").await.session;
        let second = Person::refresh(app, &first.refresh_token).await.unwrap();
        let third = Person::refresh(app, &second.refresh_token).await.unwrap();
        assert_eq!(Person::refresh(app, &first.refresh_token).await.reason(), "REFRESH_TOKEN_REUSED");
        assert_ended_as_reused(app, &third, "ada@example.org").await;
    });
}

#[test]
fn without_a_grace_the_parent_is_reuse_a_moment_later() {
    on_each_database_with(AppOptions::with("COUNTERSIGN_SESSIONS__REFRESH_GRACE", "0s"), async |app| {
        let first = Person::sign_up(app, "ada@example.org").await.session;
        let second = Person::refresh(app, &first.refresh_token).await.unwrap();
        app.advance(MOMENT);
        assert_eq!(Person::refresh(app, &first.refresh_token).await.reason(), "REFRESH_TOKEN_REUSED");
        assert_ended_as_reused(app, &second, "ada@example.org").await;
    });
}

#[test]
fn reuse_seen_many_times_at_once_is_told_once() {
    on_each_database(async |app| {
        let first = Person::sign_up(app, "ada@example.org").await.session;
        Person::refresh(app, &first.refresh_token).await.unwrap();
        app.advance(GRACE + MOMENT);
        let app = &*app;
        let replays = at_once(16, async |_| Person::refresh(app, &first.refresh_token).await).await;
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
        let other = Person::log_in(app, "ada@example.org", PASSWORD).await.unwrap();
        Person::refresh(app, &stolen.refresh_token).await.unwrap();
        app.advance(GRACE + MOMENT);
        assert_eq!(Person::refresh(app, &stolen.refresh_token).await.reason(), "REFRESH_TOKEN_REUSED");
        Person::me(app, &other).await.unwrap();
        Person::refresh(app, &other.refresh_token).await.unwrap();
    });
}

#[test]
fn what_is_no_refresh_token_is_refused_before_the_database_is_asked() {
    on_each_database(async |app| {
        let session = Person::sign_up(app, "ada@example.org").await.session;
        let good = &session.refresh_token;
        let before = census(app).await;
        assert_eq!(Person::refresh(app, "").await.reason(), "TOKEN_MISSING");
        let foreign = "v4.local.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
        for token in ["garbage", "v4.local.", foreign, &session.access_token, &good[..good.len() - 2], &good[3..]] {
            assert_eq!(Person::refresh(app, token).await.reason(), "TOKEN_INVALID");
        }
        for at in (0..good.len()).step_by(5) {
            let mut bytes = good.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(bytes).unwrap();
            assert_eq!(Person::refresh(app, &changed).await.reason(), "TOKEN_INVALID", "changed at {at}");
        }
        assert!(grown(app, &before).await.is_empty());
        Person::refresh(app, good).await.unwrap();
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
            assert_eq!(Person::refresh(app, &foreign).await.reason(), "TOKEN_INVALID", "{key_id}");
        }
        assert_eq!(generation(app).await, 1);
    });
}

#[test]
fn a_disabled_account_is_told_so_when_it_refreshes() {
    on_each_database(async |app| {
        let person = Person::sign_up(app, "ada@example.org").await;
        // As it is between the two statements of an operator on another replica: the sessions have not ended yet.
        app.execute("UPDATE accounts SET disabled_at = 1800000000000000").await;
        assert_eq!(Person::refresh(app, &person.session.refresh_token).await.reason(), "ACCOUNT_DISABLED");
        assert_eq!(generation(app).await, 1);
        app.execute("UPDATE accounts SET disabled_at = NULL").await;

        let id = person.session.account.as_ref().unwrap().account_id.parse().unwrap();
        assert!(app.accounts.disable(&Origin::terminal(), id).await.unwrap());
        assert_eq!(Person::refresh(app, &person.session.refresh_token).await.reason(), "ACCOUNT_DISABLED");
        assert!(app.accounts.enable(&Origin::terminal(), id).await.unwrap());
        assert_eq!(Person::refresh(app, &person.session.refresh_token).await.reason(), "SESSION_ENDED");
    });
}
