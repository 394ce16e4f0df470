//! Which signals a transaction sends, and when: no code that writes such a row can forget its signal.

use crate::support::{App, on_each_database};
use countersign::{
    store::{SignalListener, revocation},
    usecase::{EventSubject, Mail, Origin, UnitsOfWork, audit::SealEvents},
};
use countersign_domain::{
    audit::EventKind, email::EmailAddress, locale::Locale, mail::MailTemplate, revocation::RevocationKind,
    signal::Signal, tenant::DEFAULT_TENANT,
};
use std::{
    mem,
    sync::{Arc, Mutex},
};

#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<Signal>>>);

impl Told {
    /// The signals since the last call.
    fn take(&self) -> Vec<Signal> {
        mem::take(&mut self.0.lock().unwrap())
    }

    fn listener(&self) -> SignalListener {
        let told = self.0.clone();
        SignalListener::new(move |signal| told.lock().unwrap().push(signal))
    }
}

async fn work(app: &App, told: &Told) -> UnitsOfWork {
    UnitsOfWork { store: app.store_telling(told.listener()).await, ..app.work.clone() }
}

fn mail() -> Mail {
    let recipient = EmailAddress::parse("ada@example.org").unwrap();
    Mail::new(MailTemplate::ResetPassword, Locale::English, recipient)
}

#[test]
fn a_signal_is_sent_once_its_row_is_committed_and_not_before() {
    on_each_database(async |app| {
        let (told, origin) = (Told::default(), Origin::terminal());
        let work = work(app, &told).await;
        let unit = work.begin(&origin, DEFAULT_TENANT).await.unwrap();
        unit.queue_mail(mail()).await.unwrap();
        unit.queue_mail(mail()).await.unwrap();
        unit.record(EventKind::KeyRotated, EventSubject::object("a")).await.unwrap();
        assert_eq!(told.take(), []);
        unit.commit().await.unwrap();
        assert_eq!(told.take(), [Signal::MailQueued, Signal::EventRecorded]);

        let unit = work.begin(&origin, DEFAULT_TENANT).await.unwrap();
        unit.announce_keys().await.unwrap();
        unit.commit().await.unwrap();
        assert_eq!(told.take(), [Signal::Revoked, Signal::KeysChanged]);

        let unit = work.begin(&origin, DEFAULT_TENANT).await.unwrap();
        revocation::append(unit.db(), DEFAULT_TENANT, RevocationKind::Session, "s", unit.now()).await.unwrap();
        unit.commit().await.unwrap();
        assert_eq!(told.take(), [Signal::Revoked]);

        let unit = work.begin(&origin, DEFAULT_TENANT).await.unwrap();
        revocation::place(unit.db()).await.unwrap();
        unit.commit().await.unwrap();
        assert_eq!(told.take(), [Signal::FeedGrown]);

        SealEvents { store: work.store.clone(), ..app.seal.clone() }.seal().await.unwrap();
        assert_eq!(told.take(), [Signal::EventsSealed]);
        SealEvents { store: work.store.clone(), ..app.seal.clone() }.seal().await.unwrap();
        assert_eq!(told.take(), [], "there was nothing left to seal");
    });
}

#[test]
fn a_write_of_its_own_sends_its_signal_at_once_and_a_rolled_back_one_sends_none() {
    on_each_database(async |app| {
        let (told, origin) = (Told::default(), Origin::terminal());
        let work = work(app, &told).await;
        work.record(&origin, DEFAULT_TENANT, EventKind::KeyRotated, EventSubject::object("a")).await.unwrap();
        assert_eq!(told.take(), [Signal::EventRecorded]);
        let unit = work.begin(&origin, DEFAULT_TENANT).await.unwrap();
        unit.queue_mail(mail()).await.unwrap();
        unit.announce_keys().await.unwrap();
        drop(unit);
        assert_eq!(told.take(), []);
    });
}
