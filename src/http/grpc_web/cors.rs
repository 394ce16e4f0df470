use http::{HeaderName, HeaderValue, Method, header};
use std::time::Duration;
use tower_http::cors::{AllowOrigin, CorsLayer};

/// How long a browser may cache a preflight.
const PREFLIGHT_LIFE: Duration = Duration::from_mins(10);
/// The headers that grpc-web clients send.
const SENT: [HeaderName; 5] = [
    header::CONTENT_TYPE,
    HeaderName::from_static("grpc-timeout"),
    HeaderName::from_static("x-countersign-tenant"),
    HeaderName::from_static("x-grpc-web"),
    HeaderName::from_static("x-user-agent"),
];
/// The headers with the status of an answer without a message. A page that cannot read them sees an incomplete answer.
const READ: [HeaderName; 3] = [
    HeaderName::from_static("grpc-status"),
    HeaderName::from_static("grpc-message"),
    HeaderName::from_static("grpc-status-details-bin"),
];

/// Allows the pages of exactly these origins to call with cookies and to read the answers. Other origins get no
/// permission.
pub(super) fn layer(origins: &[String]) -> Result<CorsLayer, String> {
    let origins: Result<Vec<_>, _> = origins.iter().map(|origin| HeaderValue::from_str(origin)).collect();
    let origins = origins.map_err(|error| error.to_string())?;
    Ok(CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins))
        .allow_credentials(true)
        .allow_methods([Method::POST])
        .allow_headers(SENT)
        .expose_headers(READ)
        .max_age(PREFLIGHT_LIFE))
}
