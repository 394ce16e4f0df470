use crate::support::{
    App, Person, Refused as _, call, on_each_database, on_sqlite, reason, request_with, rpc, with_header,
};
use countersign::grpc::wire::proto::*;
use http::Request;
use http_body_util::Full;
use tonic::Code;

const TENANT: &str = "x-countersign-tenant";
const GET_ME: &str = "/countersign.v1.AccountService/GetMe";
const REQUEST_RESET: &str = "/countersign.v1.AccountService/RequestReset";

fn reset_of_ada() -> RequestResetRequest {
    RequestResetRequest { email: "ada@example.org".to_owned(), ..Default::default() }
}

/// `Ok` or the reason.
async fn outcome(app: &App, request: Request<Full<bytes::Bytes>>) -> String {
    let status = rpc(app.address, request).await;
    if status.code() == Code::Ok { "OK".to_owned() } else { reason(&status) }
}

async fn get_me(app: &App, headers: &[(&'static str, &[u8])]) -> String {
    let request = headers.iter().fold(call(GET_ME, &[]), |request, (name, value)| with_header(request, name, value));
    outcome(app, request).await
}

#[test]
fn the_default_tenant_can_be_named() {
    on_sqlite(async |app| {
        let person = Person::sign_up(app, "ada@example.org").await;
        app.account().request_reset(request_with(TENANT, "default", reset_of_ada())).await.unwrap();
        let mut named = person.asks(GetMeRequest {});
        named.metadata_mut().insert(TENANT, "default".parse().unwrap());
        app.account().get_me(named).await.unwrap();
    });
}

#[test]
fn a_tenant_that_does_not_exist_is_refused() {
    on_sqlite(async |app| {
        let too_long = "a".repeat(4_000);
        let names: [&[u8]; 8] =
            [b"nobody", b"", b"Default", b"default ,default", b"' OR 1=1", b"\xff\xfe", b"a/../b", too_long.as_bytes()];
        for name in names {
            let request = with_header(call(REQUEST_RESET, &[]), TENANT, name);
            assert_eq!(outcome(app, request).await, "TENANT_UNKNOWN", "{}", String::from_utf8_lossy(name));
        }
        let twice = with_header(with_header(call(REQUEST_RESET, &[]), TENANT, b"default"), TENANT, b"default");
        assert_eq!(outcome(app, twice).await, "TENANT_UNKNOWN");
    });
}

#[test]
fn a_token_of_one_tenant_is_worth_nothing_at_another() {
    on_each_database(async |app| {
        let person = Person::sign_up(app, "ada@example.org").await;
        let id = if app.database_url.starts_with("sqlite") {
            "x'00000000000070008000000000000002'"
        } else {
            "'00000000-0000-7000-8000-000000000002'"
        };
        app.execute(&format!("INSERT INTO tenants (id, name, created_at) VALUES ({id}, 'other', 0)")).await;
        let mut elsewhere = person.asks(GetMeRequest {});
        elsewhere.metadata_mut().insert(TENANT, "other".parse().unwrap());
        assert_eq!(app.account().get_me(elsewhere).await.reason(), "TOKEN_INVALID");
        let login = LoginRequest {
            identifier: "ada@example.org".to_owned(),
            password: crate::support::PASSWORD.to_owned(),
            ..Default::default()
        };
        assert_eq!(app.auth().login(request_with(TENANT, "other", login)).await.reason(), "CREDENTIALS_INVALID");
        let refresh = RefreshRequest { refresh_token: person.session.refresh_token.clone(), ..Default::default() };
        assert_eq!(app.auth().refresh(request_with(TENANT, "other", refresh)).await.reason(), "TOKEN_INVALID");
        app.me(&person.session).await.unwrap();
    });
}

#[test]
fn a_bearer_token_is_read_as_the_standard_writes_it() {
    on_sqlite(async |app| {
        let session = Person::sign_up(app, "ada@example.org").await.session;
        for scheme in ["Bearer", "bearer", "BEARER", "Bearer "] {
            let value = format!("{scheme} {}", session.access_token);
            assert_eq!(get_me(app, &[("authorization", value.as_bytes())]).await, "OK", "{scheme}");
        }
    });
}

#[test]
fn an_authorization_that_is_no_bearer_token_is_refused() {
    on_sqlite(async |app| {
        let session = Person::sign_up(app, "ada@example.org").await.session;
        let token = session.access_token.as_str();
        let refused = [
            String::new(),
            "Bearer".to_owned(),
            "Bearer ".to_owned(),
            token.to_owned(),
            format!("Basic {token}"),
            format!("Bearer,{token}"),
            format!("Bearer\u{a0}{token}"),
            format!("Bearer {token} {token}"),
            format!("Bearer {token}, Bearer {token}"),
            format!("Bearer {token}="),
            format!("Bearer {}", &token[..token.len() - 1]),
            format!("Bearer {}", session.refresh_token),
            format!("Bearer {}", "a".repeat(12_000)),
            "Bearer ....".to_owned(),
        ];
        for value in refused {
            assert_eq!(get_me(app, &[("authorization", value.as_bytes())]).await, "TOKEN_INVALID", "{value}");
        }
        let value = format!("Bearer {token}");
        let twice = [("authorization", value.as_bytes()), ("authorization", value.as_bytes())];
        assert_eq!(get_me(app, &twice).await, "TOKEN_INVALID");
        assert_eq!(get_me(app, &[("cookie", value.as_bytes())]).await, "TOKEN_MISSING");
        assert_eq!(get_me(app, &[]).await, "TOKEN_MISSING");
    });
}

#[test]
fn a_stale_token_beside_a_login_is_no_reason_to_refuse_it() {
    on_sqlite(async |app| {
        Person::sign_up(app, "ada@example.org").await;
        let login = LoginRequest {
            identifier: "ada@example.org".to_owned(),
            password: crate::support::PASSWORD.to_owned(),
            ..Default::default()
        };
        app.auth().login(request_with("authorization", "Bearer stale", login)).await.unwrap();
    });
}
