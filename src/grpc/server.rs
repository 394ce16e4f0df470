use super::{
    AccountHandler, AuditHandler, AuthHandler, DevMailboxHandler, FactorHandler, Incoming, SessionHandler,
    VerificationHandler, answering,
    wire::{
        ADMIN_DESCRIPTORS, ADMIN_SERVICES, DESCRIPTORS, DEV_DESCRIPTORS, SERVICES,
        admin_proto::audit_service_server::AuditServiceServer,
        proto::{
            account_service_server::AccountServiceServer, auth_service_server::AuthServiceServer,
            dev_mailbox_service_server::DevMailboxServiceServer, factor_service_server::FactorServiceServer,
            session_service_server::SessionServiceServer, verification_service_server::VerificationServiceServer,
        },
    },
};
use axum::{Router, middleware::from_fn};
use http::{HeaderName, HeaderValue, Request, Response, header};
use std::{convert::Infallible, future::Future, time::Duration};
use tonic::{body::Body, codec::CompressionEncoding::Gzip, service::Routes, transport::Server};
use tonic_health::server::{HealthReporter, health_reporter};
use tower::{Service, ServiceExt as _, util::MapResponseLayer};

/// The limits of one connection.
#[derive(Clone, Copy, Debug)]
pub struct ServerLimits {
    pub concurrent_streams: u32,
    pub message_bytes: usize,
    pub connection_age: Duration,
}

/// The services of this process.
#[derive(Debug)]
pub struct Services {
    pub account: AccountHandler,
    pub auth: AuthHandler,
    pub factor: FactorHandler,
    pub session: SessionHandler,
    pub verification: VerificationHandler,
    /// Only with the `dev` profile.
    pub dev_mailbox: Option<DevMailboxHandler>,
    pub reflection: bool,
}

/// The services for operators.
#[derive(Debug)]
pub struct AdminServices {
    pub audit: AuditHandler,
    pub reflection: bool,
}

/// Sets the status of a listener's services in the standard health service.
#[derive(Clone)]
pub struct GrpcService {
    reporter: HealthReporter,
    /// The services of the listener.
    services: &'static [&'static str],
}

const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(60);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(20);
const MAX_HEADER_BYTES: u32 = 32 * 1024;
/// The name of the server as a whole in the health protocol.
const ALL_SERVICES: &str = "";

/// A health service that reports no service as serving yet.
pub fn health_service() -> (GrpcService, Routes) {
    health_service_of(SERVICES)
}

/// The same, for the operators' listener.
pub fn admin_health_service() -> (GrpcService, Routes) {
    health_service_of(ADMIN_SERVICES)
}

fn health_service_of(services: &'static [&'static str]) -> (GrpcService, Routes) {
    let (reporter, server) = health_reporter();
    (GrpcService { reporter, services }, Routes::new(server.accept_compressed(Gzip)))
}

impl GrpcService {
    /// Sets the status of every service.
    pub async fn set_serving(&self, serving: bool) {
        use tonic_health::ServingStatus::{NotServing, Serving};
        let status = if serving { Serving } else { NotServing };
        for name in self.services.iter().chain([&ALL_SERVICES]) {
            self.reporter.set_service_status(*name, status).await;
        }
    }
}

impl std::fmt::Debug for GrpcService {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("GrpcService")
    }
}

impl Services {
    /// All services as one, `health` first. Requests may use gzip; the size limit covers the decompressed message as
    /// well. Answers are not compressed: they are small, and some hold secrets next to text that a caller chose
    /// (BREACH).
    ///
    /// # Errors
    /// When reflection cannot read our own descriptors.
    pub fn into_routes(self, health: Routes, limits: ServerLimits) -> Result<Routes, String> {
        let most = limits.message_bytes;
        let mut routes = health
            .add_service(
                AccountServiceServer::new(self.account).max_decoding_message_size(most).accept_compressed(Gzip),
            )
            .add_service(AuthServiceServer::new(self.auth).max_decoding_message_size(most).accept_compressed(Gzip))
            .add_service(FactorServiceServer::new(self.factor).max_decoding_message_size(most).accept_compressed(Gzip))
            .add_service(
                SessionServiceServer::new(self.session).max_decoding_message_size(most).accept_compressed(Gzip),
            )
            .add_service(
                VerificationServiceServer::new(self.verification)
                    .max_decoding_message_size(most)
                    .accept_compressed(Gzip),
            );
        // Reflection describes only the services that exist.
        let descriptors = if self.dev_mailbox.is_some() { DEV_DESCRIPTORS } else { DESCRIPTORS };
        if let Some(mailbox) = self.dev_mailbox {
            routes = routes.add_service(
                DevMailboxServiceServer::new(mailbox).max_decoding_message_size(most).accept_compressed(Gzip),
            );
        }
        if self.reflection { describe(routes, descriptors) } else { Ok(routes) }
    }
}

impl AdminServices {
    /// All services as one, `health` first.
    ///
    /// # Errors
    /// When reflection cannot read our own descriptors.
    pub fn into_routes(self, health: Routes, limits: ServerLimits) -> Result<Routes, String> {
        let audit =
            AuditServiceServer::new(self.audit).max_decoding_message_size(limits.message_bytes).accept_compressed(Gzip);
        let routes = health.add_service(audit);
        if self.reflection { describe(routes, ADMIN_DESCRIPTORS) } else { Ok(routes) }
    }
}

/// Adds reflection.
fn describe(routes: Routes, descriptors: &'static [u8]) -> Result<Routes, String> {
    let builder = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(descriptors)
            .register_encoded_file_descriptor_set(tonic_types::pb::FILE_DESCRIPTOR_SET)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
    };
    // grpcurl and Python still use v1alpha.
    Ok(routes
        .add_service(builder().build_v1().map_err(|error| error.to_string())?.accept_compressed(Gzip))
        .add_service(builder().build_v1alpha().map_err(|error| error.to_string())?.accept_compressed(Gzip)))
}

/// The headers of every answer that does not set its own: it is for this caller alone (RFC 9111 section 5.2.2.5), and
/// it has the content type that it states (OWASP ASVS 5.0 requirement 3.4.4).
const PRIVATE: [(HeaderName, HeaderValue); 2] = [
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
];

fn keep_private<B>(mut response: Response<B>) -> Response<B> {
    for (name, value) in PRIVATE {
        response.headers_mut().entry(name).or_insert(value);
    }
    response
}

/// Serves calls and pages on one port until `stop` resolves and all calls are answered. A path without a page goes to
/// `calls`.
///
/// # Errors
/// When the connections cannot be served.
pub async fn serve<C>(
    calls: C,
    pages: Router,
    incoming: Incoming,
    limits: ServerLimits,
    stop: impl Future<Output = ()>,
) -> Result<(), tonic::transport::Error>
where
    C: Service<Request<axum::body::Body>, Response = Response<Body>, Error = Infallible>,
    C: Clone + Send + Sync + 'static,
    C::Future: Send,
{
    let pages = pages.layer(MapResponseLayer::new(keep_private::<axum::body::Body>)).layer(from_fn(answering::count));
    Server::builder()
        .accept_http1(true)
        .max_concurrent_streams(limits.concurrent_streams)
        .max_connection_age(limits.connection_age)
        .http2_keepalive_interval(Some(KEEPALIVE_INTERVAL))
        .http2_keepalive_timeout(Some(KEEPALIVE_TIMEOUT))
        .http2_max_header_list_size(MAX_HEADER_BYTES)
        .add_routes(Routes::from(pages.fallback_service(calls.map_response(keep_private))))
        .serve_with_incoming_shutdown(incoming, stop)
        .await
}
