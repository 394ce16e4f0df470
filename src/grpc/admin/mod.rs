//! The operators' services: one file per service, and `handler.rs` before all of them.

mod audit;
mod handler;

pub use audit::AuditHandler;
pub use handler::OperatorsHandler;
