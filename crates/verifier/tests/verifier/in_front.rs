//! The layer and the interceptor, in front of gRPC and of plain HTTP.

use std::{convert::Infallible, time::Duration};

use countersign_token::AccessClaims;
use countersign_verifier::{Claims, Guard, StalePolicy, Verifier, VerifierLayer};
use http::{Request, Response, StatusCode};
use tonic::body::Body;
use tonic_types::StatusExt as _;
use tower::{Layer as _, ServiceExt as _, service_fn};

use crate::support::{
    Connected, NOW, TestClock, claims, connected, offline_keys,
    orders::{ListRequest, ListResponse, orders_server},
    token, token_of,
};

fn offline() -> Verifier {
    Verifier::builder().clock(TestClock::new()).offline(offline_keys()).unwrap()
}

/// Answers with the name of the caller, or of nobody. Changes the header `x-who` only.
async fn answer(request: Request<Body>) -> Result<Response<Body>, Infallible> {
    let who = request.extensions().get::<Claims>().map_or("nobody", |claims| claims.subject());
    Ok(Response::builder().header("x-who", who).body(Body::empty()).unwrap())
}

async fn ask(layer: &VerifierLayer, request: http::request::Builder) -> Response<Body> {
    let request = request.body(Body::empty()).unwrap();
    layer.layer(service_fn(answer)).oneshot(request).await.unwrap()
}

fn header<'a>(response: &'a Response<Body>, name: &str) -> Option<&'a str> {
    response.headers().get(name).map(|value| value.to_str().unwrap())
}

fn get() -> http::request::Builder {
    Request::get("https://api.test/orders")
}

fn call() -> http::request::Builder {
    Request::post("https://api.test/orders.v1.Orders/List").header("content-type", "application/grpc")
}

fn with(request: http::request::Builder, token: &str) -> http::request::Builder {
    request.header("authorization", format!("Bearer {token}"))
}

#[tokio::test(start_paused = true)]
async fn http_is_let_through_or_challenged() {
    let layer = offline().layer();
    let good = ask(&layer, with(get(), &token("a"))).await;
    assert_eq!((good.status(), header(&good, "x-who")), (StatusCode::OK, Some("account-of-a")));
    let cookie = format!("theme=dark; __Host-countersign_access={}", token("b"));
    assert_eq!(header(&ask(&layer, get().header("cookie", cookie)).await, "x-who"), Some("account-of-b"));

    let none = ask(&layer, get()).await;
    assert_eq!((none.status(), header(&none, "www-authenticate")), (StatusCode::UNAUTHORIZED, Some("Bearer")));
    assert_eq!(header(&none, "cache-control"), Some("no-store"));
    let bad = ask(&layer, with(get(), "a.b.c.d.e")).await;
    let challenge = Some("Bearer error=\"invalid_token\"");
    assert_eq!((bad.status(), header(&bad, "www-authenticate")), (StatusCode::UNAUTHORIZED, challenge));
    let twice = ask(&layer, with(with(get(), &token("a")), &token("a"))).await;
    assert_eq!(twice.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test(start_paused = true)]
async fn a_token_from_a_clock_that_is_ahead_is_to_be_tried_again_and_no_reason_to_log_in() {
    let layer = offline().layer();
    let issued = |ahead| token_of(&AccessClaims { issued_at: NOW + ahead, ..claims("a") }, 1);
    assert_eq!(ask(&layer, with(get(), &issued(5))).await.status(), StatusCode::OK);
    let refused = ask(&layer, with(get(), &issued(6))).await;
    assert_eq!((refused.status(), header(&refused, "www-authenticate")), (StatusCode::SERVICE_UNAVAILABLE, None));
    let refused = ask(&layer, with(call(), &issued(6))).await;
    assert_eq!((refused.status(), header(&refused, "grpc-status")), (StatusCode::OK, Some("14")));
}

#[tokio::test(start_paused = true)]
async fn grpc_is_answered_with_a_status_and_no_message() {
    let layer = offline().layer();
    for kind in
        ["application/grpc", "application/grpc+proto", "application/grpc-web+proto", "application/grpc-web-text"]
    {
        let refused = ask(&layer, Request::post("/orders.v1.Orders/List").header("content-type", kind)).await;
        assert_eq!((refused.status(), header(&refused, "grpc-status")), (StatusCode::OK, Some("16")), "{kind}");
        assert_eq!(header(&refused, "grpc-message"), Some("unauthenticated"));
        assert!(kind.starts_with(header(&refused, "content-type").unwrap()));
    }
    for kind in ["application/grpcx", "application/json", ""] {
        let refused = ask(&layer, Request::post("/").header("content-type", kind)).await;
        assert_eq!((refused.status(), header(&refused, "grpc-status")), (StatusCode::UNAUTHORIZED, None), "{kind}");
    }
    assert_eq!(header(&ask(&layer, with(call(), &token("a"))).await, "x-who"), Some("account-of-a"));
}

#[tokio::test(start_paused = true)]
async fn guards_tell_denial_and_step_up_apart() {
    let admin = offline().layer().require(Guard::role("admin"));
    let denied = ask(&admin, with(get(), &token("a"))).await;
    let challenge = Some("Bearer error=\"insufficient_scope\"");
    assert_eq!((denied.status(), header(&denied, "www-authenticate")), (StatusCode::FORBIDDEN, challenge));
    assert_eq!(header(&ask(&admin, with(call(), &token("a"))).await, "grpc-status"), Some("7"));

    let fresh = Guard::level("2").and(Guard::authenticated_within(Duration::from_secs(60)));
    let editor = offline().layer().require(Guard::role("editor"));
    assert_eq!(ask(&editor, with(get(), &token("a"))).await.status(), StatusCode::OK);
    let both = editor.require(fresh);
    let called = ask(&both, with(call(), &token("a"))).await;
    assert_eq!(header(&called, "grpc-status"), Some("7"));
    let status = tonic::Status::from_header_map(called.headers()).expect("a status");
    assert_eq!(status.get_error_details().error_info().map(|info| info.reason.as_str()), Some("STEP_UP_REQUIRED"));
    let denied = ask(&both, with(get(), &token("a"))).await;
    let challenge = "Bearer error=\"insufficient_user_authentication\", acr_values=\"2\", max_age=\"60\"";
    assert_eq!((denied.status(), header(&denied, "www-authenticate")), (StatusCode::UNAUTHORIZED, Some(challenge)));
    // A level that would need escapes is left out.
    let hostile = offline().layer().require(Guard::level("2\", error=\"x"));
    let denied = ask(&hostile, with(get(), &token("a"))).await;
    assert_eq!(header(&denied, "www-authenticate"), Some("Bearer error=\"insufficient_user_authentication\""));
}

#[tokio::test(start_paused = true)]
async fn optional_lets_nobody_through_but_no_forger() {
    let layer = offline().layer().optional().require(Guard::role("editor"));
    assert_eq!(header(&ask(&layer, get()).await, "x-who"), Some("nobody"));
    assert_eq!(header(&ask(&layer, with(get(), &token("a"))).await, "x-who"), Some("account-of-a"));
    assert_eq!(ask(&layer, with(get(), "a.b.c.d.e")).await.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(
        ask(&layer, get().header("cookie", "__Host-countersign_access=x")).await.status(),
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test(start_paused = true)]
async fn claims_of_anybody_else_do_not_pass() {
    let verifier = offline();
    let planted = verifier.verify(&token("b")).unwrap();
    let response = ask(&verifier.layer().optional(), get().extension(planted)).await;
    assert_eq!(header(&response, "x-who"), Some("nobody"));
}

#[tokio::test(start_paused = true)]
async fn a_cookie_of_another_origin_is_refused_where_it_could_change_something() {
    let cookie = format!("__Host-countersign_access={}", token("a"));
    let planted = |request: http::request::Builder| {
        request
            .header("cookie", cookie.clone())
            .header("sec-fetch-site", "same-site")
            .header("origin", "https://app.test")
    };
    let layer = offline().layer();
    assert_eq!(ask(&layer, planted(get())).await.status(), StatusCode::OK);
    assert_eq!(ask(&layer, planted(Request::post("https://api.test/"))).await.status(), StatusCode::FORBIDDEN);
    assert_eq!(header(&ask(&layer, planted(call())).await, "grpc-status"), Some("7"));
    let trusting = offline().layer().trusted_origin("https://app.test");
    assert_eq!(header(&ask(&trusting, planted(call())).await, "x-who"), Some("account-of-a"));
    let without = offline().layer().cookie(false);
    assert_eq!(ask(&without, get().header("cookie", cookie.clone())).await.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test(start_paused = true)]
async fn the_layer_waits_for_a_new_key() {
    let Connected { verifier, fake, watcher: _watcher, .. } = connected(Verifier::builder()).await;
    fake.hold(&[1, 2], &[1, 2]);
    let new = token_of(&claims("a"), 2);
    assert_eq!(header(&ask(&verifier.layer(), with(get(), &new)).await, "x-who"), Some("account-of-a"));
}

#[tokio::test(start_paused = true)]
async fn a_stale_feed_is_nobodys_fault_and_the_layer_asks_where_it_may() {
    let after = Duration::from_secs(10);
    for (policy, expected) in [
        (StalePolicy::FailClosed { after }, StatusCode::SERVICE_UNAVAILABLE),
        (StalePolicy::Introspect { after }, StatusCode::OK),
        (StalePolicy::FailOpen, StatusCode::OK),
    ] {
        let Connected { verifier, fake, watcher: _watcher, .. } =
            connected(Verifier::builder().stale_policy(policy)).await;
        fake.state().active = true;
        tokio::time::advance(Duration::from_secs(11)).await;
        let response = ask(&verifier.layer(), with(get(), &token("a"))).await;
        assert_eq!((response.status(), header(&response, "www-authenticate")), (expected, None), "{policy:?}");
        assert_eq!(fake.state().introspected.len(), usize::from(policy == StalePolicy::Introspect { after }));
    }
}

/// A backend in three lines.
struct Backend;

#[tonic::async_trait]
impl orders_server::Orders for Backend {
    async fn list(&self, request: tonic::Request<ListRequest>) -> Result<tonic::Response<ListResponse>, tonic::Status> {
        let claims = request.extensions().get::<Claims>().ok_or_else(|| tonic::Status::internal("no claims"))?;
        claims.require(&Guard::role("billing"))?;
        let subject = claims.subject().to_owned();
        Ok(tonic::Response::new(ListResponse { subject, ..ListResponse::default() }))
    }
}

async fn call_through<S, B>(service: S, request: http::request::Builder) -> Option<String>
where
    S: tower::Service<Request<Body>, Response = Response<B>, Error = Infallible>,
{
    // One empty message: not compressed, length zero.
    let message = Body::new(http_body_util::Full::new(tonic::codegen::Bytes::from_static(&[0; 5])));
    let response = service.oneshot(request.body(message).unwrap()).await.unwrap();
    response.headers().get("grpc-status").map(|status| status.to_str().unwrap().to_owned())
}

#[tokio::test(start_paused = true)]
async fn a_tonic_service_hears_who_calls_through_layer_and_interceptor() {
    let verifier = offline();
    let intercepted = orders_server::OrdersServer::with_interceptor(Backend, verifier.interceptor());
    let layered = verifier.layer().layer(orders_server::OrdersServer::new(Backend));
    let cookie = format!("__Host-countersign_access={}", token("a"));
    let without_billing = token_of(&AccessClaims { roles: Vec::new(), ..claims("b") }, 1);
    let planted = call().header("cookie", cookie.clone()).header("sec-fetch-site", "cross-site");
    for (request, expected) in [
        (with(call(), &token("a")), None),
        (call().header("cookie", cookie), None),
        (with(call(), &without_billing), Some("7".to_owned())),
        (with(call(), "a.b.c.d.e"), Some("16".to_owned())),
        (call(), Some("16".to_owned())),
        (planted, Some("7".to_owned())),
    ] {
        let again = request.headers_ref().unwrap().iter().fold(call(), |request, (name, value)| match name.as_str() {
            "content-type" => request,
            _ => request.header(name, value),
        });
        assert_eq!(call_through(intercepted.clone(), request).await, expected, "interceptor");
        assert_eq!(call_through(layered.clone(), again).await, expected, "layer");
    }
    let admin = verifier.interceptor().require(Guard::role("admin"));
    let guarded = orders_server::OrdersServer::with_interceptor(Backend, admin);
    assert_eq!(call_through(guarded, with(call(), &token("a"))).await, Some("7".to_owned()));
    let without = orders_server::OrdersServer::with_interceptor(Backend, verifier.interceptor().cookie(false));
    let cookie = format!("__Host-countersign_access={}", token("a"));
    assert_eq!(call_through(without, call().header("cookie", cookie)).await, Some("16".to_owned()));
}
