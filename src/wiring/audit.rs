use super::{StartFault, use_cases::UseCases};
use crate::{
    config::{AuditLines, Config},
    grpc::{AdminServices, AuditHandler},
    telemetry::AuditLog,
    usecase::audit::{ForgetEvents, SealEvents, WatchEvents},
};
use std::sync::Arc;
use tokio::sync::Semaphore;

/// The most streams of the audit log at once. There are few operators, and each stream polls the database once a
/// second.
const MOST_WATCHERS: usize = 32;

/// Builds the use cases of the audit log.
impl UseCases<'_> {
    pub(super) fn seal_events(&self) -> SealEvents {
        SealEvents {
            store: self.store(),
            reload: self.adapters.reload.clone(),
            clock: self.clock(),
            entropy: self.entropy(),
            log: audit_log(self.config),
            watchers: self.adapters.audit_watchers.clone(),
            turn: Arc::default(),
        }
    }

    pub(super) fn forget_events(&self) -> ForgetEvents {
        ForgetEvents { store: self.store(), seal: self.seal_events() }
    }

    pub(super) fn admin_services(&self) -> AdminServices {
        let read = self.store_operations().read_audit;
        let watch = WatchEvents {
            read: read.clone(),
            watchers: self.adapters.audit_watchers.clone(),
            slots: Arc::new(Semaphore::new(MOST_WATCHERS)),
            longest: self.config.server.max_connection_age,
        };
        AdminServices { audit: AuditHandler { read, watch }, reflection: self.config.server.reflection }
    }
}

/// Where sealed events are written.
pub(super) fn audit_log(config: &Config) -> AuditLog {
    match &config.audit.output {
        AuditLines::Off => AuditLog::Off,
        AuditLines::Stderr => AuditLog::Stderr,
        AuditLines::File(path) => AuditLog::File(path.clone()),
    }
}

/// Opens the log of events. It may be in the data folder, so that folder must exist. A file that cannot be written is
/// reported now, and not when the first line is lost.
///
/// # Errors
/// With the file, when it cannot be written.
pub(super) async fn open_audit_log(config: &Config) -> Result<(), StartFault> {
    let log = audit_log(config);
    let opened = log.open().await;
    opened.map_err(|error| match &log {
        AuditLog::File(path) => {
            StartFault::because("audit.output", format!("cannot write {}: {error}", path.display()))
        }
        AuditLog::Off | AuditLog::Stderr => StartFault::because("audit.output", error),
    })
}
