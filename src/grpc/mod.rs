//! gRPC: one file per service.
//!
//! A handler reads its message, calls one use case and writes the answer. The middleware in `layer/` decides who may
//! call, and `status.rs` decides the form of every error.
//!
//! **Architecture invariant:** tonic and generated code are named only here and in the browsers' shim, `http/grpc_web`.

mod account;
mod admin;
mod answering;
mod auth;
mod browser;
mod call;
mod dev_mailbox;
mod factor;
mod incoming;
mod layer;
mod refusing;
mod server;
mod session;
mod stream;
mod verification;

pub mod status;
pub mod wire;

pub use account::AccountHandler;
pub use admin::{AuditHandler, OperatorsHandler};
pub use auth::AuthHandler;
pub use browser::{Browser, ChallengeChange, CookieChange, HeldTokens};
pub use dev_mailbox::DevMailboxHandler;
pub use factor::FactorHandler;
pub use incoming::{AnswerOnConnection, CallOnConnection, Connection, Incoming, IncomingLimits, OpenConnection, Peer};
pub use layer::{Authorize, CallBounds, CallService, ConcurrencyLimit, Listener, UnderWay, callers};
pub use server::{AdminServices, GrpcService, ServerLimits, Services, admin_health_service, health_service, serve};
pub use session::SessionHandler;
pub use verification::VerificationHandler;
