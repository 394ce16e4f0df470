use crate::{
    passwords::Hasher,
    telemetry::{self, Metrics},
    usecase::housekeeping::Ready,
};
use axum::{
    Router,
    extract::State,
    http::{StatusCode, header},
    response::IntoResponse,
    routing::get,
};

/// What operators probe, on the listener that is theirs: `/healthz`, `/readyz`, `/metrics`.
pub fn ops_router(ready: Ready, metrics: Option<Metrics>, hasher: Hasher) -> Router {
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(readiness))
        .with_state(ready)
        .merge(Router::new().route("/metrics", get(exposition)).with_state((metrics, hasher)))
}

async fn readiness(State(ready): State<Ready>) -> impl IntoResponse {
    if ready.run().await { (StatusCode::OK, "ready\n") } else { (StatusCode::SERVICE_UNAVAILABLE, "not ready\n") }
}

async fn exposition(State((metrics, hasher)): State<(Option<Metrics>, Hasher)>) -> impl IntoResponse {
    telemetry::set_hasher_queue(hasher.queue_depth());
    let text = metrics.map_or_else(String::new, |metrics| metrics.render());
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text)
}
