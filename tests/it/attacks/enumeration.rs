use crate::support::{
    App, AppOptions, KeyHolder, PASSWORD, Person, Protected, SoftPasskey, census, grown, on_each_database,
    on_each_database_with,
};
use countersign::{grpc::wire::proto::*, usecase::Origin};
use std::collections::BTreeMap;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

type Told = (Code, String, Vec<u8>);

/// Everything that the answer says to a client, except the id of the request.
fn told(status: &Status) -> Told {
    let id = status.get_error_details().request_info().unwrap().request_id.clone();
    let mut details = status.details().to_vec();
    let at = details.windows(id.len()).position(|bytes| bytes == id.as_bytes()).unwrap();
    details[at..at + id.len()].fill(b'0');
    (status.code(), status.message().to_owned(), details)
}

/// One login of each kind that must fail: the kind, the identifier, the password.
async fn failing_logins(app: &App) -> Vec<(&'static str, String, String)> {
    Person::register(app, "ada@example.org").await;
    let waiting =
        RegisterRequest { email: "una@example.org".to_owned(), password: PASSWORD.to_owned(), ..Default::default() };
    app.account().register(waiting).await.unwrap();
    let dora = Person::sign_up(app, "dora@example.org").await;
    let id = dora.session.account.unwrap().account_id.parse().unwrap();
    app.operations.disable_account.disable(&Origin::terminal(), id).await.unwrap();
    Protected::sign_up(app, "tess@example.org").await;
    KeyHolder::sign_up(app, "kay@example.org", SoftPasskey::new()).await;
    let rosa = Person::sign_up(app, "rosa@example.org").await;
    let id = rosa.session.account.unwrap().account_id.parse().unwrap();
    app.operations.grant_role.grant(&Origin::terminal(), id, "admin").await.unwrap();
    let cases = [
        ("a wrong password", "ada@example.org", "not the password at all"),
        ("an unknown address", "nobody@example.org", PASSWORD),
        ("an unknown user name", "nobody", PASSWORD),
        ("an unverified address", "una@example.org", PASSWORD),
        ("a disabled account", "dora@example.org", PASSWORD),
        ("a disabled account and a wrong password", "dora@example.org", "not the password at all"),
        ("a wrong password of an account with an app", "tess@example.org", "not the password at all"),
        ("a wrong password of an account with a passkey", "kay@example.org", "not the password at all"),
        ("a wrong password of an account that must have a factor", "rosa@example.org", "not the password at all"),
        ("no identifier at all", "a b@@'; --\u{202E}", PASSWORD),
    ];
    let mut cases: Vec<_> = cases.map(|(what, who, password)| (what, who.to_owned(), password.to_owned())).into();
    cases.push(("an identifier that is too long", "x".repeat(5_000), PASSWORD.to_owned()));
    cases.push(("a password that is too long", "ada@example.org".to_owned(), "x".repeat(20_000)));
    cases.push(("a password that is too long of nobody", "nobody".to_owned(), "x".repeat(20_000)));
    cases
}

/// Accounts with this role must have a factor.
fn for_admins() -> AppOptions {
    AppOptions::with("COUNTERSIGN_FACTORS__REQUIRED", "roles").and("COUNTERSIGN_FACTORS__REQUIRED_ROLES", "admin")
}

#[test]
fn every_failed_login_fails_alike() {
    on_each_database_with(for_admins(), async |app| {
        let mut alike: Option<Told> = None;
        for (what, identifier, password) in failing_logins(app).await {
            let before = census(app).await;
            let status = app.log_in(&identifier, &password).await.unwrap_err();
            let told = told(&status);
            assert_eq!(told.0, Code::Unauthenticated, "{what}");
            assert_eq!(alike.get_or_insert(told.clone()), &told, "{what}");
            assert_eq!(crate::support::reason(&status), "CREDENTIALS_INVALID", "{what}");
            assert_eq!(grown(app, &before).await, [("audit_events", 1)].into(), "{what}");
        }
    });
}

#[test]
fn every_login_costs_one_hash() {
    on_each_database_with(for_admins(), async |app| {
        let mut cases = failing_logins(app).await;
        for (what, who) in [
            ("a login that succeeds", "ada@example.org"),
            ("one that asks for a code of an app", "tess@example.org"),
            ("one that asks for a passkey", "kay@example.org"),
            ("one that asks for a first factor", "rosa@example.org"),
        ] {
            cases.push((what, who.to_owned(), PASSWORD.to_owned()));
        }
        for (what, identifier, password) in cases {
            let computed = app.hasher.computed();
            let form = LoginRequest { identifier, password, ..Default::default() };
            let _ = app.auth().login(form).await;
            assert_eq!(app.hasher.computed(), computed + 1, "{what}");
        }
    });
}

/// The rows that a call writes, and the hashes that it computes.
async fn cost(app: &App, call: impl Future<Output = ()>) -> (BTreeMap<&'static str, i64>, u64) {
    let (before, computed) = (census(app).await, app.hasher.computed());
    call.await;
    (grown(app, &before).await, app.hasher.computed() - computed)
}

#[test]
fn known_and_unknown_addresses_are_answered_alike() {
    on_each_database(async |app| {
        failing_logins(app).await;
        app.send_mail().await;
        let mut alike = None;
        for address in ["ada@example.org", "una@example.org", "dora@example.org", "nobody@example.org"] {
            let email = address.to_owned();
            let form = RegisterRequest { email: email.clone(), password: PASSWORD.to_owned(), ..Default::default() };
            let register = cost(app, async {
                assert_eq!(app.account().register(form).await.unwrap().into_inner(), RegisterResponse {});
            });
            let register = register.await;
            let form = ResendVerificationRequest { email: email.clone(), ..Default::default() };
            let resend = cost(app, async {
                let answer = app.account().resend_verification(form).await.unwrap();
                assert_eq!(answer.into_inner(), ResendVerificationResponse {});
            });
            let resend = resend.await;
            let form = RequestResetRequest { email, ..Default::default() };
            let reset = cost(app, async {
                assert_eq!(app.account().request_reset(form).await.unwrap().into_inner(), RequestResetResponse {});
            });
            let costs = [register, resend, reset.await];
            assert_eq!(alike.get_or_insert(costs.clone()), &costs, "{address}");
        }
    });
}
