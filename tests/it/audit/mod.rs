//! The audit log: how events are written, sealed, listed, watched, verified and purged.

mod command;
mod delete_me;
mod denial;
mod list;
mod retention;
mod seal;
mod upgrade;
mod watch;

use crate::support::{App, OPERATOR_TOKEN, bearer};
use countersign::{
    grpc::wire::admin_proto::*,
    usecase::{EventSubject, Origin, UnitsOfWork},
};
use countersign_domain::{
    audit::{EventKind, RecordedEvent},
    tenant::DEFAULT_TENANT,
};

/// Writes events and commits them, as a use case does.
async fn write(work: &UnitsOfWork, events: usize) {
    for number in 0..events {
        let about = EventSubject::object(&format!("event-{number}"));
        work.record(&Origin::terminal(), DEFAULT_TENANT, EventKind::KeyRotated, about).await.unwrap();
    }
}

/// Every sealed event, in the order of the chain.
async fn chain(app: &App) -> Vec<RecordedEvent> {
    countersign::store::audit::after(&app.seal.store.read(), DEFAULT_TENANT, 0, 100_000).await.unwrap()
}

/// Seals, and checks that the chain is unchanged.
async fn sound(app: &App) {
    app.seal.seal().await.unwrap();
    for summary in app.verify().await {
        assert!(summary.is_sound(), "{summary:?}");
    }
}

async fn listed(app: &App, filter: EventFilter) -> Vec<AuditEvent> {
    let question = ListEventsRequest { filter: Some(filter), ..Default::default() };
    app.audit().list_events(bearer(OPERATOR_TOKEN, question)).await.unwrap().into_inner().events
}
