//! The operators' door: one file per service, and `door.rs` in front of them.

mod audit;
mod door;

pub use audit::AuditDoor;
pub use door::OperatorsDoor;
