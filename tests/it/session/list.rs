use crate::support::{App, PASSWORD, Person, Refused as _, on_each_database};
use countersign::grpc::wire::proto::*;
use std::time::Duration;

async fn page(app: &App, person: &Person, page_size: i32, page_token: &str) -> ListSessionsResponse {
    let asked = ListSessionsRequest { page_size, page_token: page_token.to_owned() };
    app.sessions().list_sessions(person.asks(asked)).await.unwrap().into_inner()
}

/// The ids of the sessions of one person; the first is that of `person`.
async fn many(app: &App, person: &Person, more: usize) -> Vec<String> {
    let mut ids = vec![person.session.session_id.clone()];
    for _ in 0..more {
        app.advance(Duration::from_secs(1));
        ids.push(app.log_in(&person.email, PASSWORD).await.unwrap().session_id);
    }
    ids
}

#[test]
fn sessions_are_listed_page_by_page_with_the_newest_first() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, "ada@example.org").await;
        let eve = Person::sign_up(app, "eve@example.org").await;
        let mut expected = many(app, &ada, 6).await;
        many(app, &eve, 2).await;
        expected.reverse();

        let (mut listed, mut token, mut pages) = (Vec::new(), String::new(), 0);
        loop {
            let next = page(app, &ada, 3, &token).await;
            assert!(next.sessions.len() <= 3);
            listed.extend(next.sessions);
            (token, pages) = (next.next_page_token, pages + 1);
            if token.is_empty() {
                break;
            }
        }
        assert_eq!(pages, 3);
        assert_eq!(listed.iter().map(|session| session.session_id.clone()).collect::<Vec<_>>(), expected);
        let current: Vec<_> = listed.iter().filter(|session| session.current).collect();
        assert_eq!(current.len(), 1);
        assert_eq!(current[0].session_id, ada.session.session_id);

        let whole = page(app, &ada, 7, "").await;
        assert_eq!((whole.sessions.len(), whole.next_page_token.as_str()), (7, ""));
        assert_eq!(page(app, &ada, 0, "").await.sessions.len(), 7);
    });
}

#[test]
fn a_page_token_out_of_another_account_shows_none_of_its_sessions() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, "ada@example.org").await;
        let eve = Person::sign_up(app, "eve@example.org").await;
        let of_eve = many(app, &eve, 3).await;
        let listed = page(app, &ada, 10, of_eve.last().unwrap()).await.sessions;
        assert_eq!(listed.len(), 1);
        assert_eq!(listed[0].session_id, ada.session.session_id);
    });
}

#[test]
fn a_listed_session_tells_where_and_when_it_was_opened() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, "ada@example.org").await;
        app.advance(Duration::from_secs(60));
        let refreshed = app.refresh(&ada.session.refresh_token).await.unwrap();
        let listed = page(app, &ada, 0, "").await.sessions.remove(0);
        assert_eq!(listed.address, "127.0.0.1");
        assert!(listed.user_agent.starts_with("tonic/"), "{}", listed.user_agent);
        assert_eq!(listed.refresh_time.unwrap().seconds, listed.create_time.unwrap().seconds + 60);
        assert_eq!(listed.expire_time, refreshed.refresh_expire_time);
    });
}

#[test]
fn ended_sessions_are_not_listed() {
    on_each_database(async |app| {
        let idle = Person::sign_up(app, "ada@example.org").await;
        app.advance(Duration::from_secs(14 * 24 * 60 * 60));
        let ended = app.log_in(&idle.email, PASSWORD).await.unwrap();
        let leave = LogoutRequest { refresh_token: ended.refresh_token, ..Default::default() };
        app.auth().logout(leave).await.unwrap();
        let ada = Person { email: idle.email, session: app.log_in("ada@example.org", PASSWORD).await.unwrap() };
        let listed = page(app, &ada, 0, "").await.sessions;
        assert_eq!(listed.len(), 1);
        assert!(listed[0].current);
    });
}

#[test]
fn a_page_that_cannot_be_is_refused() {
    on_each_database(async |app| {
        let ada = Person::sign_up(app, "ada@example.org").await;
        for (page_size, page_token, field) in
            [(-1, "", "page_size"), (i32::MIN, "", "page_size"), (1, "x'--", "page_token")]
        {
            let asked = ListSessionsRequest { page_size, page_token: page_token.to_owned() };
            assert_eq!(app.sessions().list_sessions(ada.asks(asked)).await.fields(), [field]);
        }
    });
}
