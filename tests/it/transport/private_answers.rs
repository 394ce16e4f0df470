//! Headers that every answer has, for every caller.

use crate::support::{OPERATOR_TOKEN, Person, call, call_with, frame, on_sqlite, send, with_header};
use bytes::Bytes;
use countersign::grpc::wire::proto::LoginRequest;
use http::{Request, Version};
use http_body_util::Full;
use prost::Message as _;

const GET_ME: &str = "/countersign.v1.AccountService/GetMe";
const LOGIN: &str = "/countersign.v1.AuthService/Login";
const LIST: &str = "/countersign.admin.v1.AuditService/ListEvents";

fn get(path: &str) -> Request<Full<Bytes>> {
    Request::get(path).body(Full::default()).unwrap()
}

#[test]
fn no_cache_keeps_an_answer_and_no_browser_takes_it_for_something_else() {
    on_sqlite(async |app| {
        Person::sign_up(app, "ada@example.org").await;
        let login = LoginRequest {
            identifier: "ada@example.org".to_owned(),
            password: crate::support::PASSWORD.to_owned(),
            ..Default::default()
        };
        let web = |path: &'static str, message: Vec<u8>| call_with(path, "application/grpc-web+proto", frame(&message));
        let foreign = with_header(web(GET_ME, Vec::new()), "origin", b"https://evil.example");
        let operator = with_header(call(LIST, &[]), "authorization", format!("Bearer {OPERATOR_TOKEN}").as_bytes());
        let asked = [
            ("a session over grpc-web", app.address, Version::HTTP_11, web(LOGIN, login.encode_to_vec())),
            (
                "the same in text",
                app.address,
                Version::HTTP_11,
                call_with(LOGIN, "application/grpc-web-text", Vec::new()),
            ),
            ("a refusal over grpc-web", app.address, Version::HTTP_11, web(GET_ME, Vec::new())),
            ("a page of another origin", app.address, Version::HTTP_11, foreign),
            ("a native call", app.address, Version::HTTP_2, call(LOGIN, &login.encode_to_vec())),
            ("a native refusal", app.address, Version::HTTP_2, call(GET_ME, &[])),
            ("no call at all", app.address, Version::HTTP_11, get(GET_ME)),
            ("a form", app.address, Version::HTTP_11, call_with(LOGIN, "text/plain", Vec::new())),
            ("nothing", app.address, Version::HTTP_11, get("/nothing")),
            ("a probe", app.operators, Version::HTTP_11, get("/healthz")),
            ("readiness", app.operators, Version::HTTP_11, get("/readyz")),
            ("metrics", app.operators, Version::HTTP_11, get("/metrics")),
            ("an operator's call", app.operators, Version::HTTP_2, operator),
            ("nothing of the operators'", app.operators, Version::HTTP_11, get("/nothing")),
        ];
        for (what, address, version, request) in asked {
            let answer = send(address, version, request).await;
            assert_eq!(answer.headers.get_all("cache-control").iter().collect::<Vec<_>>(), ["no-store"], "{what}");
            assert_eq!(
                answer.headers.get_all("x-content-type-options").iter().collect::<Vec<_>>(),
                ["nosniff"],
                "{what}"
            );
        }
    });
}

#[test]
fn what_is_for_everybody_keeps_its_own_words() {
    on_sqlite(async |app| {
        let keys = send(app.address, Version::HTTP_11, get("/.well-known/jwks.json")).await;
        assert_eq!(keys.headers["cache-control"], "public, max-age=300");
        assert_eq!(keys.headers["x-content-type-options"], "nosniff");
        let page = send(app.address, Version::HTTP_11, get("/verify")).await;
        assert_eq!(page.headers.get_all("cache-control").iter().count(), 1);
        assert_eq!(page.headers.get_all("x-content-type-options").iter().count(), 1);
    });
}
