//! The browsers' shim: grpc-web calls whose tokens are in cookies.
//!
//! From the outermost layer to the innermost: CORS for the allowed origins (`cors.rs`), refusal of requests that are
//! not calls (`src/grpc`), grpc-web to gRPC (tonic-web), the check of the calling origin (tower-http's `Csrf`, by
//! Sec-Fetch-Site and Origin), cookies to tokens and back (`cookie.rs`). Native calls pass none of these layers: a
//! cookie has no effect on them.

mod cookie;
mod cors;

use super::pages::AstrayLinks;
use crate::{
    grpc::{CallService, Peer},
    runtime::Clock,
};

use countersign_domain::refusal::Reason;
use http::{HeaderValue, Request, Response, Version, header};
use std::{
    convert::Infallible,
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};
use tonic::body::Body;
use tonic_web::GrpcWebLayer;
use tower::{Layer as _, Service, ServiceExt as _, service_fn, util::BoxCloneSyncService};
use tower_http::{cors::Cors, csrf::CsrfLayer};

type Answering = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

/// The settings of the shim.
#[derive(Clone, Debug)]
pub struct BrowserRules {
    /// The other origins whose pages may call, each in the form that a browser sends.
    pub origins: Vec<String>,
    pub clock: Clock,
}

/// The entry point of every call: native calls go directly to the call service, calls of browsers through the shim.
#[derive(Clone)]
pub struct CallHandler {
    calls: CallService,
    shim: Shim,
    /// The shim behind CORS, for allowed origins.
    shared: Cors<Shim>,
    origins: Arc<[String]>,
    /// `None` when there are no pages.
    astray: Option<AstrayLinks>,
}

type Shim = BoxCloneSyncService<Request<Body>, Response<Body>, Infallible>;

impl CallHandler {
    /// # Errors
    /// When one of the origins is invalid.
    pub fn new(calls: CallService, rules: BrowserRules, astray: Option<AstrayLinks>) -> Result<Self, String> {
        let cors = cors::layer(&rules.origins)?;
        let origins = rules.origins.clone().into();
        let refuser = calls.clone();
        let mut csrf = CsrfLayer::new().with_rejection_response(move |_| refuser.refusal(Reason::OriginNotAllowed));
        for origin in &rules.origins {
            csrf = csrf.add_trusted_origin(origin).map_err(|error| error.to_string())?;
        }
        let with_cookies = {
            let calls = calls.clone();
            service_fn(move |request| with_cookies(calls.clone(), rules.clone(), request))
        };
        let translated = GrpcWebLayer::new().layer(csrf.layer(with_cookies));
        let guarded = service_fn(move |request: Request<Body>| {
            let translated = translated.clone();
            async move {
                match CallService::refuse(&request) {
                    Some(refusal) => Ok(refusal),
                    None => translated.oneshot(request).await,
                }
            }
        });
        let shim = BoxCloneSyncService::new(guarded);
        Ok(Self { calls, shared: cors.layer(shim.clone()), shim, origins, astray })
    }

    async fn answer(mut self, request: Request<Body>) -> Result<Response<Body>, Infallible> {
        let astray = self.astray.as_ref();
        let page = astray.and_then(|links| links.answer(request.method(), request.uri().path(), request.headers()));
        if let Some(page) = page {
            let page = match request.extensions().get::<Peer>() {
                Some(peer) => peer.answer_with(page),
                None => page,
            };
            return Ok(page.map(Body::new));
        }
        if is_native(&request) {
            return match CallService::refuse(&request) {
                Some(refusal) => Ok(refusal),
                None => self.calls.call(request).await,
            };
        }
        if self.is_allowed(request.headers().get(header::ORIGIN)) {
            self.shared.oneshot(request).await
        } else {
            self.shim.oneshot(request).await
        }
    }

    fn is_allowed(&self, origin: Option<&HeaderValue>) -> bool {
        origin.is_some_and(|origin| self.origins.iter().any(|allowed| allowed.as_bytes() == origin.as_bytes()))
    }
}

impl fmt::Debug for CallHandler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CallHandler")
    }
}

impl Service<Request<axum::body::Body>> for CallHandler {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Answering;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<axum::body::Body>) -> Answering {
        Box::pin(self.clone().answer(request.map(Body::new)))
    }
}

/// Whether a request is gRPC itself, which no browser speaks. Any other request goes to the shim, which refuses it
/// unless it is grpc-web.
fn is_native(request: &Request<Body>) -> bool {
    let content_type = request.headers().get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
    request.version() == Version::HTTP_2
        && matches!(content_type, Some(b"application/grpc" | b"application/grpc+proto"))
}

async fn with_cookies(
    mut calls: CallService,
    rules: BrowserRules,
    mut request: Request<Body>,
) -> Result<Response<Body>, Infallible> {
    let (browser, turns) = cookie::read(request.headers());
    let browser = Arc::new(browser);
    request.headers_mut().remove(header::COOKIE);
    request.extensions_mut().insert(browser.clone());
    let mut response = calls.call(request).await?;
    if let Some(change) = browser.change() {
        cookie::write(response.headers_mut(), change, &turns, rules.clock.now());
    }
    if let Some(token) = browser.known_by() {
        cookie::write_device(response.headers_mut(), token);
    }
    if let Some(binding) = browser.bound_by() {
        cookie::write_binding(response.headers_mut(), binding);
    }
    if let Some(change) = browser.challenged() {
        cookie::write_challenge(response.headers_mut(), change, rules.clock.now());
    }
    Ok(response)
}
