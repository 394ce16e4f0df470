//! The verifier as an interceptor of one tonic service.

use http::Method;
use tonic::{Request, Status, service::Interceptor};

use crate::{
    guard::Guard,
    presented::{Asked, Sources},
    rejected::Rejected,
    verifier::Verifier,
};

/// Accepts calls with a valid token, and stores [`Claims`](crate::Claims) in the extensions of the request:
/// `OrdersServer::with_interceptor(orders, verifier.interceptor())`. Reads the token from the same places as the layer,
/// but never waits: for a key that it does not hold yet, and under
/// [`StalePolicy::Introspect`](crate::StalePolicy::Introspect), use the [layer](crate::VerifierLayer).
#[derive(Clone, Debug)]
pub struct VerifierInterceptor {
    verifier: Verifier,
    sources: Sources,
    guard: Option<Guard>,
}

impl Verifier {
    /// This verifier as a tonic interceptor.
    #[must_use]
    pub fn interceptor(&self) -> VerifierInterceptor {
        VerifierInterceptor { verifier: self.clone(), sources: Sources::default(), guard: None }
    }
}

impl VerifierInterceptor {
    /// Whether the cookie is read; it is by default.
    #[must_use]
    pub fn cookie(mut self, on: bool) -> Self {
        self.sources.cookie = on;
        self
    }

    /// The caller must also meet `guard`. With several calls, all guards.
    #[must_use]
    pub fn require(mut self, guard: Guard) -> Self {
        self.guard = Some(match self.guard.take() {
            Some(other) => other.and(guard),
            None => guard,
        });
        self
    }
}

impl Interceptor for VerifierInterceptor {
    fn call(&mut self, request: Request<()>) -> Result<Request<()>, Status> {
        let (metadata, mut extensions, message) = request.into_parts();
        let headers = metadata.into_headers();
        // gRPC always uses POST. Interceptors do not receive `:authority`; `host` exists over HTTP/1.1 only.
        let asked = Asked { method: &Method::POST, headers: &headers, authority: None };
        let token = self.sources.token(asked).and_then(|token| token.ok_or(Rejected::Missing));
        let claims = self.verifier.verify(token.map_err(|rejected| self.verifier.refused(rejected))?)?;
        if let Some(guard) = &self.guard {
            claims.require(guard).map_err(|rejected| self.verifier.refused(rejected))?;
        }
        extensions.insert(claims);
        let metadata = tonic::metadata::MetadataMap::from_headers(headers);
        Ok(Request::from_parts(metadata, extensions, message))
    }
}
