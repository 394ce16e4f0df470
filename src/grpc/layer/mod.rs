//! The middleware of every RPC, in this order: refuse what is not a gRPC call, set the deadline, authenticate the
//! caller, check permission. After the handler: check that the answer keeps the contract.

pub mod callers;

mod authorize;
mod call_service;
mod concurrency;
mod contract;
mod deadline;
mod endless;
mod guard;
mod listener;
mod under_way;

pub use authorize::Authorize;
pub use call_service::{CallBounds, CallService};
pub use concurrency::ConcurrencyLimit;
pub use listener::Listener;
pub use under_way::UnderWay;
