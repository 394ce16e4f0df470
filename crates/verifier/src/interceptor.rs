//! The verifier in front of one tonic service.

use http::Method;
use tonic::{Request, Status, service::Interceptor};

use crate::{
    guard::Guard,
    presented::{Asked, Sources},
    rejected::Rejected,
    verifier::Verifier,
};

/// Lets through calls that carry a good token, with [`Claims`](crate::Claims) among the extensions of the request:
/// `OrdersServer::with_interceptor(orders, verifier.interceptor())`. Looks where the layer looks, but never waits: with
/// a key that is not held yet, and under [`StalePolicy::Introspect`](crate::StalePolicy::Introspect), the
/// [layer](crate::VerifierLayer) knows better.
#[derive(Clone, Debug)]
pub struct VerifierInterceptor {
    verifier: Verifier,
    sources: Sources,
    guard: Option<Guard>,
}

impl Verifier {
    /// This verifier as an interceptor of tonic.
    #[must_use]
    pub fn interceptor(&self) -> VerifierInterceptor {
        VerifierInterceptor { verifier: self.clone(), sources: Sources::default(), guard: None }
    }
}

impl VerifierInterceptor {
    /// Whether the cookie is looked at; it is by default.
    #[must_use]
    pub fn cookie(mut self, on: bool) -> Self {
        self.sources.cookie = on;
        self
    }

    /// The caller must also be what `guard` asks for. Of several, all.
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
        // Every call of gRPC is a POST. Its authority does not come this far; `host` is there over HTTP/1.1 only.
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
