use crate::support::on_each_database;
use countersign::store::{
    Store,
    outbox::{self, MailOutcome, OutboxMail},
};
use countersign_domain::{
    email::EmailAddress, id::MailId, locale::Locale, mail::MailTemplate, tenant::DEFAULT_TENANT, time::Timestamp,
};
use futures_util::future::join_all;
use std::{collections::BTreeMap, time::Duration};

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);
const LEASE: Duration = Duration::from_secs(60);
const CLAIMERS: usize = 16;

async fn enqueue(store: &Store, count: u8) -> Vec<MailId> {
    let mut ids = Vec::new();
    for at in 0..count {
        let mail = OutboxMail {
            id: MailId::new(NOW, [at; 10]),
            tenant: DEFAULT_TENANT,
            template: MailTemplate::PasswordChanged,
            locale: Locale::English,
            recipient: EmailAddress::parse("ada@example.org").unwrap(),
            subject: None,
            details: BTreeMap::new(),
            created_at: NOW,
            attempts: 0,
        };
        outbox::enqueue(&store.write(), DEFAULT_TENANT, &mail).await.unwrap();
        ids.push(mail.id);
    }
    ids.sort();
    ids
}

async fn claim(store: &Store, now: Timestamp, limit: u64) -> Vec<MailId> {
    let claimed = outbox::claim(&store.write(), now, LEASE, limit).await.unwrap();
    claimed.into_iter().map(|mail| mail.unwrap().id).collect()
}

/// Finishes every mail, so that none is left behind.
async fn finish(store: &Store, ids: &[MailId]) {
    for id in ids {
        outbox::finish(&store.write(), DEFAULT_TENANT, *id, MailOutcome::Sent, None, NOW).await.unwrap();
    }
}

#[test]
fn sixteen_senders_at_once_get_each_mail_once() {
    on_each_database(async |app| {
        let stores = join_all((0..CLAIMERS).map(|_| app.store())).await;
        let ids = enqueue(&stores[0], 100).await;
        let rounds = stores.iter().map(async |store| {
            let mut mine = Vec::new();
            loop {
                let claimed = claim(store, NOW, 3).await;
                if claimed.is_empty() {
                    return mine;
                }
                assert!(claimed.len() <= 3, "more than was asked for");
                mine.extend(claimed);
            }
        });
        let mut claimed = join_all(rounds).await.concat();
        // A worker that found every due mail locked has stopped early; the rest is free now.
        claimed.extend(claim(&stores[0], NOW, 100).await);
        claimed.sort();
        assert_eq!(claimed, ids, "each mail to one sender, and none forgotten");
        assert_eq!(app.number("SELECT CAST(max(attempts) AS BIGINT) FROM outbox").await, 1);
        finish(&stores[0], &ids).await;
    });
}

#[test]
fn a_mail_whose_sender_died_is_free_again_when_its_lease_has_expired() {
    on_each_database(async |app| {
        let store = app.store().await;
        let ids = enqueue(&store, 1).await;
        assert_eq!(claim(&store, NOW, 10).await, ids);
        assert_eq!(claim(&store, NOW.plus(LEASE - Duration::from_micros(1)), 10).await, []);
        assert_eq!(claim(&store, NOW.plus(LEASE), 10).await, ids);
        assert_eq!(app.number("SELECT CAST(attempts AS BIGINT) FROM outbox").await, 2);
        finish(&store, &ids).await;
        assert_eq!(claim(&store, NOW.plus(LEASE * 10), 10).await, [], "what was sent is not sent again");
    });
}

#[test]
fn a_mail_that_is_put_off_is_not_due_before() {
    on_each_database(async |app| {
        let store = app.store().await;
        let ids = enqueue(&store, 1).await;
        assert_eq!(claim(&store, NOW, 10).await, ids);
        let later = NOW.plus(Duration::from_secs(300));
        outbox::postpone(&store.write(), DEFAULT_TENANT, ids[0], later, "refused").await.unwrap();
        assert_eq!(claim(&store, NOW.plus(LEASE * 2), 10).await, []);
        assert_eq!(claim(&store, later, 10).await, ids);
        finish(&store, &ids).await;
    });
}
