//! The audit log: sealed after the commit, read, watched, verified, and purged after its retention.

mod deletions;
mod fault;
mod finding;
mod forget;
mod head;
mod line;
mod read;
mod restart;
mod seal;
mod upgrade;
mod verify;
mod watch;
mod watchers;

pub use countersign_domain::audit::{Finding, Found, Seen, Summary};
pub use fault::ChainFault;
pub use finding::{FindingText, end_of};
pub use forget::ForgetEvents;
pub use line::{OpenLine, line};
pub use read::{AuditPage, ReadAudit};
pub use restart::{RestartAuditLog, Restarted};
pub use seal::SealEvents;
pub use upgrade::UpgradeAuditLog;
pub use verify::VerifyAuditLog;
pub use watch::{AuditUpdate, AuditWatch, WatchEvents};
pub use watchers::AuditLogWatchers;
