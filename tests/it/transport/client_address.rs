//! The client address of a call, as the list of sessions shows it.

use crate::support::{App, AppOptions, PASSWORD, Person, bearer, on_sqlite, on_sqlite_with};
use countersign::grpc::wire::proto::*;
use tonic::Request;

const ADA: &str = "ada@example.org";

/// Logs in with these lines of `X-Forwarded-For`, and returns the address of the session.
async fn address_of_a_login(app: &App, lines: &[&str]) -> String {
    let form = LoginRequest { identifier: ADA.to_owned(), password: PASSWORD.to_owned(), ..Default::default() };
    let mut request = Request::new(form);
    for line in lines {
        request.metadata_mut().append("x-forwarded-for", line.parse().unwrap());
    }
    let Some(login_response::Outcome::Session(session)) = app.auth().login(request).await.unwrap().into_inner().outcome
    else {
        panic!("no session");
    };
    let request = bearer(&session.access_token, ListSessionsRequest::default());
    let sessions = app.sessions().list_sessions(request).await.unwrap().into_inner().sessions;
    sessions.into_iter().find(|listed| listed.current).unwrap().address
}

#[test]
fn nobody_is_believed_who_is_not_trusted() {
    on_sqlite(async |app| {
        Person::register(app, ADA).await;
        for lines in [&[][..], &["198.51.100.7"], &["198.51.100.7, 127.0.0.1"], &["garbage"]] {
            assert_eq!(address_of_a_login(app, lines).await, "127.0.0.1", "{lines:?}");
        }
    });
}

#[test]
fn a_trusted_proxy_says_where_a_call_comes_from_and_garbage_means_the_proxy() {
    let options = AppOptions::with("COUNTERSIGN_SERVER__TRUSTED_PROXIES", "127.0.0.1, 10.0.0.0/8");
    on_sqlite_with(options, async |app| {
        Person::register(app, ADA).await;
        for (lines, expected) in [
            (&[][..], "127.0.0.1"),
            (&["198.51.100.7"], "198.51.100.7"),
            (&["203.0.113.9, 198.51.100.7, 10.1.2.3"], "198.51.100.7"),
            (&["203.0.113.9, 198.51.100.7", "10.1.2.3"], "198.51.100.7"),
            (&["[2001:db8::7]:4711"], "2001:db8::7"),
            (&["unknown"], "127.0.0.1"),
            (&["198.51.100.7, unknown"], "127.0.0.1"),
        ] {
            assert_eq!(address_of_a_login(app, lines).await, expected, "{lines:?}");
        }
    });
}
