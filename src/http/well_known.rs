use super::hardening::harden;
use crate::usecase::key::PublishKeys;
use axum::{
    Router,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use countersign_domain::key::KEY_SET_CACHE_LIFE;

/// Serves `/.well-known/jwks.json`, the public keys that verify access tokens, and `/.well-known/webauthn`, the origins
/// outside the domain of passkeys whose pages may ask for them (WebAuthn Level 3 section 5.11).
pub fn well_known_router(publish: PublishKeys, related_origins: &[String]) -> Router {
    let router = Router::new().route("/.well-known/jwks.json", get(jwks)).with_state(publish);
    if related_origins.is_empty() {
        return router;
    }
    let document = serde_json::json!({ "origins": related_origins }).to_string();
    router.route("/.well-known/webauthn", get(|| async { webauthn(document) }))
}

fn webauthn(document: String) -> Response {
    let mut response = document.into_response();
    let headers = response.headers_mut();
    harden(headers);
    headers.remove("cross-origin-resource-policy");
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, TO_ANYBODY);
    response
}

/// RFC 7517 section 8.5.2.
const JWK_SET: HeaderValue = HeaderValue::from_static("application/jwk-set+json");
/// The keys are public, and browsers send no cookie when every origin is allowed.
const TO_ANYBODY: HeaderValue = HeaderValue::from_static("*");

async fn jwks(State(publish): State<PublishKeys>, headers: HeaderMap) -> Response {
    let keys = publish.publish();
    let is_known = headers.get_all(header::IF_NONE_MATCH).iter().any(|known| names(known, &keys.tag));
    let mut response =
        if is_known { StatusCode::NOT_MODIFIED.into_response() } else { keys.json.clone().into_response() };
    let headers = response.headers_mut();
    harden(headers);
    // Any page may fetch it.
    headers.remove("cross-origin-resource-policy");
    headers.insert(header::CONTENT_TYPE, JWK_SET);
    // A key is published long before its first use, so a cached answer may be a little old.
    if let Ok(lifetime) = HeaderValue::try_from(format!("public, max-age={}", KEY_SET_CACHE_LIFE.as_secs())) {
        headers.insert(header::CACHE_CONTROL, lifetime);
    }
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, TO_ANYBODY);
    if let Ok(tag) = HeaderValue::from_str(&keys.tag) {
        headers.insert(header::ETAG, tag);
    }
    response
}

/// Whether an `If-None-Match` names this tag (RFC 9110 section 13.1.2). A proxy may have changed it to a weak tag.
fn names(known: &HeaderValue, tag: &str) -> bool {
    let Ok(known) = known.to_str() else { return false };
    known.split(',').map(str::trim).any(|known| known == "*" || known.trim_start_matches("W/") == tag)
}
