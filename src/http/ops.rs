use crate::usecase::housekeeping::Ready;
use axum::{
    Router,
    extract::State,
    http::{StatusCode, header},
    response::IntoResponse,
    routing::get,
};

/// What operators probe, on the listener that is theirs: `/healthz`, `/readyz`, `/metrics`.
///
/// `metrics` says everything there is to say at the moment it is asked.
pub fn ops_router(ready: Ready, metrics: impl Fn() -> String + Clone + Send + Sync + 'static) -> Router {
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(readiness))
        .with_state(ready)
        .route("/metrics", get(async move || ([(header::CONTENT_TYPE, EXPOSITION)], metrics())))
}

/// The text format of Prometheus.
const EXPOSITION: &str = "text/plain; version=0.0.4";

async fn readiness(State(ready): State<Ready>) -> impl IntoResponse {
    if ready.run().await { (StatusCode::OK, "ready\n") } else { (StatusCode::SERVICE_UNAVAILABLE, "not ready\n") }
}
