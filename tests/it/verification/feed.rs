//! The feed in the database: order, gaps, replicas, restarts.

use crate::support::{App, Backend, Replica, on_each_database};
use countersign::{
    cache::{Feed, FollowerSlots},
    runtime::Clock,
    store::{Store, revocation},
    usecase::revocation::FollowRevocations,
};
use countersign_domain::{revocation::RevocationKind, tenant::DEFAULT_TENANT, time::Timestamp};
use futures_util::future::join_all;
use std::{collections::HashSet, sync::Arc};

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

/// A follower that has read nothing yet.
fn follower(app: &App, store: &Store) -> FollowRevocations {
    let (clock, _) = Clock::manual(NOW);
    let feed = Feed::new(FollowerSlots::new(10, 10));
    FollowRevocations { store: store.clone(), feed, clock, looking: Arc::default(), ..app.follow.clone() }
}

fn read(follow: &FollowRevocations) -> Vec<String> {
    follow.feed.after(0, DEFAULT_TENANT, usize::MAX).0.into_iter().map(|entry| entry.target).collect()
}

async fn append(store: &Store, target: &str) {
    let tx = store.begin().await.unwrap();
    revocation::append(&tx, DEFAULT_TENANT, RevocationKind::Session, target, NOW).await.unwrap();
    tx.commit().await.unwrap();
}

/// Two transactions write in one order and commit in the other, which is possible only on PostgreSQL.
#[test]
fn an_entry_that_commits_late_is_not_missed_by_those_who_read_on() {
    on_each_database(async |app| {
        if app.database_url.starts_with("sqlite") {
            return;
        }
        let store = app.store().await;
        let follow = follower(app, &store);
        let slow = store.begin().await.unwrap();
        revocation::append(&slow, DEFAULT_TENANT, RevocationKind::Session, "slow", NOW).await.unwrap();
        append(&store, "quick").await;
        follow.follow().await.unwrap();
        assert_eq!(read(&follow), ["quick"]);
        slow.commit().await.unwrap();
        follow.follow().await.unwrap();
        assert_eq!(read(&follow), ["quick", "slow"]);
        store.close().await;
    });
}

#[test]
fn followers_of_several_processes_read_the_same_in_the_same_order() {
    on_each_database(async |app| {
        let stores = join_all((0..4).map(|_| app.store())).await;
        let follows: Vec<_> = stores.iter().map(|store| follower(app, store)).collect();
        for round in 0..5 {
            let written = stores.iter().enumerate().map(async |(at, store)| {
                for number in 0..5 {
                    append(store, &format!("{round}-{at}-{number}")).await;
                }
            });
            let looks = follows.iter().map(async |follow| {
                for _ in 0..5 {
                    follow.follow().await.unwrap();
                }
            });
            futures_util::future::join(join_all(written), join_all(looks)).await;
        }
        let lists: Vec<_> = {
            join_all(follows.iter().map(FollowRevocations::follow)).await;
            join_all(follows.iter().map(FollowRevocations::follow)).await;
            follows.iter().map(read).collect()
        };
        assert_eq!(lists[0].len(), 100);
        assert_eq!(lists[0].iter().collect::<HashSet<_>>().len(), 100, "nothing twice");
        assert!(lists.iter().all(|list| *list == lists[0]), "{lists:#?}");
        for store in stores {
            store.close().await;
        }
    });
}

#[test]
fn a_transaction_that_is_dropped_leaves_no_place_empty() {
    on_each_database(async |app| {
        let store = app.store().await;
        let tx = store.begin().await.unwrap();
        revocation::append(&tx, DEFAULT_TENANT, RevocationKind::Session, "dropped", NOW).await.unwrap();
        drop(tx);
        append(&store, "kept").await;
        let follow = follower(app, &store);
        follow.follow().await.unwrap();
        assert_eq!(read(&follow), ["kept"]);
        assert_eq!(app.number("SELECT position FROM revocation_head").await, 1);
        store.close().await;
    });
}

#[test]
fn a_database_that_was_restored_is_read_again() {
    on_each_database(async |app| {
        let store = app.store().await;
        let follow = follower(app, &store);
        for target in ["a", "b", "c"] {
            append(&store, target).await;
        }
        follow.follow().await.unwrap();
        let before = follow.feed.state().borrow().history;
        // As after restoring a backup from before `b`.
        app.execute("DELETE FROM revocations WHERE target <> 'a'").await;
        app.execute("UPDATE revocation_head SET position = 1").await;
        // A follower that is woken before everything was read again would learn that nothing is revoked.
        let mut state = follow.feed.state();
        let told = async { (state.changed().await.unwrap(), read(&follow)).1 };
        let (ran, told) = tokio::join!(follow.follow(), told);
        ran.unwrap();
        assert_eq!((told, read(&follow)), (vec!["a".to_owned()], vec!["a".to_owned()]));
        assert_ne!(follow.feed.state().borrow().history, before);
        store.close().await;
    });
}

#[test]
fn the_feed_of_one_replica_goes_on_at_another() {
    on_each_database(async |app| {
        let backend = Backend::enrol(app, "orders").await;
        let mut following = backend.follow(app, "").await.unwrap();
        following.snapshot().await;
        let store = app.store().await;
        append(&store, "a").await;
        app.follow.follow().await.unwrap();
        following.changes().await;
        let other = Replica::start(&app.database_url, &app.data_dir, 9).await;
        append(&store, "b").await;
        let mut again = backend.follow_at(other.verification(), &following.cursor).await.unwrap();
        let heard = again.changes().await;
        assert_eq!(heard.len(), 1, "{heard:?}");
        drop(again);
        other.close().await;
        store.close().await;
    });
}

#[test]
fn a_service_that_stops_lets_its_followers_go() {
    on_each_database(async |app: &mut App| {
        let backend = Backend::enrol(app, "orders").await;
        let other = Replica::start(&app.database_url, &app.data_dir, 9).await;
        let mut following = backend.follow_at(other.verification(), "").await.unwrap();
        following.snapshot().await;
        other.close().await;
        assert_eq!(following.next().await.unwrap(), None);
    });
}

#[test]
fn a_process_that_stopped_in_the_middle_of_placing_holds_nobody_up_for_long() {
    on_each_database(async |app| {
        if !app.database_url.starts_with("postgres") {
            // SQLite has one file on one machine: all processes stop with it.
            return;
        }
        let (stopped, store) = (app.store().await, app.store().await);
        append(&store, "a").await;
        let tx = stopped.begin().await.unwrap();
        revocation::place(&tx).await.unwrap();
        let follow = follower(app, &store);
        tokio::time::timeout(std::time::Duration::from_secs(25), follow.follow())
            .await
            .expect("the lock is gone")
            .unwrap();
        assert_eq!(read(&follow), ["a"]);
        assert!(tx.commit().await.is_err(), "whoever wakes up too late has placed nothing");
    });
}
