//! What stands in front of every RPC, in this order: is it a gRPC call at all, how long may it take, who makes it, may
//! they. And behind it: does the answer keep the contract.

pub mod callers;

mod admit;
mod contract;
mod deadline;
mod front;
mod guard;
mod listener;

pub use admit::Admit;
pub use front::Front;
pub use listener::Listener;
