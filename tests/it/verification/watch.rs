use crate::support::{
    App, AppOptions, Backend, PASSWORD, Person, Refused as _, on_each_database, on_each_database_with, reason,
    retry_after,
};
use countersign::{
    grpc::wire::proto::{watch_revocations_response::Event, *},
    usecase::Origin,
};
use std::time::Duration;

async fn leave(app: &App) -> String {
    let session = Person::log_in(app, "ada@example.org", PASSWORD).await.unwrap();
    let leaving = LogoutRequest { refresh_token: session.refresh_token, everywhere: false };
    app.auth().logout(leaving).await.unwrap();
    app.follow.run().await.unwrap();
    session.session_id
}

fn sessions(revocations: &[Revocation]) -> Vec<String> {
    revocations
        .iter()
        .map(|revocation| match &revocation.target {
            Some(revocation::Target::SessionId(id)) => id.clone(),
            other => panic!("not a session: {other:?}"),
        })
        .collect()
}

#[test]
fn a_follower_is_told_everything_once_and_then_what_is_new() {
    on_each_database(async |app| {
        Person::register(app, "ada@example.org").await;
        let before = [leave(app).await, leave(app).await];
        let mut following = Backend::enrol(app, "orders").await.follow(app, "").await.unwrap();
        assert_eq!(sessions(&following.snapshot().await), before);
        let after = leave(app).await;
        assert_eq!(sessions(&following.changes().await), [after]);
    });
}

#[test]
fn a_stream_that_broke_goes_on_where_it_was() {
    on_each_database(async |app| {
        Person::register(app, "ada@example.org").await;
        leave(app).await;
        let backend = Backend::enrol(app, "orders").await;
        let mut following = backend.follow(app, "").await.unwrap();
        following.snapshot().await;
        let cursor = following.cursor.clone();
        drop(following);
        let meanwhile = [leave(app).await, leave(app).await];
        let mut again = backend.follow(app, &cursor).await.unwrap();
        assert_eq!(sessions(&again.changes().await), meanwhile, "no snapshot, nothing twice, nothing missed");
    });
}

#[test]
fn a_cursor_of_another_history_is_answered_with_a_snapshot() {
    on_each_database(async |app| {
        Person::register(app, "ada@example.org").await;
        let ended = leave(app).await;
        let backend = Backend::enrol(app, "orders").await;
        let mut following = backend.follow(app, "").await.unwrap();
        following.snapshot().await;
        let (position, since) = following.cursor.split_once('.').unwrap();
        let (position, since): (i64, i64) = (position.parse().unwrap(), since.parse().unwrap());
        for foreign in [
            format!("{position}.{}", since + 1),
            format!("{}.{since}", position + 1),
            format!("{}.0", i64::MAX),
            "0.0".to_owned(),
        ] {
            let mut following = backend.follow(app, &foreign).await.unwrap();
            assert_eq!(sessions(&following.snapshot().await), [ended.as_str()], "{foreign}");
        }
        for nonsense in ["x", "1", "-1.0", "1.1.1", "9223372036854775808.0", &"1".repeat(5_000)] {
            assert_eq!(
                backend.follow(app, nonsense).await.err().map(|status| reason(&status)).unwrap(),
                "INVALID_FIELD"
            );
        }
    });
}

#[test]
fn what_no_token_can_be_hit_by_any_more_is_forgotten() {
    on_each_database(async |app| {
        Person::register(app, "ada@example.org").await;
        leave(app).await;
        app.advance(Duration::from_secs(3_600 + 61));
        let mut following = Backend::enrol(app, "orders").await.follow(app, "").await.unwrap();
        assert_eq!(following.snapshot().await, []);
        app.purge.run().await.unwrap();
        assert_eq!(app.rows("revocations").await, 0);
        let after = leave(app).await;
        assert_eq!(sessions(&following.changes().await), [after], "places go on where they were");
    });
}

#[test]
fn while_nothing_happens_a_follower_hears_that_all_is_well() {
    on_each_database_with(AppOptions::with("COUNTERSIGN_VERIFICATION__HEARTBEAT", "1s"), async |app| {
        let mut following = Backend::enrol(app, "orders").await.follow(app, "").await.unwrap();
        following.snapshot().await;
        let Some(Event::Heartbeat(heartbeat)) = following.next().await.unwrap() else { panic!("no heartbeat") };
        assert_eq!(heartbeat.interval_seconds, 1);
    });
}

#[test]
fn a_process_that_does_not_know_says_nothing() {
    on_each_database_with(AppOptions::with("COUNTERSIGN_VERIFICATION__HEARTBEAT", "1s"), async |app| {
        let mut following = Backend::enrol(app, "orders").await.follow(app, "").await.unwrap();
        following.snapshot().await;
        // The last look is now longer ago than the silence that may be.
        app.advance(Duration::from_secs(60));
        let silence = tokio::time::timeout(Duration::from_millis(2_500), following.next()).await;
        assert!(silence.is_err(), "{silence:?}");
        app.follow.run().await.unwrap();
        assert!(matches!(following.next().await.unwrap(), Some(Event::Heartbeat(_))));
    });
}

#[test]
fn a_follower_whose_secret_is_retired_is_shown_out() {
    on_each_database(async |app| {
        let backend = Backend::enrol(app, "orders").await;
        let mut following = backend.follow(app, "").await.unwrap();
        following.snapshot().await;
        let mut spared = Backend::enrol(app, "spared").await.follow(app, "").await.unwrap();
        spared.snapshot().await;
        let id = backend.created.id;
        app.services.retire_secret(&Origin::terminal(), id, backend.created.secret_id).await.unwrap();
        app.follow.run().await.unwrap();
        assert_eq!(reason(&following.next().await.unwrap_err()), "SESSION_ENDED");
        assert_eq!(spared.changes().await.len(), 1, "others hear of it");
    });
}

#[test]
fn a_follower_that_is_disabled_is_shown_out() {
    on_each_database(async |app| {
        let backend = Backend::enrol(app, "orders").await;
        let mut following = backend.follow(app, "").await.unwrap();
        following.snapshot().await;
        app.services.disable(&Origin::terminal(), backend.created.id).await.unwrap();
        app.follow.run().await.unwrap();
        assert_eq!(reason(&following.next().await.unwrap_err()), "SESSION_ENDED");
    });
}

#[test]
fn there_are_as_many_followers_as_there_may_be() {
    on_each_database_with(AppOptions::with("COUNTERSIGN_VERIFICATION__MAX_FOLLOWERS", "2"), async |app| {
        let backend = Backend::enrol(app, "orders").await;
        let mut one = backend.follow(app, "").await.unwrap();
        let two = backend.follow(app, "").await.unwrap();
        one.snapshot().await;
        let status = backend.follow(app, "").await.err().unwrap();
        assert_eq!(reason(&status), "OVERLOADED");
        assert!(retry_after(&status).is_some());
        drop((one, two));
        crate::support::eventually("a place to come free", async || backend.follow(app, "").await.ok().map(drop)).await;
    });
}

#[test]
fn a_snapshot_of_many_comes_in_parts_and_in_order() {
    on_each_database(async |app| {
        let many = 2_500;
        for at in 0..many {
            app.execute(&format!(
                "INSERT INTO revocations (tenant_id, kind, target, since, expires_at) SELECT id, 'session', 's{at}', \
                 1800000000000000, 1800003660000000 FROM tenants"
            ))
            .await;
        }
        let mut following = Backend::enrol(app, "orders").await.follow(app, "").await.unwrap();
        let found = sessions(&following.snapshot().await);
        assert_eq!(found, (0..many).map(|at| format!("s{at}")).collect::<Vec<_>>());
    });
}

#[test]
fn only_a_service_may_follow() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, "ada@example.org").await;
        let request = ada.asks(WatchRevocationsRequest::default());
        assert_eq!(app.verification().watch_revocations(request).await.map(drop).reason(), "CALLER_NOT_ALLOWED");
        let nobody = app.verification().watch_revocations(WatchRevocationsRequest::default()).await;
        assert_eq!(nobody.map(drop).reason(), "TOKEN_MISSING");
    });
}
