//! Reading the audit trail.

mod read;

pub use read::ReadAudit;
