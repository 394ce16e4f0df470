use axum::{
    Router,
    http::{HeaderValue, header},
    response::{Html, IntoResponse, Response},
    routing::get,
};

/// The pages that mailed links lead to.
///
/// They act on nothing: the token stands in the fragment of the link, which a browser keeps to itself, and a mail scanner
/// that opens the link has opened a text. What the mail asks for is done by an RPC, with the token or with the code.
pub fn pages_router() -> Router {
    Router::new()
        .route("/", get(|| async { page("Countersign", HOME) }))
        .route("/verify", get(|| async { page("Confirm your address", VERIFY) }))
        .route("/reset", get(|| async { page("Set a new password", RESET) }))
        .route("/confirm-email", get(|| async { page("Confirm your new address", CONFIRM_EMAIL) }))
}

const HOME: &str = "<p>This is an identity service. It speaks gRPC and grpc-web on this address.</p>\
    <p>With reflection on, <code>grpcurl -plaintext HOST:PORT list</code> shows what it offers.</p>";

const VERIFY: &str = "<p>Opening this page has changed nothing. Enter the eight digits from the same mail in the \
    application you registered with.</p>\
    <p>From a terminal, call <code>countersign.v1.AccountService/Verify</code> with <code>email</code> and \
    <code>code</code>, or with the <code>token</code>: the part of this page's address after <code>#token=</code>.</p>";

const RESET: &str = "<p>Opening this page has changed nothing. Enter the eight digits from the same mail, and your new \
    password, in the application you use.</p>\
    <p>From a terminal, call <code>countersign.v1.AccountService/Reset</code> with <code>email</code>, <code>code</code> \
    and <code>new_password</code>, or with the <code>token</code>: the part of this page's address after \
    <code>#token=</code>.</p>";

const CONFIRM_EMAIL: &str = "<p>Opening this page has changed nothing. Enter the eight digits from the same mail in the \
    application you use.</p>\
    <p>From a terminal, call <code>countersign.v1.AccountService/ConfirmEmailChange</code> with <code>email</code> and \
    <code>code</code>, or with the <code>token</code>: the part of this page's address after <code>#token=</code>.</p>";

fn page(title: &str, body: &str) -> Response {
    let html = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\"><title>{title}</title></head>\
         <body><main><h1>{title}</h1>{body}</main></body></html>"
    );
    let mut response = Html(html).into_response();
    let headers = response.headers_mut();
    for (name, value) in HARDENING {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Nothing is loaded, nothing is run, nothing is framed, and no address of ours is told to anybody.
pub(super) const HARDENING: [(header::HeaderName, &str); 4] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
];
