//! A session whose tokens somebody else uses than the one who opened it, before anybody reuses a token.

use crate::support::{App, AppOptions, Client, Jar, PASSWORD, Person, Refused as _, on_each_database_with, reason};
use countersign::grpc::wire::proto::*;

const ADA: &str = "ada@example.org";
const HOME: &str = "192.0.2.1";
const AWAY: &str = "198.51.100.7";
const APP: &str = "app/1.0";
const OTHER: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0";

fn policy(on_client_change: &str) -> AppOptions {
    AppOptions::with("COUNTERSIGN_SERVER__TRUSTED_PROXIES", "127.0.0.1")
        .and("COUNTERSIGN_RISK__ON_CLIENT_CHANGE", on_client_change)
}

async fn changes(app: &App) -> i64 {
    app.number("SELECT count(*) FROM audit_events WHERE kind = 'client_changed'").await
}

async fn mails(app: &App, subject: &str) -> usize {
    app.mails_to(ADA).await.iter().filter(|mail| mail.subject.contains(subject)).count()
}

const MOVED: &str = "A signed-in device";
const SIGNED_OUT: &str = "signed out a device";

async fn opened(app: &App) -> Session {
    Person::register(app, ADA).await;
    Client::in_network(app, APP, HOME).await.log_in_on(ADA, PASSWORD, "").await.0
}

#[test]
fn a_very_different_client_is_noted_once_and_goes_on() {
    on_each_database_with(policy("audit"), async |app| {
        let session = opened(app).await;
        let thief = Client::in_network(app, OTHER, AWAY).await;
        let session = thief.refresh(&session.refresh_token).await.unwrap();
        assert_eq!(changes(app).await, 1);
        thief.refresh(&session.refresh_token).await.unwrap();
        assert_eq!((changes(app).await, mails(app, MOVED).await), (1, 0), "once for each client");
    });
}

#[test]
fn its_owner_gets_a_mail_where_the_operator_wants_it() {
    on_each_database_with(policy("mail"), async |app| {
        let session = opened(app).await;
        Client::in_network(app, OTHER, AWAY).await.refresh(&session.refresh_token).await.unwrap();
        assert_eq!((changes(app).await, mails(app, MOVED).await), (1, 1));
        let mails = app.mails_to(ADA).await;
        let text = &mails.iter().find(|mail| mail.subject.contains(MOVED)).unwrap().text;
        assert!(text.contains("Firefox (Linux)") && text.contains(AWAY), "{text}");
    });
}

#[test]
fn a_challenged_client_has_to_log_in_and_the_session_goes_on_where_it_was() {
    on_each_database_with(policy("reauthenticate"), async |app| {
        let session = opened(app).await;
        let (owner, thief) = (Client::in_network(app, APP, HOME).await, Client::in_network(app, OTHER, AWAY).await);
        for _ in 0..3 {
            assert_eq!(reason(&thief.refresh(&session.refresh_token).await.unwrap_err()), "REAUTHENTICATION_REQUIRED");
        }
        let session = owner.refresh(&session.refresh_token).await.unwrap();
        app.me(&session).await.unwrap();
        assert_eq!(changes(app).await, 0, "it changed nothing");
        let refused = "SELECT count(*) FROM audit_events WHERE reason = 'REAUTHENTICATION_REQUIRED'";
        assert_eq!(app.number(refused).await, 3);
        // An ended session is refused for its end first.
        app.execute("UPDATE sessions SET ended_at = 1").await;
        assert_eq!(reason(&thief.refresh(&session.refresh_token).await.unwrap_err()), "SESSION_ENDED");
    });
}

#[test]
fn a_session_ends_with_its_device_where_the_operator_wants_it() {
    on_each_database_with(policy("end_session"), async |app| {
        let session = opened(app).await;
        let (owner, thief) = (Client::in_network(app, APP, HOME).await, Client::in_network(app, OTHER, AWAY).await);
        assert_eq!(reason(&thief.refresh(&session.refresh_token).await.unwrap_err()), "SESSION_ENDED");
        assert_eq!(app.me(&session).await.reason(), "SESSION_ENDED");
        assert_eq!(reason(&owner.refresh(&session.refresh_token).await.unwrap_err()), "SESSION_ENDED");
        assert_eq!((changes(app).await, mails(app, SIGNED_OUT).await, app.rows("devices").await), (1, 1, 0));
        assert_eq!(app.number("SELECT count(*) FROM sessions WHERE end_reason = 'client_changed'").await, 1);
    });
}

#[test]
fn a_phone_that_changes_its_address_is_never_a_mismatch() {
    for on_client_change in ["audit", "end_session"] {
        on_each_database_with(policy(on_client_change), async |app| {
            let mut session = opened(app).await;
            for address in [AWAY, "203.0.113.9", "2001:db8::1", HOME] {
                session = Client::in_network(app, APP, address).await.refresh(&session.refresh_token).await.unwrap();
            }
            session = Client::in_network(app, "app/2.0", AWAY).await.refresh(&session.refresh_token).await.unwrap();
            Client::in_network(app, OTHER, HOME).await.refresh(&session.refresh_token).await.unwrap();
            assert_eq!(changes(app).await, 0);
        });
    }
}

#[test]
fn a_cookie_without_that_of_its_device_in_another_network_is_a_mismatch() {
    on_each_database_with(policy("end_session"), async |app| {
        Person::register(app, ADA).await;
        let (owner, thief) = (Jar::default(), Jar::default());
        let from = |address: &'static str| [("x-forwarded-for", address)];
        let login = crate::support::jar::login(ADA);
        owner.keep(&owner.ask_with(app, "AuthService/Login", &login, &from(HOME)).await);
        thief.put(crate::support::jar::REFRESH, &owner.value(crate::support::jar::REFRESH));

        // The owner leaves the house, for another network.
        let answer = owner.ask_with(app, "AuthService/Refresh", &RefreshRequest::default(), &from(AWAY)).await;
        crate::support::jar::read::<RefreshResponse>(&answer).unwrap();
        assert_eq!(changes(app).await, 0);
        let answer = thief.ask_with(app, "AuthService/Refresh", &RefreshRequest::default(), &from(AWAY)).await;
        assert_eq!(reason(&answer.rpc_status()), "SESSION_ENDED");
        assert_eq!(changes(app).await, 1);
    });
}

#[test]
fn a_token_out_of_a_cookie_misses_its_device_by_whatever_way_it_comes_back() {
    on_each_database_with(policy("end_session"), async |app| {
        Person::register(app, ADA).await;
        let owner = Jar::default();
        let login = crate::support::jar::login(ADA);
        owner.keep(&owner.ask_with(app, "AuthService/Login", &login, &[("x-forwarded-for", HOME)]).await);
        let session = Session { refresh_token: owner.value(crate::support::jar::REFRESH), ..Default::default() };
        // The same program by its user agent, in another network, and no browser.
        let thief = Client::in_network(app, "", AWAY).await;
        assert_eq!(reason(&thief.refresh(&session.refresh_token).await.unwrap_err()), "SESSION_ENDED");
        assert_eq!(changes(app).await, 1);
    });
}

#[test]
fn a_client_that_comes_and_goes_buries_no_mail() {
    let options = policy("mail").and("COUNTERSIGN_LIMITS__PERCENT", "100");
    on_each_database_with(options, async |app| {
        let mut session = opened(app).await;
        for turn in 0..10 {
            let (program, address) = if turn % 2 == 0 { (OTHER, AWAY) } else { (APP, HOME) };
            session = Client::in_network(app, program, address).await.refresh(&session.refresh_token).await.unwrap();
        }
        assert_eq!((changes(app).await, mails(app, MOVED).await), (10, 4));
    });
}
