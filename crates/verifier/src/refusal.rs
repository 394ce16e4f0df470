//! The answer to a refused request, over gRPC and over plain HTTP.

use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};

use crate::rejected::{PublicReason, Rejected};

/// The protocol of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// The content type of the request, one of a closed list.
    Grpc(&'static str),
    Http,
}

impl Protocol {
    pub(crate) fn of(method: &Method, headers: &HeaderMap) -> Self {
        let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        if method != Method::POST {
            return Self::Http;
        }
        // Longer names first: a shorter one is their prefix.
        ["application/grpc-web-text", "application/grpc-web", "application/grpc"]
            .into_iter()
            .find(|name| kind.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with(['+', ';'])))
            .map_or(Self::Http, Self::Grpc)
    }
}

/// The answer to a refused request. Over gRPC a status without a message (Trailers-Only); over HTTP an empty body with
/// the challenge of RFC 6750 section 3 or RFC 9470 section 3.
pub(crate) fn response<B: Default>(rejected: &Rejected, protocol: Protocol) -> Response<B> {
    let mut response = Response::new(B::default());
    let headers = response.headers_mut();
    // A cache could otherwise serve the refusal to other callers.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(challenge) = challenge(rejected) {
        headers.insert(header::WWW_AUTHENTICATE, challenge);
    }
    match protocol {
        Protocol::Grpc(content_type) => {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
            // Fails for text that no header can hold, and these texts are ASCII.
            let _ = tonic::Status::from(rejected.clone()).add_header(headers);
        }
        Protocol::Http => *response.status_mut() = http_code(rejected),
    }
    response
}

fn http_code(rejected: &Rejected) -> StatusCode {
    match rejected.public_reason() {
        // RFC 9470 section 3: 401, because with another token the same request is answered.
        PublicReason::Unauthenticated | PublicReason::StepUp => StatusCode::UNAUTHORIZED,
        PublicReason::PermissionDenied => StatusCode::FORBIDDEN,
        PublicReason::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
    }
}

fn challenge(rejected: &Rejected) -> Option<HeaderValue> {
    let fixed = |text| Some(HeaderValue::from_static(text));
    match rejected {
        // RFC 6750 section 3.1: no error code for a request without a token.
        Rejected::Missing => fixed("Bearer"),
        Rejected::Forbidden => fixed("Bearer error=\"insufficient_scope\""),
        Rejected::CrossOrigin | Rejected::FeedStale | Rejected::NotYetValid => None,
        Rejected::StepUp(wanted) => {
            let mut text = String::from("Bearer error=\"insufficient_user_authentication\"");
            // The backend chooses the level; one that would need escapes is left out.
            let quotable =
                |level: &&str| level.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\'));
            if let Some(level) = wanted.level.as_deref().filter(quotable) {
                text.push_str(&format!(", acr_values=\"{level}\""));
            }
            if let Some(age) = wanted.max_age {
                text.push_str(&format!(", max_age=\"{age}\""));
            }
            HeaderValue::from_str(&text).ok()
        }
        _ => fixed("Bearer error=\"invalid_token\""),
    }
}
