//! Claims as arguments of axum handlers.

use axum_core::{
    body::Body,
    extract::{FromRequestParts, OptionalFromRequestParts},
    response::{IntoResponse, Response},
};
use http::request::Parts;

use crate::{
    claims::Claims,
    refusal::{Protocol, response},
    rejected::Rejected,
};

/// The claims that the [layer](crate::VerifierLayer) of the route stored. Without the layer there are none, and the
/// answer is 401: a route without the layer by mistake is closed to everybody.
impl<S: Sync> FromRequestParts<S> for Claims {
    type Rejection = Rejected;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Rejected> {
        parts.extensions.get::<Self>().cloned().ok_or(Rejected::Missing)
    }
}

/// For routes behind [`VerifierLayer::optional`](crate::VerifierLayer::optional): `Option<Claims>`.
impl<S: Sync> OptionalFromRequestParts<S> for Claims {
    type Rejection = Rejected;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Rejected> {
        Ok(parts.extensions.get::<Self>().cloned())
    }
}

/// 401, 403 or 503 with the right challenge, so that a handler can answer `claims.require(&guard)?`.
impl IntoResponse for Rejected {
    fn into_response(self) -> Response {
        response::<Body>(&self, Protocol::Http)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

    use std::{
        pin::pin,
        task::{Context, Poll, Waker},
    };

    use super::*;

    fn now<T>(future: impl Future<Output = T>) -> T {
        match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(value) => value,
            Poll::Pending => panic!("an extractor that waits"),
        }
    }

    #[test]
    fn a_route_without_the_layer_answers_nobody() {
        let (mut parts, ()) = http::Request::new(()).into_parts();
        assert_eq!(now(<Claims as FromRequestParts<()>>::from_request_parts(&mut parts, &())), Err(Rejected::Missing));
        assert_eq!(now(<Claims as OptionalFromRequestParts<()>>::from_request_parts(&mut parts, &())), Ok(None));
        let answer = Rejected::Missing.into_response();
        assert_eq!(answer.status(), http::StatusCode::UNAUTHORIZED);
        assert_eq!(answer.headers()["www-authenticate"], "Bearer");
    }

    #[test]
    fn claims_that_the_layer_left_are_found() {
        let body = countersign_token::AccessClaims {
            issuer: "i".to_owned(),
            audience: "a".to_owned(),
            subject: "s".to_owned(),
            issued_at: 1,
            expires_at: 2,
            token_id: "j".to_owned(),
            session_id: "d".to_owned(),
            tenant_id: "t".to_owned(),
            roles: Vec::new(),
            methods: Vec::new(),
            level: "1".to_owned(),
            authenticated_at: 1,
        };
        let claims = Claims::new(std::sync::Arc::new(body), 1);
        let (mut parts, ()) = http::Request::new(()).into_parts();
        parts.extensions.insert(claims.clone());
        assert_eq!(now(<Claims as FromRequestParts<()>>::from_request_parts(&mut parts, &())), Ok(claims));
    }
}
