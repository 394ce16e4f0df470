use crate::usecase::housekeeping::Ready;
use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderValue, StatusCode, header, uri::Authority},
    middleware::{Next, from_fn_with_state, map_response},
    response::{IntoResponse, Response},
    routing::get,
    serve::Listener,
};
use countersign_domain::host::OwnNames;
use std::{fmt, io, sync::Arc};

/// Probes and metrics on the operators' listener, under the names in `own_names`: `/livez` (or `/healthz`), `/readyz`,
/// `/metrics`.
///
/// `metrics` returns all metrics at the time of the call.
pub fn ops_router(
    ready: Ready,
    own_names: Arc<OwnNames>,
    metrics: impl Fn() -> String + Clone + Send + Sync + 'static,
) -> Router {
    Router::new()
        .route("/livez", get(alive))
        .route("/healthz", get(alive))
        .route("/readyz", get(readiness))
        .with_state(ready)
        .route("/metrics", get(async move || ([(header::CONTENT_TYPE, EXPOSITION)], metrics())))
        .layer(from_fn_with_state(own_names, answer_to_own_names))
}

/// Answers probes of a process that is still starting: it is live, and not ready. A start may wait for long, for
/// example for a lock that its migration needs; a supervisor that takes the process for dead would restart it, and the
/// wait would begin again. Each connection serves one request, so that the next request reaches the service. Resolves
/// once `started` has.
///
/// # Errors
/// When the listener fails.
pub async fn answer_while_starting<L: Listener>(
    listener: L,
    own_names: Arc<OwnNames>,
    started: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()>
where
    L::Addr: fmt::Debug,
{
    let probes = Router::new()
        .route("/livez", get(alive))
        .route("/healthz", get(alive))
        .route("/readyz", get(|| async { (StatusCode::SERVICE_UNAVAILABLE, "starting\n") }))
        .layer(map_response(close_connection))
        .layer(from_fn_with_state(own_names, answer_to_own_names));
    axum::serve(listener, probes).with_graceful_shutdown(started).await
}

async fn close_connection(mut answer: Response) -> Response {
    answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    answer
}

/// The text format of Prometheus.
const EXPOSITION: &str = "text/plain; version=0.0.4";

async fn answer_to_own_names(State(own_names): State<Arc<OwnNames>>, request: Request, next: Next) -> Response {
    let asked = request.uri().authority().map(Authority::as_str);
    let hosts = request.headers().get_all(header::HOST).iter().map(|host| host.to_str().ok());
    if own_names.include_all(asked, hosts) {
        next.run(request).await
    } else {
        (StatusCode::MISDIRECTED_REQUEST, OwnNames::REFUSAL).into_response()
    }
}

async fn alive() -> &'static str {
    "ok\n"
}

async fn readiness(State(ready): State<Ready>) -> impl IntoResponse {
    if ready.is_ready().await { (StatusCode::OK, "ready\n") } else { (StatusCode::SERVICE_UNAVAILABLE, "not ready\n") }
}
