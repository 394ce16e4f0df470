//! What stands in call_service of every RPC, in this order: is it a gRPC call at all, how long may it take, who makes
//! it, may they. And behind it: does the answer keep the contract.

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
