//! The verifier as a tower layer.

use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use http::{Request, Response};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use crate::{
    claims::Claims,
    guard::Guard,
    presented::{Asked, Sources},
    refusal::{Protocol, response},
    rejected::Rejected,
    verifier::Verifier,
};

/// Passes requests with a valid token to the service, with [`Claims`] in the extensions of the request, and refuses all
/// others. For gRPC and for plain HTTP, on the server, a router or a single route.
///
/// A token is read from `authorization: Bearer` or else, for browsers, from the cookie `__Host-countersign_access`. If
/// there is an `authorization` header the cookie is not read. A cookie is refused on all methods except GET, HEAD and
/// OPTIONS when a page of another origin sent it; so a handler must not change anything on those three.
///
/// ```no_run
/// # use countersign_verifier::{Guard, Verifier};
/// # fn protect(verifier: &Verifier) {
/// let everybody = verifier.layer();
/// let admins = verifier.layer().require(Guard::role("admin").and(Guard::level("2")));
/// let anybody = verifier.layer().optional();
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct VerifierLayer {
    rules: Arc<Rules>,
}

#[derive(Clone, Debug)]
struct Rules {
    verifier: Verifier,
    sources: Sources,
    optional: bool,
    guard: Option<Guard>,
}

impl Verifier {
    /// This verifier as a tower layer.
    #[must_use]
    pub fn layer(&self) -> VerifierLayer {
        let (verifier, sources) = (self.clone(), Sources::default());
        VerifierLayer { rules: Arc::new(Rules { verifier, sources, optional: false, guard: None }) }
    }
}

impl VerifierLayer {
    /// Also passes requests without a token, without `Claims`. An invalid token is still refused.
    #[must_use]
    pub fn optional(self) -> Self {
        self.with(|rules| rules.optional = true)
    }

    /// Whether the cookie is read; it is by default. Switch it off where no browser calls.
    #[must_use]
    pub fn cookie(self, on: bool) -> Self {
        self.with(|rules| rules.sources.cookie = on)
    }

    /// Accepts the cookie from pages of this origin, too, e.g. `https://app.example.com`. By default only those of the
    /// origin that is called.
    #[must_use]
    pub fn trusted_origin(self, origin: impl Into<String>) -> Self {
        self.with(|rules| rules.sources.trusted_origins.push(origin.into()))
    }

    /// A caller with a token must also meet `guard`. With several calls, all guards.
    #[must_use]
    pub fn require(self, guard: Guard) -> Self {
        self.with(|rules| {
            rules.guard = Some(match rules.guard.take() {
                Some(other) => other.and(guard),
                None => guard,
            });
        })
    }

    fn with(mut self, change: impl FnOnce(&mut Rules)) -> Self {
        change(Arc::make_mut(&mut self.rules));
        self
    }
}

impl Rules {
    /// The verdict, if it needs no waiting; `Ok(None)` is an accepted request without a token. `Err(token)` has to
    /// wait.
    fn judge<B>(&self, request: &Request<B>) -> Result<Result<Option<Claims>, Rejected>, String> {
        let asked = Asked {
            method: request.method(),
            headers: request.headers(),
            authority: request.uri().authority().map(|authority| authority.as_str()),
        };
        let token = match self.sources.token(asked) {
            Ok(Some(token)) => token,
            Ok(None) if self.optional => return Ok(Ok(None)),
            Ok(None) => return Ok(Err(self.verifier.refused(Rejected::Missing))),
            Err(rejected) => return Ok(Err(self.verifier.refused(rejected))),
        };
        match self.verifier.check_at_once(token) {
            Some(checked) => Ok(self.admit(checked)),
            None => Err(token.to_owned()),
        }
    }

    async fn judge_with_patience(&self, token: &str) -> Result<Option<Claims>, Rejected> {
        self.admit(self.verifier.check(token).await)
    }

    fn admit(&self, checked: Result<Claims, Rejected>) -> Result<Option<Claims>, Rejected> {
        let claims = checked?;
        if let Some(guard) = &self.guard {
            claims.require(guard).map_err(|rejected| self.verifier.refused(rejected))?;
        }
        Ok(Some(claims))
    }
}

impl<S> Layer<S> for VerifierLayer {
    type Service = Verified<S>;

    fn layer(&self, inner: S) -> Verified<S> {
        Verified { inner, rules: Arc::clone(&self.rules) }
    }
}

/// A service behind a [`VerifierLayer`].
#[derive(Clone)]
pub struct Verified<S> {
    inner: S,
    rules: Arc<Rules>,
}

impl<S> fmt::Debug for Verified<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verified").field("rules", &self.rules).finish_non_exhaustive()
    }
}

/// Keeps the name by which tonic routes to the service.
impl<S: tonic::server::NamedService> tonic::server::NamedService for Verified<S> {
    const NAME: &'static str = S::NAME;
}

impl<S, B, R> Service<Request<B>> for Verified<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    B: Send + 'static,
    R: Default,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = VerifiedFuture<S, B>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        // Claims that are already there did not come from this layer.
        request.extensions_mut().remove::<Claims>();
        let protocol = Protocol::of(request.method(), request.headers());
        match self.rules.judge(&request) {
            Ok(Ok(claims)) => {
                pass_on(&mut request, claims);
                VerifiedFuture { state: State::Answering { answer: self.inner.call(request) } }
            }
            Ok(Err(rejected)) => VerifiedFuture { state: State::Refused { rejected, protocol } },
            Err(token) => {
                // The service that reported that it is ready handles this request; its clone, which did not, waits for
                // the next one.
                let clone = self.inner.clone();
                let inner = std::mem::replace(&mut self.inner, clone);
                let rules = Arc::clone(&self.rules);
                let judged = Box::pin(async move { rules.judge_with_patience(&token).await });
                VerifiedFuture { state: State::Waiting { judged, then: Some((inner, request)), protocol } }
            }
        }
    }
}

type Judging = Pin<Box<dyn Future<Output = Result<Option<Claims>, Rejected>> + Send>>;

pin_project! {
    /// The answer of the service behind a [`VerifierLayer`], or the refusal.
    pub struct VerifiedFuture<S, B>
    where
        S: Service<Request<B>>,
    {
        #[pin]
        state: State<S, B, S::Future>,
    }
}

pin_project! {
    #[project = Now]
    enum State<S, B, F> {
        Answering { #[pin] answer: F },
        Waiting { judged: Judging, then: Option<(S, Request<B>)>, protocol: Protocol },
        Refused { rejected: Rejected, protocol: Protocol },
    }
}

impl<S, B, R> Future for VerifiedFuture<S, B>
where
    S: Service<Request<B>, Response = Response<R>>,
    R: Default,
{
    type Output = Result<Response<R>, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        loop {
            let next = match state.as_mut().project() {
                Now::Answering { answer } => return answer.poll(cx),
                Now::Refused { rejected, protocol } => return Poll::Ready(Ok(response(rejected, *protocol))),
                Now::Waiting { judged, then, protocol } => {
                    let judged = ready!(judged.as_mut().poll(cx));
                    match (judged, then.take()) {
                        (Ok(claims), Some((mut inner, mut request))) => {
                            pass_on(&mut request, claims);
                            State::Answering { answer: inner.call(request) }
                        }
                        (Err(rejected), _) => State::Refused { rejected, protocol: *protocol },
                        // Only when polled again after the answer, which no caller does.
                        (Ok(_), None) => return Poll::Pending,
                    }
                }
            };
            state.set(next);
        }
    }
}

impl<S: Service<Request<B>>, B> fmt::Debug for VerifiedFuture<S, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifiedFuture").finish_non_exhaustive()
    }
}

fn pass_on<B>(request: &mut Request<B>, claims: Option<Claims>) {
    if let Some(claims) = claims {
        request.extensions_mut().insert(claims);
    }
}
