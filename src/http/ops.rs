use crate::usecase::housekeeping::Ready;
use axum::{
    Router,
    extract::{Request, State},
    http::{StatusCode, header, uri::Authority},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::get,
};
use countersign_domain::host::OwnNames;
use std::sync::Arc;

/// What operators probe, on the listener that is theirs and goes by `own_names`: `/healthz`, `/readyz`, `/metrics`.
///
/// `metrics` says everything there is to say at the moment it is asked.
pub fn ops_router(
    ready: Ready,
    own_names: Arc<OwnNames>,
    metrics: impl Fn() -> String + Clone + Send + Sync + 'static,
) -> Router {
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(readiness))
        .with_state(ready)
        .route("/metrics", get(async move || ([(header::CONTENT_TYPE, EXPOSITION)], metrics())))
        .layer(from_fn_with_state(own_names, answer_to_own_names))
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

async fn readiness(State(ready): State<Ready>) -> impl IntoResponse {
    if ready.run().await { (StatusCode::OK, "ready\n") } else { (StatusCode::SERVICE_UNAVAILABLE, "not ready\n") }
}
