use crate::support::{
    App, AppOptions, Backend, OPERATOR_TOKEN, Person, admin_rpcs, call, on_sqlite, on_sqlite_with, own_rpcs, rpc,
    served_rpcs, with_header,
};
use crate::transport::profile::production;
use countersign::{
    grpc::{callers, wire::proto::*},
    usecase::Origin,
};
use countersign_domain::caller::{CallerRule, Requirement};
use std::{collections::BTreeSet, net::SocketAddr};
use tonic::Code;
use tonic_types::StatusExt as _;

/// A kind of caller, and its access token.
struct Caller {
    who: &'static str,
    token: Option<String>,
}

/// The result of a call: `None` when the caller is admitted, else the reason.
type Verdict = Option<&'static str>;

/// What the table of callers requires.
fn expected(rule: CallerRule, who: &str, development: bool) -> Verdict {
    // Without a challenge, nobody else may call.
    let rule = if rule == CallerRule::AccountOrChallenge { CallerRule::Account } else { rule };
    match (rule, who) {
        (CallerRule::Anyone, _) | (CallerRule::Account, "an account") | (CallerRule::Service, "a service") => None,
        (CallerRule::Account | CallerRule::Service, "nobody") => Some("TOKEN_MISSING"),
        (CallerRule::Account, "an account whose session has ended") => Some("SESSION_ENDED"),
        (CallerRule::Account, "a disabled account") => Some("ACCOUNT_DISABLED"),
        (CallerRule::Account | CallerRule::Service, "a liar" | "an operator") => Some("TOKEN_INVALID"),
        (CallerRule::Account, "a service" | "a disabled service") => Some("CALLER_NOT_ALLOWED"),
        (CallerRule::Service, "a disabled service") => Some("SESSION_ENDED"),
        (CallerRule::Service, _) => Some("CALLER_NOT_ALLOWED"),
        (CallerRule::Development, _) => (!development).then_some("METHOD_UNKNOWN"),
        (CallerRule::Operator, "an operator") => None,
        (CallerRule::Operator, "nobody") => Some("TOKEN_MISSING"),
        (CallerRule::Operator, _) => Some("TOKEN_INVALID"),
        (rule, who) => panic!("no line for {rule:?} and {who}"),
    }
}

async fn callers(app: &App) -> Vec<Caller> {
    let account = Person::sign_up(app, "ada@example.org").await;
    let gone = app.log_in("ada@example.org", crate::support::PASSWORD).await.unwrap();
    let leaving = LogoutRequest { refresh_token: gone.refresh_token.clone(), ..Default::default() };
    app.auth().logout(leaving).await.unwrap();
    let disabled = Person::sign_up(app, "eve@example.org").await;
    let id = disabled.session.account.as_ref().unwrap().account_id.parse().unwrap();
    app.operations.disable_account.disable(&Origin::terminal(), id).await.unwrap();
    let service = Backend::enrol(app, "orders").await;
    let disabled_service = Backend::enrol(app, "disabled").await;
    app.operations.disable_service.disable(&Origin::terminal(), disabled_service.created.id).await.unwrap();
    vec![
        Caller { who: "a service", token: Some(service.token) },
        Caller { who: "a disabled service", token: Some(disabled_service.token) },
        Caller { who: "nobody", token: None },
        Caller { who: "an account", token: Some(account.session.access_token) },
        Caller { who: "an account whose session has ended", token: Some(gone.access_token) },
        Caller { who: "a disabled account", token: Some(disabled.session.access_token) },
        Caller { who: "an operator", token: Some(OPERATOR_TOKEN.to_owned()) },
        Caller { who: "a liar", token: Some("e30.e30.e30.e30.e30".to_owned()) },
    ]
}

/// Calls with a message that cannot be decoded; it is decoded only after the caller was admitted. Where the message may
/// have a challenge, calls with one that has none, and no other field.
async fn verdict(address: SocketAddr, path: &str, caller: &Caller) -> Option<String> {
    let takes_challenge = callers::table()
        .iter()
        .any(|method| method.path == path && method.requirement.caller == CallerRule::AccountOrChallenge);
    let message: &[u8] = if takes_challenge { &[] } else { &[0xff] };
    let mut request = call(path, message);
    if let Some(token) = &caller.token {
        request = with_header(request, "authorization", format!("Bearer {token}").as_bytes());
    }
    let status = rpc(address, request).await;
    if takes_challenge && status.code() == Code::Ok {
        return None;
    }
    let reason = crate::support::reason(&status);
    let known = ErrorReason::from_str_name(&format!("ERROR_REASON_{reason}"));
    assert!(known.is_some(), "{reason} is not in error_reason.proto");
    assert!(status.get_error_details().request_info().is_some(), "{path}: no name of the call in {status:?}");
    let admitted = if takes_challenge { "INVALID_FIELD" } else { "MALFORMED_REQUEST" };
    (reason != admitted).then_some(reason)
}

async fn compare(app: &App, callers: &[Caller], development: bool) {
    for callers::Method { path, requirement: Requirement { caller: rule, .. }, .. } in callers::table() {
        for caller in callers {
            let is_for_operators = *rule == CallerRule::Operator;
            let (here, elsewhere) =
                if is_for_operators { (app.operators, app.address) } else { (app.address, app.operators) };
            let found = verdict(here, path, caller).await;
            assert_eq!(found.as_deref(), expected(*rule, caller.who, development), "{} calls {path}", caller.who);
            let found = verdict(elsewhere, path, caller).await;
            assert_eq!(found.as_deref(), Some("METHOD_UNKNOWN"), "{} calls {path} on the other listener", caller.who);
        }
    }
}

#[test]
fn every_rpc_lets_in_exactly_those_its_line_of_the_table_names() {
    on_sqlite(async |app| {
        let callers = callers(app).await;
        compare(app, &callers, true).await;
    });
}

#[test]
fn in_production_nobody_calls_what_is_for_development() {
    let options = production().and("COUNTERSIGN_SERVER__REFLECTION", "true");
    on_sqlite_with(options, async |app| {
        let nobody = Caller { who: "nobody", token: None };
        for method in callers::table().iter().filter(|method| method.requirement.caller == CallerRule::Development) {
            let path = method.path;
            assert_eq!(verdict(app.address, path, &nobody).await.as_deref(), Some("METHOD_UNKNOWN"), "{path}");
        }
        compare(app, &[nobody], false).await;
        let served = served_rpcs(app).await;
        assert!(served.len() > 15, "{served:?}");
    });
}

#[test]
fn every_method_that_is_served_has_a_line_and_every_line_a_method() {
    on_sqlite_with(AppOptions::default(), async |app| {
        let public = own_rpcs(app).await;
        assert!(public.iter().all(|rpc| !rpc.path.starts_with("/countersign.admin.")), "{public:?}");
        let mut operators = admin_rpcs(app).await;
        operators.retain(|rpc| rpc.path.starts_with("/countersign."));
        let served: BTreeSet<String> = public.into_iter().chain(operators).map(|rpc| rpc.path).collect();
        let lines: BTreeSet<String> = callers::table().iter().map(|method| method.path.to_owned()).collect();
        assert_eq!(served, lines);
    });
}

#[test]
fn every_standard_service_that_is_served_can_be_called() {
    on_sqlite(async |app| {
        let served = served_rpcs(app).await;
        let standard: Vec<_> = served.iter().filter(|rpc| rpc.path.starts_with("/grpc.")).collect();
        assert!(standard.iter().any(|rpc| rpc.path.contains("Health")), "{standard:?}");
        assert!(standard.iter().any(|rpc| rpc.path.contains("Reflection")), "{standard:?}");
        // Watch does not end by itself.
        for known in standard.into_iter().filter(|rpc| !rpc.path.ends_with("/Watch")) {
            let status = rpc(app.address, call(&known.path, &[])).await;
            assert_ne!(status.code(), tonic::Code::Unimplemented, "{}: {status:?}", known.path);
        }
    });
}
