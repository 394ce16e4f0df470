//! What stands in front of every RPC, in this order: is it a gRPC call at all, how long may it take, who makes it, may
//! they. And behind it: does the answer keep the contract.

pub mod callers;

mod admit;
mod at_once;
mod contract;
mod deadline;
mod endless;
mod front;
mod guard;
mod listener;
mod under_way;

pub use admit::Admit;
pub use at_once::AtOnce;
pub use front::{CallBounds, Front};
pub use listener::Listener;
pub use under_way::UnderWay;
