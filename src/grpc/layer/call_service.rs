use super::{
    Authorize, ConcurrencyLimit, UnderWay, authorize, callers, concurrency::ConcurrencyPermit, contract, deadline,
    endless::Endless, guard,
};
use crate::{
    grpc::{
        Peer,
        refusing::{NOBODY, Refusing},
    },
    runtime::{Stopwatch, sleep, timeout},
    telemetry,
    usecase::{Failure, Origin},
};
use countersign_domain::{
    caller::{CallerRule, Requirement},
    limit::AddressPrefix,
    refusal::{Reason, Refusal},
};
use http::{Request, Response};
use std::{
    convert::Infallible,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use tonic::{body::Body, service::Routes};
use tower::{Service, ServiceExt as _};
use tracing::Instrument as _;

/// How long calls may take, and how many one client may make at once.
#[derive(Clone, Debug)]
pub struct CallBounds {
    pub request_timeout: Duration,
    /// After how long the client is requested to end its connection: its streams end with it.
    pub connection_age: Duration,
    /// The longest duration of an unauthenticated stream.
    pub anonymous_stream_age: Duration,
    /// Unauthenticated streams of one client.
    pub anonymous_streams: ConcurrencyLimit,
    /// Calls that trusted proxies make for one client.
    pub forwarded_calls: ConcurrencyLimit,
}

/// Handles every RPC: nothing else reaches the handlers.
#[derive(Clone, Debug)]
pub struct CallService {
    authorize: Arc<Authorize>,
    routes: Routes,
    bounds: Arc<CallBounds>,
    under_way: UnderWay,
}

/// When a client at its limit of concurrent calls may try again.
const AT_ONCE_WAIT: Duration = Duration::from_secs(1);
/// The label of an unknown RPC.
const UNKNOWN: &str = "unknown";

impl CallService {
    pub fn new(authorize: Authorize, routes: Routes, bounds: CallBounds, under_way: UnderWay) -> Self {
        Self { authorize: Arc::new(authorize), routes: routes.prepare(), bounds: Arc::new(bounds), under_way }
    }

    /// Refuses a request that is not a gRPC call.
    pub fn refuse<B>(request: &Request<B>) -> Option<Response<Body>> {
        guard::refuse(request)
    }

    /// Refuses a call before authentication.
    pub fn refusal(&self, reason: Reason) -> Response<Body> {
        let call = Refusing {
            log: &self.authorize.refusals,
            rpc: UNKNOWN,
            request_id: &self.authorize.trace_id(),
            address: "",
            caller: NOBODY,
        };
        let response = call.refuse(&reason.into()).into_http();
        telemetry::count_rpc(UNKNOWN, contract::code(response.headers()), Duration::ZERO);
        response
    }

    async fn handle(self, request: Request<Body>) -> Response<Body> {
        let stopwatch = Stopwatch::start();
        // Only names of the table become labels: a caller must not be able to create new ones.
        let rpc = self.authorize.listener.find(request.uri().path()).map_or(UNKNOWN, |(path, _)| path);
        let limit = deadline::of(request.headers(), self.bounds.request_timeout);
        let origin = self.authorize.origin(rpc, request.headers(), request.extensions());
        let (request_id, address) = (origin.trace_id.clone(), origin.address.clone());
        let refusals = self.authorize.refusals.clone();
        let (head, body) = request.into_parts();
        let (_under_way, body) = self.under_way.begin(head.extensions.get::<Peer>().cloned(), body);
        let request = Request::from_parts(head, body);
        // A call without time left is not begun.
        let span = tracing::debug_span!("rpc", otel.name = rpc, request_id);
        let answered =
            if limit.is_zero() { None } else { timeout(limit, self.pass(request, origin).instrument(span)).await };
        let response = answered.unwrap_or_else(|| Err(Reason::DeadlineExceeded.into()));
        let call = Refusing { log: &refusals, rpc, request_id: &request_id, address: &address, caller: NOBODY };
        let response = match response {
            Ok(response) if callers::is_standard(rpc) => contract::name_end(contract::keep(response, &call), &call),
            Ok(response) => contract::keep(response, &call),
            Err(failure) => call.refuse(&failure).into_http(),
        };
        telemetry::count_rpc(rpc, contract::code(response.headers()), stopwatch.elapsed());
        response
    }

    async fn pass(self, request: Request<Body>, origin: Origin) -> Result<Response<Body>, Failure> {
        let (mut head, body) = request.into_parts();
        let peer = head.extensions.get::<Peer>().cloned();
        let line = self.authorize.listener.find(head.uri.path());
        let forwarded = self.forwarded(peer.as_ref(), &origin, line)?;
        let client = authorize::client(&origin);
        let call = self.authorize.authorize(&head, origin).await?;
        let stream =
            line.filter(|(path, _)| callers::is_stream(path)).map(|(_, required)| is_for_anybody(required.caller));
        let anonymous = match client.filter(|_| stream == Some(true)) {
            Some(client) => Some(enter(&self.bounds.anonymous_streams, client, "streams_per_ip")?),
            None => None,
        };
        head.extensions.insert(call);
        let answered = self.routes.clone().oneshot(Request::from_parts(head, body)).await;
        let response = answered.map_err(|error| Failure::Broken(error.to_string()))?;
        let Some(is_anonymous) = stream else { return Ok(response) };
        let end = self.end_of_stream(peer.as_ref(), is_anonymous);
        // An unauthenticated stream does not protect its connection from being closed for a new one.
        let on_connection = peer.filter(|_| !is_anonymous).map(|peer| peer.begin_call());
        Ok(response.map(|body| Endless::until(end, body, (forwarded, anonymous, on_connection))))
    }

    /// Counts a call of a proxy's client. Calls of services are counted by service: many services share an address and
    /// call often.
    fn forwarded(
        &self,
        peer: Option<&Peer>,
        origin: &Origin,
        line: Option<(&'static str, Requirement)>,
    ) -> Result<Option<ConcurrencyPermit>, Failure> {
        let peer = peer.filter(|_| line.is_none_or(|(_, required)| required.caller != CallerRule::Service));
        let Some(client) = peer.and_then(|peer| self.authorize.forwarded_for(peer, origin)) else { return Ok(None) };
        enter(&self.bounds.forwarded_calls, client, "forwarded_calls_per_ip").map(Some)
    }

    /// Resolves when a stream must end: with its connection, when the service stops, or after the longest duration of
    /// an unauthenticated stream.
    fn end_of_stream(&self, peer: Option<&Peer>, is_anonymous: bool) -> impl Future<Output = ()> + Send + 'static {
        let CallBounds { connection_age, anonymous_stream_age, .. } = *self.bounds;
        let open = peer.map_or(Duration::ZERO, |peer| peer.connection.opened.elapsed());
        let left = connection_age.saturating_sub(open);
        let life = if is_anonymous { left.min(anonymous_stream_age) } else { left };
        let stopped = self.under_way.clone().stopped();
        async move {
            tokio::select! {
                () = sleep(life) => {}
                () = stopped => {}
            }
        }
    }
}

/// Whether callers need no authentication.
fn is_for_anybody(rule: CallerRule) -> bool {
    matches!(rule, CallerRule::Anyone | CallerRule::Development)
}

fn enter(
    concurrency: &ConcurrencyLimit,
    client: AddressPrefix,
    limit: &'static str,
) -> Result<ConcurrencyPermit, Failure> {
    concurrency.enter(client).ok_or_else(|| {
        telemetry::count_limited(limit);
        Refusal::from(Reason::RateLimited).retry_after(AT_ONCE_WAIT).into()
    })
}

impl Service<Request<Body>> for CallService {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let call_service = self.clone();
        Box::pin(async move { Ok(call_service.handle(request).await) })
    }
}
