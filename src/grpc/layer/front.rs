use super::{Admit, contract, deadline, guard};
use crate::{
    grpc::status,
    runtime::{Stopwatch, timeout},
    telemetry,
    usecase::{Failure, Origin},
};
use countersign_domain::refusal::Reason;
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

/// The one way to an RPC.
#[derive(Clone, Debug)]
pub struct Front {
    admit: Arc<Admit>,
    routes: Routes,
    request_timeout: Duration,
}

impl Front {
    pub fn new(admit: Admit, routes: Routes, request_timeout: Duration) -> Self {
        Self { admit: Arc::new(admit), routes: routes.prepare(), request_timeout }
    }

    /// Refuses what is no gRPC call at all.
    pub fn refuse<B>(request: &Request<B>) -> Option<Response<Body>> {
        guard::refuse(request)
    }

    /// Refuses a call before anybody looks at who makes it.
    pub fn turn_away(&self, reason: Reason) -> Response<Body> {
        let trace_id = self.admit.trace_id();
        let response = status::of(&reason.into(), &trace_id).into_http();
        telemetry::count_rpc("unknown", contract::code(response.headers()), Duration::ZERO);
        response
    }

    async fn handle(self, request: Request<Body>) -> Response<Body> {
        let stopwatch = Stopwatch::start();
        // Only names of the table become labels: a caller must not be able to make new ones.
        let rpc = self.admit.listener.find(request.uri().path()).map_or("unknown", |(path, _)| path);
        let limit = deadline::of(request.headers(), self.request_timeout);
        let origin = self.admit.origin(request.headers(), request.extensions());
        let trace_id = origin.trace_id.clone();
        // Nothing is begun that could not be finished.
        let answered = if limit.is_zero() { None } else { timeout(limit, self.pass(request, origin)).await };
        let response = answered.unwrap_or_else(|| Err(Reason::DeadlineExceeded.into()));
        let response = match response {
            Ok(response) => contract::keep(response, &trace_id),
            Err(failure) => status::of(&failure, &trace_id).into_http(),
        };
        telemetry::count_rpc(rpc, contract::code(response.headers()), stopwatch.elapsed());
        response
    }

    async fn pass(self, request: Request<Body>, origin: Origin) -> Result<Response<Body>, Failure> {
        let (mut head, body) = request.into_parts();
        let call = self.admit.run(&head, origin).await?;
        head.extensions.insert(call);
        self.routes.oneshot(Request::from_parts(head, body)).await.map_err(|error| Failure::Broken(error.to_string()))
    }
}

impl Service<Request<Body>> for Front {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let front = self.clone();
        Box::pin(async move { Ok(front.handle(request).await) })
    }
}
