use crate::support::{
    App, AppOptions, Backend, Following, PASSWORD, Person, Refused as _, on_each_database, on_each_database_with,
    reason, retry_after,
};
use countersign::{
    grpc::wire::proto::{verification_service_client::VerificationServiceClient, watch_revocations_response::Event, *},
    usecase::Origin,
};
use countersign_domain::{
    key::{KeyPurpose, KeySlot},
    revocation::REVOCATION_LIFE,
};
use std::time::Duration;
use tonic::transport::Endpoint;

async fn leave(app: &App) -> String {
    let session = app.log_in("ada@example.org", PASSWORD).await.unwrap();
    let leaving = LogoutRequest { refresh_token: session.refresh_token, ..Default::default() };
    app.auth().logout(leaving).await.unwrap();
    app.follow.follow().await.unwrap();
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
        app.advance(REVOCATION_LIFE + Duration::from_secs(1));
        let mut following = Backend::enrol(app, "orders").await.follow(app, "").await.unwrap();
        assert_eq!(following.snapshot().await, []);
        app.purge.purge().await.unwrap();
        assert_eq!(app.rows("revocations").await, 0);
        let after = leave(app).await;
        assert_eq!(sessions(&following.changes().await), [after], "places go on where they were");
    });
}

/// The next event, while the process reads the database repeatedly.
async fn next_while_looking(app: &App, following: &mut Following) -> Option<Event> {
    let looking = async {
        loop {
            app.follow.follow().await.unwrap();
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::select! {
        next = following.next() => next.unwrap(),
        () = looking => unreachable!(),
    }
}

#[test]
fn while_nothing_happens_a_follower_hears_that_all_is_well() {
    on_each_database_with(AppOptions::with("COUNTERSIGN_VERIFICATION__HEARTBEAT", "1s"), async |app| {
        let mut following = Backend::enrol(app, "orders").await.follow(app, "").await.unwrap();
        following.snapshot().await;
        let Some(Event::Heartbeat(heartbeat)) = next_while_looking(app, &mut following).await else {
            panic!("no heartbeat")
        };
        assert_eq!(heartbeat.interval_seconds, 1);
    });
}

#[test]
fn a_follower_that_goes_on_where_it_was_hears_at_once_that_it_is_heard() {
    on_each_database_with(AppOptions::with("COUNTERSIGN_VERIFICATION__HEARTBEAT", "15s"), async |app| {
        Person::register(app, "ada@example.org").await;
        leave(app).await;
        let backend = Backend::enrol(app, "orders").await;
        let mut following = backend.follow(app, "").await.unwrap();
        following.snapshot().await;
        let mut again = backend.follow(app, &following.cursor).await.unwrap();
        let first = tokio::time::timeout(Duration::from_secs(10), again.next()).await.expect("within a heartbeat");
        assert!(matches!(first.unwrap(), Some(Event::Heartbeat(_))));
    });
}

#[test]
fn a_process_that_does_not_know_says_nothing() {
    on_each_database_with(AppOptions::with("COUNTERSIGN_VERIFICATION__HEARTBEAT", "1s"), async |app| {
        let mut following = Backend::enrol(app, "orders").await.follow(app, "").await.unwrap();
        following.snapshot().await;
        // No process reads the database. The system clock makes no difference.
        let silence = tokio::time::timeout(Duration::from_millis(3_500), following.next()).await;
        assert!(silence.is_err(), "{silence:?}");
        assert!(matches!(next_while_looking(app, &mut following).await, Some(Event::Heartbeat(_))));
    });
}

#[test]
fn a_follower_whose_secret_is_retired_is_disconnected() {
    on_each_database(async |app| {
        let backend = Backend::enrol(app, "orders").await;
        let mut following = backend.follow(app, "").await.unwrap();
        following.snapshot().await;
        let mut spared = Backend::enrol(app, "spared").await.follow(app, "").await.unwrap();
        spared.snapshot().await;
        let id = backend.created.id;
        app.operations.retire_service_secret.retire(&Origin::terminal(), id, backend.created.secret_id).await.unwrap();
        app.follow.follow().await.unwrap();
        assert_eq!(following.changes().await.len(), 1, "it hears of it before it goes");
        assert_eq!(reason(&following.next().await.unwrap_err()), "SESSION_ENDED");
        assert_eq!(spared.changes().await.len(), 1, "others hear of it");
    });
}

#[test]
fn a_follower_that_is_disabled_is_disconnected() {
    on_each_database(async |app| {
        let backend = Backend::enrol(app, "orders").await;
        let mut following = backend.follow(app, "").await.unwrap();
        following.snapshot().await;
        app.operations.disable_service.disable(&Origin::terminal(), backend.created.id).await.unwrap();
        app.follow.follow().await.unwrap();
        assert_eq!(following.changes().await.len(), 1);
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
fn one_service_does_not_take_the_slots_of_the_others() {
    let options = AppOptions::with("COUNTERSIGN_VERIFICATION__MAX_FOLLOWERS_PER_SERVICE", "1");
    on_each_database_with(options, async |app| {
        let (greedy, modest) = (Backend::enrol(app, "greedy").await, Backend::enrol(app, "modest").await);
        let _first = greedy.follow(app, "").await.unwrap();
        assert_eq!(greedy.follow(app, "").await.map(drop).reason(), "OVERLOADED");
        modest.follow(app, "").await.unwrap().snapshot().await;
    });
}

#[test]
fn a_follower_that_reads_no_more_gives_up_its_slot() {
    let options = AppOptions::with("COUNTERSIGN_VERIFICATION__MAX_FOLLOWERS_PER_SERVICE", "1")
        .and("COUNTERSIGN_VERIFICATION__HEARTBEAT", "1s");
    on_each_database_with(options, async |app| {
        if app.database_url.starts_with("postgres") {
            // The test takes half a minute, and does not depend on the database.
            return;
        }
        let backend = Backend::enrol(app, "orders").await;
        let endpoint = Endpoint::from_shared(format!("http://{}", app.address)).unwrap();
        // The service may not send it one byte of an answer, and so waits with everything after it.
        let deaf = endpoint.initial_stream_window_size(0).connect().await.unwrap();
        let _following = backend.follow_at(VerificationServiceClient::new(deaf), "").await.unwrap();
        assert_eq!(backend.follow(app, "").await.map(drop).reason(), "OVERLOADED");
        let free = async {
            while backend.follow(app, "").await.is_err() {
                app.follow.follow().await.unwrap();
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(90), free).await.expect("the place is free again");
    });
}

#[test]
fn whoever_hears_that_keys_changed_finds_them_changed() {
    on_each_database(async |app| {
        let backend = Backend::enrol(app, "orders").await;
        let mut following = backend.follow(app, "").await.unwrap();
        following.snapshot().await;
        // Another process rotates: this one has not loaded its keys again.
        let slot = KeySlot::shared(KeyPurpose::AccessSigning);
        let retiring = app.key_operations.rotate.now(&Origin::terminal(), &slot).await.unwrap().unwrap();
        app.follow.follow().await.unwrap();
        let changes = following.changes().await;
        assert!(matches!(changes[0].target, Some(revocation::Target::KeySet(_))), "{changes:?}");
        let request = backend.asks(GetVerificationKeysRequest { audience: "default".to_owned() });
        let keys = app.verification().get_verification_keys(request).await.unwrap().into_inner().signing_keys;
        assert_eq!(keys.len(), 3, "{retiring}: {keys:?}");
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
