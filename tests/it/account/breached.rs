//! Passwords that are known from breaches: checked by a range service or against a file wherever a password is set.

use super::acts::{NEW_PASSWORD, change_password, form, reset, reset_token, violations};
use crate::support::{
    App, AppOptions, PASSWORD, Person, Range, RangeServer, Refused as _, on_sqlite_with, reason, retry_after, sha1,
};
use countersign::{breached::compile, grpc::wire::proto::*};
use std::time::Duration;
use tempfile::TempDir;
use tonic::Status;

/// In no list of the binary, and accepted by every rule.
const LEAKED: &str = "seven leaky buckets in a shed";

fn asking(url: &str) -> AppOptions {
    AppOptions::with("COUNTERSIGN_PASSWORDS__BREACHED", "range")
        .and("COUNTERSIGN_PASSWORDS__BREACHED_ENDPOINT", url)
        .and("COUNTERSIGN_PASSWORDS__BREACHED_TIMEOUT", "5s")
}

async fn register(app: &App, password: &str) -> Result<(), Status> {
    let form = RegisterRequest { password: password.to_owned(), ..form("ada@example.org") };
    super::acts::register(app, form).await.map(drop)
}

/// Every RPC that sets a password refuses this one as breached, and uses nothing up.
async fn is_refused_everywhere(app: &App) {
    assert_eq!(register(app, LEAKED).await.reason(), "PASSWORD_REJECTED");
    let refused =
        super::acts::register(app, RegisterRequest { password: LEAKED.to_owned(), ..form("ada@example.org") }).await;
    assert_eq!(violations(refused), ["PASSWORD_BREACHED"]);
    assert_eq!((app.rows("registrations").await, app.rows("outbox").await), (0, 0));

    let ada = Person::sign_up(app, "ada@example.org").await;
    assert_eq!(violations(change_password(app, &ada, PASSWORD, LEAKED).await), ["PASSWORD_BREACHED"]);
    let token = reset_token(app, &ada.email).await;
    assert_eq!(violations(reset(app, &token, LEAKED).await), ["PASSWORD_BREACHED"]);
    app.log_in(&ada.email, PASSWORD).await.unwrap();
    reset(app, &token, NEW_PASSWORD).await.unwrap();
    let session = app.log_in(&ada.email, NEW_PASSWORD).await.unwrap();
    let ada = Person { session, ..ada };
    change_password(app, &ada, NEW_PASSWORD, "twelve muddy boots outside").await.unwrap();
}

#[test]
fn a_range_service_is_queried_wherever_a_password_is_set() {
    let server = RangeServer::knowing(&[LEAKED, "password"]);
    on_sqlite_with(asking(&server.url), async |app| is_refused_everywhere(app).await);
}

#[test]
fn a_file_is_looked_into_wherever_a_password_is_set() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("breached.bin");
    let mut hashes = [LEAKED, "password", "letmein"].map(sha1);
    hashes.sort();
    compile(hashes.join("\n").as_bytes(), &path).unwrap();
    let options = AppOptions::with("COUNTERSIGN_PASSWORDS__BREACHED", "file")
        .and("COUNTERSIGN_PASSWORDS__BREACHED_LIST", path.to_str().unwrap());
    on_sqlite_with(options, async |app| is_refused_everywhere(app).await);
}

#[test]
fn a_range_service_learns_five_digits_and_nothing_else_and_never_of_a_login() {
    let server = RangeServer::knowing(&[]);
    on_sqlite_with(asking(&server.url), async |app| {
        let before = server.asked().len();
        let ada = Person::sign_up(app, "ada@example.org").await;
        let asked = server.asked();
        assert_eq!(asked.len(), before + 1, "once, for the registration");
        let (head, hash) = (asked.last().unwrap(), sha1(PASSWORD));
        assert!(head.starts_with(&format!("GET /range/{} HTTP/1.1\r\n", &hash[..5])), "{head}");
        assert!(head.to_lowercase().contains("add-padding: true\r\n"), "{head}");
        for secret in [PASSWORD, &hash[..6], &hash[5..], "ada@example.org"] {
            assert!(!head.contains(secret), "{head}");
        }
        app.log_in(&ada.email, PASSWORD).await.unwrap();
        app.log_in(&ada.email, LEAKED).await.unwrap_err();
        app.refresh(&ada.session.refresh_token).await.unwrap();
        assert_eq!(server.asked().len(), before + 1);
    });
}

#[test]
fn no_service_is_queried_about_a_password_that_is_refused_anyway() {
    let server = RangeServer::knowing(&[]);
    on_sqlite_with(asking(&server.url), async |app| {
        let before = server.asked().len();
        for password in ["short", "correct horse battery staple", "ada@example.org"] {
            assert_eq!(register(app, password).await.reason(), "PASSWORD_REJECTED", "{password}");
        }
        assert_eq!(reset(app, "made up", LEAKED).await.reason(), "LINK_INVALID");
        assert_eq!(server.asked().len(), before);
    });
}

/// All answers that are neither a yes nor a no.
fn trouble() -> Vec<Range> {
    let suffix = &sha1(LEAKED)[5..];
    vec![
        Range::Text(200, "<html>sign in to this network</html>".to_owned()),
        Range::Text(200, format!("{suffix}:1\r\nand so on")),
        Range::Text(200, format!("{}:1", &suffix[1..])),
        Range::Text(302, format!("{suffix}:1")),
        Range::Text(404, String::new()),
        Range::Text(429, String::new()),
        Range::Text(503, format!("{suffix}:1")),
        Range::Text(200, format!("{suffix}:1\r\n").repeat(10_000)),
        Range::Endlessly,
        Range::HangsUp,
    ]
}

/// The log lines about passwords that could not be checked, whatever their rate.
fn warnings(app: &App) -> Vec<String> {
    let is_one = |line: &&str| line.contains(" WARN ") && line.contains("could not be checked against known breaches");
    app.log.text().lines().filter(is_one).map(str::to_owned).collect()
}

#[test]
fn while_nothing_can_be_learnt_a_password_is_accepted_and_the_log_says_so() {
    let server = RangeServer::knowing(&[LEAKED]);
    on_sqlite_with(asking(&server.url), async |app| {
        for says in trouble() {
            server.says(says.clone());
            register(app, LEAKED).await.unwrap_or_else(|refused| panic!("{says:?}: {refused:?}"));
        }
        // One line for all of them within a minute; the metric counts each of them.
        let warned = warnings(app);
        assert_eq!(warned.len(), 1, "{warned:?}");
        assert!(warned[0].contains("accepted=true") && warned[0].contains("left_out=0"), "{warned:?}");
        server.says(Range::Honestly);
        assert_eq!(register(app, LEAKED).await.reason(), "PASSWORD_REJECTED");
    });
}

#[test]
fn who_wants_every_password_looked_up_has_calls_refused_meanwhile() {
    let server = RangeServer::knowing(&[LEAKED]);
    let options = asking(&server.url).and("COUNTERSIGN_PASSWORDS__BREACHED_WHEN_UNAVAILABLE", "refuse");
    on_sqlite_with(options, async |app| {
        let ada = Person::sign_up(app, "ada@example.org").await;
        let token = reset_token(app, &ada.email).await;
        for says in trouble() {
            server.says(says.clone());
            let refused = reset(app, &token, NEW_PASSWORD).await.unwrap_err();
            assert_eq!(reason(&refused), "BREACH_CHECK_UNAVAILABLE", "{says:?}");
            assert!(retry_after(&refused).unwrap() > Duration::ZERO);
        }
        let warned = warnings(app);
        assert!(warned.len() == 1 && warned[0].contains("accepted=false"), "{warned:?}");
        server.says(Range::Honestly);
        reset(app, &token, NEW_PASSWORD).await.unwrap();
        app.log_in(&ada.email, NEW_PASSWORD).await.unwrap();
    });
}

#[test]
fn a_service_that_is_silent_or_gone_is_waited_for_as_long_as_was_said() {
    let server = RangeServer::knowing(&[LEAKED]);
    server.says(Range::Nothing);
    for url in [server.url.clone(), RangeServer::closed()] {
        let options = asking(&url)
            .and("COUNTERSIGN_PASSWORDS__BREACHED_TIMEOUT", "100ms")
            .and("COUNTERSIGN_PASSWORDS__BREACHED_WHEN_UNAVAILABLE", "refuse");
        on_sqlite_with(options, async |app| {
            assert_eq!(register(app, NEW_PASSWORD).await.reason(), "BREACH_CHECK_UNAVAILABLE");
        });
    }
}
