use crate::grpc::CallService;
use countersign_domain::{host::OwnNames, refusal::Reason};
use http::{HeaderMap, HeaderName, Request, Response, StatusCode, Version, header, uri::Authority};
use std::{
    convert::Infallible,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};
use tonic::body::Body;
use tower::Service;

/// The entry point for operators' calls: gRPC over HTTP/2, from programs.
///
/// Web pages must not call operators' services, under any name that they give this machine (DNS rebinding). Browsers
/// cannot speak gRPC itself, and headers that they add to every request reveal them. A call that names another host
/// than this listener is refused as well.
#[derive(Clone, Debug)]
pub struct OperatorsHandler {
    call_service: CallService,
    own_names: Arc<OwnNames>,
}

type Answering = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

impl OperatorsHandler {
    pub fn new(call_service: CallService, own_names: Arc<OwnNames>) -> Self {
        Self { call_service, own_names }
    }
}

impl Service<Request<axum::body::Body>> for OperatorsHandler {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Answering;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<axum::body::Body>) -> Answering {
        let (mut call_service, own_names) = (self.call_service.clone(), self.own_names.clone());
        let request = request.map(Body::new);
        Box::pin(async move {
            let asked = request.uri().authority().map(Authority::as_str);
            if !own_names
                .include_all(asked, request.headers().get_all(header::HOST).iter().map(|host| host.to_str().ok()))
            {
                return Ok(misdirected());
            }
            if let Some(refusal) = CallService::refuse(&request) {
                return Ok(refusal);
            }
            if is_from_a_page(request.headers()) {
                return Ok(call_service.refusal(Reason::OriginNotAllowed));
            }
            if !is_native(&request) {
                let mut response = Response::new(Body::empty());
                *response.status_mut() = StatusCode::UNSUPPORTED_MEDIA_TYPE;
                return Ok(response);
            }
            call_service.call(request).await
        })
    }
}

/// The answer to another host name (RFC 9110 section 15.5.20).
fn misdirected() -> Response<Body> {
    let mut response = Response::new(Body::new(OwnNames::REFUSAL.to_owned()));
    *response.status_mut() = StatusCode::MISDIRECTED_REQUEST;
    response
}

/// Whether a browser sent the request: every browser adds at least one of these headers to POST requests (Fetch,
/// section 3.2; Fetch Metadata).
fn is_from_a_page(headers: &HeaderMap) -> bool {
    headers.contains_key(header::ORIGIN) || headers.contains_key(HeaderName::from_static("sec-fetch-site"))
}

/// Whether the request is gRPC itself. grpc-web is not supported here.
fn is_native(request: &Request<Body>) -> bool {
    let content_type = request.headers().get(header::CONTENT_TYPE).map(header::HeaderValue::as_bytes);
    request.version() == Version::HTTP_2
        && matches!(content_type, Some(b"application/grpc" | b"application/grpc+proto"))
}
