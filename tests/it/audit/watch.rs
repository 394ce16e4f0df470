use super::write;
use crate::support::{App, OPERATOR_TOKEN, Person, Refused as _, bearer, on_each_database};
use countersign::grpc::wire::admin_proto::*;
use tonic::{Status, Streaming};

async fn watch(app: &App, cursor: &str, kind: &str) -> Result<Streaming<WatchEventsResponse>, Status> {
    let filter = Some(EventFilter { kind: kind.to_owned(), ..Default::default() });
    let question = WatchEventsRequest { cursor: cursor.to_owned(), filter };
    Ok(app.audit().watch_events(bearer(OPERATOR_TOKEN, question)).await?.into_inner())
}

async fn heard(stream: &mut Streaming<WatchEventsResponse>) -> (Vec<i64>, String) {
    let message = stream.message().await.unwrap().unwrap();
    (message.events.iter().map(|event| event.position).collect(), message.cursor)
}

#[test]
fn a_watcher_hears_what_is_sealed_and_goes_on_where_it_was() {
    on_each_database(async |app| {
        write(&app.work, 3).await;
        app.seal.seal().await.unwrap();
        let mut stream = watch(app, "", "").await.unwrap();
        assert_eq!(heard(&mut stream).await, (vec![], "3".to_owned()), "from now on");
        write(&app.work, 2).await;
        app.seal.seal().await.unwrap();
        assert_eq!(heard(&mut stream).await, (vec![4, 5], "5".to_owned()));
        drop(stream);
        write(&app.work, 1).await;
        app.seal.seal().await.unwrap();
        let mut stream = watch(app, "5", "").await.unwrap();
        assert_eq!(heard(&mut stream).await, (vec![6], "6".to_owned()));
        let mut stream = watch(app, "0", "").await.unwrap();
        assert_eq!(heard(&mut stream).await.0, [1, 2, 3, 4, 5, 6]);
    });
}

#[test]
fn a_watcher_hears_what_it_asked_for_and_its_cursor_moves_on_with_the_rest() {
    on_each_database(async |app| {
        let mut stream = watch(app, "", "logged_in").await.unwrap();
        assert_eq!(heard(&mut stream).await, (vec![], "0".to_owned()));
        Person::sign_up(app, "ada@example.org").await;
        app.seal.seal().await.unwrap();
        let written = app.rows("audit_events").await;
        let (events, cursor) = heard(&mut stream).await;
        assert_eq!((events.len(), cursor), (1, written.to_string()));
    });
}

#[test]
fn a_cursor_that_was_never_reached_is_refused_rather_than_waited_for() {
    on_each_database(async |app| {
        write(&app.work, 2).await;
        app.seal.seal().await.unwrap();
        for cursor in ["3", "9223372036854775807"] {
            assert_eq!(watch(app, cursor, "").await.map(drop).fields(), ["cursor"], "{cursor}");
        }
    });
}

#[test]
fn streams_are_bounded_in_number_and_end_when_the_service_stops() {
    on_each_database(async |app| {
        let mut streams = Vec::new();
        for _ in 0..32 {
            streams.push(watch(app, "", "").await.unwrap());
        }
        assert_eq!(watch(app, "", "").await.map(drop).reason(), "OVERLOADED");
        let mut first = streams.swap_remove(0);
        heard(&mut first).await;
        // The service does so when it stops.
        app.seal.watchers.close();
        assert!(first.message().await.unwrap().is_none());
    });
}
