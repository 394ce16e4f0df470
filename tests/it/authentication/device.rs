//! Which logins are notified as new, and who gets the mail.

use crate::support::{App, AppOptions, Client, PASSWORD, Person, on_each_database_with, places};
use countersign::{grpc::wire::proto::*, mail::StoredMail};
use std::{net::Ipv4Addr, time::Duration};
use tempfile::TempDir;

const ADA: &str = "ada@example.org";
const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0";
const SUBJECT: &str = "A new sign-in";
const HOME: &str = "192.0.2.1";
const AWAY: &str = "198.51.100.7";

fn behind_a_proxy() -> AppOptions {
    AppOptions::with("COUNTERSIGN_SERVER__TRUSTED_PROXIES", "127.0.0.1")
}

async fn news(app: &App) -> Vec<StoredMail> {
    app.mails_to(ADA).await.into_iter().filter(|mail| mail.subject.contains(SUBJECT)).collect()
}

async fn told(app: &App) -> usize {
    news(app).await.len()
}

async fn events(app: &App, kind: &str) -> i64 {
    app.number(&format!("SELECT count(*) FROM audit_events WHERE kind = '{kind}' AND outcome = 'ok'")).await
}

#[test]
fn a_login_from_a_new_device_is_notified_and_one_from_a_recognized_device_is_not() {
    on_each_database_with(behind_a_proxy(), async |app| {
        Person::register(app, ADA).await;
        let (home, away) =
            (Client::in_network(app, "app/1.0", HOME).await, Client::in_network(app, FIREFOX, AWAY).await);
        let (_, phone) = home.log_in_on(ADA, PASSWORD, "").await;
        assert_eq!((told(app).await, events(app, "new_device_seen").await), (0, 0), "the first is no news");

        let (_, laptop) = away.log_in_on(ADA, PASSWORD, "").await;
        assert_eq!((told(app).await, events(app, "new_device_seen").await), (1, 1));
        let mail = news(app).await.remove(0);
        for part in ["Firefox (Linux)", AWAY, "set a new one at once"] {
            assert!(mail.text.to_lowercase().contains(&part.to_lowercase()), "{part} is not in {}", mail.text);
        }
        assert_ne!(laptop, phone);
        away.log_in_on(ADA, PASSWORD, &phone).await;
        home.log_in_on(ADA, PASSWORD, &laptop).await;
        // A device that keeps no token and has the user agent and address of a former one.
        home.log_in_on(ADA, PASSWORD, "").await;
        assert_eq!((told(app).await, events(app, "new_device_seen").await), (1, 1));
    });
}

#[test]
fn a_wrong_password_notifies_nobody() {
    on_each_database_with(behind_a_proxy(), async |app| {
        Person::sign_up(app, ADA).await;
        let form = LoginRequest { identifier: ADA.to_owned(), password: "wrong".to_owned(), ..Default::default() };
        app.auth().login(form).await.unwrap_err();
        assert_eq!(told(app).await, 0);
    });
}

#[test]
fn nobody_can_use_up_the_mails_that_would_tell_of_him() {
    let options = behind_a_proxy().and("COUNTERSIGN_LIMITS__PERCENT", "100");
    on_each_database_with(options, async |app| {
        Person::register(app, ADA).await;
        Client::in_network(app, "app/1.0", HOME).await.log_in_on(ADA, PASSWORD, "").await;
        let mut refused = 0;
        for _ in 0..20 {
            let form = RequestResetRequest { email: ADA.to_owned(), ..Default::default() };
            refused += usize::from(app.account().request_reset(form).await.is_err());
        }
        assert!(refused > 0, "no more mails may be asked for");
        Client::in_network(app, FIREFOX, AWAY).await.log_in_on(ADA, PASSWORD, "").await;
        assert_eq!(told(app).await, 1);
    });
}

#[test]
fn a_session_says_where_it_was_opened_and_a_new_country_is_notified() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("countries.mmdb");
    let (home, away) = (Ipv4Addr::new(192, 0, 2, 0), Ipv4Addr::new(198, 51, 100, 0));
    places::write(&file, &[(home, 24, "DE"), (away, 24, "BR")]);
    let options = behind_a_proxy().and("COUNTERSIGN_RISK__GEOIP_DATABASE", &file.display().to_string());
    on_each_database_with(options, async |app| {
        Person::register(app, ADA).await;
        let (session, device) = Client::in_network(app, "app/1.0", HOME).await.log_in_on(ADA, PASSWORD, "").await;
        let ada = Person { email: ADA.to_owned(), session };
        let listed = app.sessions().list_sessions(ada.asks(ListSessionsRequest::default())).await.unwrap();
        assert_eq!(listed.into_inner().sessions[0].place, "DE");
        // The same device in another country.
        Client::in_network(app, "app/1.0", AWAY).await.log_in_on(ADA, PASSWORD, &device).await;
        assert_eq!((events(app, "new_place_seen").await, events(app, "new_device_seen").await), (1, 0));
        assert_eq!(told(app).await, 1);
        assert!(news(app).await[0].text.contains("(BR)"));
        Client::in_network(app, "app/1.0", "203.0.113.1").await.log_in_on(ADA, PASSWORD, &device).await;
        assert_eq!(told(app).await, 1, "where nobody knows is no new country");
    });
}

#[test]
fn devices_that_keep_no_token_do_not_pile_up_and_those_not_seen_for_long_are_forgotten() {
    on_each_database_with(AppOptions::default(), async |app| {
        Person::register(app, ADA).await;
        for _ in 0..60 {
            app.log_in(ADA, PASSWORD).await.unwrap();
        }
        assert_eq!(app.rows("devices").await, 50);
        app.advance(Duration::from_hours(399 * 24));
        app.purge.purge().await.unwrap();
        assert_eq!(app.rows("devices").await, 50);
        app.advance(Duration::from_hours(2 * 24));
        app.purge.purge().await.unwrap();
        assert_eq!(app.rows("devices").await, 0);
    });
}

#[test]
fn a_file_that_knows_no_places_stops_the_start() {
    let folder = TempDir::new().unwrap();
    for (name, content) in
        [("empty.mmdb", &b""[..]), ("text.mmdb", b"not a database"), ("marker.mmdb", b"\xab\xcd\xefMaxMind.com\xff")]
    {
        let file = folder.path().join(name);
        std::fs::write(&file, content).unwrap();
        assert!(countersign::countries::Countries::open(&file).is_err(), "{name}");
    }
    assert!(countersign::countries::Countries::open(&folder.path().join("none.mmdb")).is_err());
    let file = folder.path().join("damaged.mmdb");
    places::write(&file, &[(Ipv4Addr::new(192, 0, 2, 0), 24, "DE")]);
    let whole = std::fs::read(&file).unwrap();
    let (mut refused, mut survived) = (0, 0);
    for at in 0..whole.len() {
        let mut damaged = whole.clone();
        damaged[at] ^= 0xff;
        std::fs::write(&file, &damaged).unwrap();
        match countersign::countries::Countries::open(&file) {
            Err(_) => refused += 1,
            Ok(places) => {
                survived += 1;
                // Any answer is right, but no panic.
                let _ = places.find(HOME.parse().unwrap());
                let _ = places.find("2001:db8::1".parse().unwrap());
            }
        }
    }
    assert!(refused > survived, "{refused} of {} were noticed", whole.len());
}
