use super::{listed, write};
use crate::support::{OPERATOR_TOKEN, Person, Refused as _, bearer, on_each_database, on_each_database_with};
use crate::transport::profile::production;
use countersign::grpc::wire::admin_proto::*;
use std::{collections::BTreeSet, time::Duration};

fn ask(page_size: i32, page_token: &str) -> tonic::Request<ListEventsRequest> {
    bearer(OPERATOR_TOKEN, ListEventsRequest { page_size, page_token: page_token.to_owned(), filter: None })
}

#[test]
fn pages_follow_each_other_without_gaps_newest_first() {
    on_each_database(async |app| {
        // All at one instant, so that only their ids tell them apart.
        write(&app.work, 25).await;
        app.seal.seal().await.unwrap();
        let (mut seen, mut token) = (Vec::new(), String::new());
        loop {
            let page = app.audit().list_events(ask(10, &token)).await.unwrap().into_inner();
            assert!(page.events.len() <= 10);
            seen.extend(page.events);
            // Events that are written meanwhile appear on no later page.
            app.advance(Duration::from_secs(1));
            write(&app.work, 1).await;
            token = page.next_page_token;
            if token.is_empty() {
                break;
            }
        }
        let positions: BTreeSet<_> = seen.iter().map(|event| event.position).collect();
        assert_eq!((seen.len(), positions), (25, (1..=25).collect()));
    });
}

#[test]
fn an_event_says_who_whom_what_outcome_reason_address_agent_request_and_time() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, "ada@example.org").await;
        let refused = app.log_in(&ada.email, "not her password at all").await.unwrap_err();
        let request_id = crate::support::details(&refused).request_info().unwrap().request_id.clone();
        let account = ada.session.account.unwrap().account_id;
        app.seal.seal().await.unwrap();
        let filter = EventFilter { kind: "login_refused".to_owned(), ..Default::default() };
        let [event] = &listed(app, filter).await[..] else { panic!("there is one refused login") };
        assert_eq!((event.outcome(), event.reason.as_str()), (EventOutcome::Refused, "CREDENTIALS_INVALID"));
        assert_eq!((event.account_id.as_str(), event.actor_id.as_str()), (account.as_str(), ""));
        assert_eq!((event.address.as_str(), &event.request_id), ("127.0.0.1", &request_id));
        assert!(event.user_agent.starts_with("tonic/") && event.position > 0 && event.link.len() == 64, "{event:?}");
        assert_eq!(event.event_time.as_ref().unwrap().seconds, 1_800_000_000);
        let own = EventFilter { account_id: account.clone(), outcome: EventOutcome::Ok.into(), ..Default::default() };
        let kinds: BTreeSet<_> = listed(app, own).await.into_iter().map(|event| event.kind).collect();
        assert_eq!(kinds, ["address_verified", "logged_in"].map(str::to_owned).into());
        let later = prost_types::Timestamp { seconds: 1_800_000_001, nanos: 0 };
        let since = EventFilter { start_time: Some(later), ..Default::default() };
        let until = EventFilter { end_time: Some(later), ..Default::default() };
        assert_eq!((listed(app, since).await.len(), listed(app, until).await.len()), (0, 4));
    });
}

#[test]
fn what_nobody_can_mean_is_refused_by_field() {
    on_each_database(async |app| {
        write(&app.work, 1).await;
        for size in [-1, i32::MIN] {
            assert_eq!(app.audit().list_events(ask(size, "")).await.fields(), ["page_size"], "{size}");
        }
        for token in
            ["x", "1", "1.2", "-1.x", &"9".repeat(60_000), "\u{202e}", "0x1.00000000-0000-7000-8000-000000000001"]
        {
            assert_eq!(app.audit().list_events(ask(1, token)).await.fields(), ["page_token"], "{token:.80}");
        }
        let long = "x".repeat(20_000);
        let far = prost_types::Timestamp { seconds: i64::MAX, nanos: -1 };
        let filter = EventFilter {
            kind: long.clone(),
            account_id: long.clone(),
            outcome: 77,
            start_time: Some(far),
            end_time: Some(far),
        };
        let question = ListEventsRequest { filter: Some(filter.clone()), ..Default::default() };
        let fields = app.audit().list_events(bearer(OPERATOR_TOKEN, question)).await.fields();
        let wrong = ["filter.kind", "filter.account_id", "filter.outcome", "filter.start_time", "filter.end_time"];
        assert_eq!(fields, wrong);
        let question = WatchEventsRequest { cursor: "-1".to_owned(), filter: Some(filter) };
        let fields = app.audit().watch_events(bearer(OPERATOR_TOKEN, question)).await.map(drop).fields();
        assert_eq!(fields[0], "cursor");
        assert_eq!(fields[1..], wrong);
    });
}

#[test]
fn a_call_is_about_the_tenant_that_it_names() {
    on_each_database(async |app| {
        write(&app.work, 2).await;
        let mut question = ask(0, "");
        question.metadata_mut().insert("x-countersign-tenant", "default".parse().unwrap());
        assert_eq!(app.audit().list_events(question).await.unwrap().into_inner().events.len(), 2);
        let mut question = ask(0, "");
        question.metadata_mut().insert("x-countersign-tenant", "nobodys".parse().unwrap());
        assert_eq!(app.audit().list_events(question).await.reason(), "TENANT_UNKNOWN");
    });
}

#[test]
fn in_production_without_a_token_nobody_is_an_operator() {
    on_each_database_with(production().without("COUNTERSIGN_ADMIN__TOKEN"), async |app| {
        for token in ["", OPERATOR_TOKEN, "Bearer"] {
            let question = bearer(token, ListEventsRequest::default());
            assert_eq!(app.audit().list_events(question).await.reason(), "CALLER_NOT_ALLOWED");
        }
        let bare = app.audit().list_events(ListEventsRequest::default()).await;
        assert_eq!(bare.reason(), "CALLER_NOT_ALLOWED");
        assert!(!app.data_dir.join("admin-token").exists(), "production makes up no token");
    });
}
