//! The one place that knows every type: settings become adapters, adapters become use cases, use cases become handlers.

mod adapters;
mod authentication;
mod capacity;
mod captcha;
mod commands;
mod key_operations;
mod outbound;
mod service;
mod starting;
mod trail;
mod trial;
mod use_cases;

use std::fmt;

pub use adapters::{Adapters, World};
pub use commands::{
    create_account, end_sessions, list_audiences, list_keys, mail_status, mailbox, operate_accounts, operate_keys,
    operate_outbox, operate_roles, operate_services, read_audit, restart_audit, verify_audit,
};
pub use key_operations::KeyOperations;
pub use service::{Listeners, Service};
pub use starting::StartingProbes;
pub use trial::try_files;

/// Why the service cannot start, or a command cannot run. The text is for the person at the terminal.
#[derive(Debug)]
pub struct StartFault(String);

impl StartFault {
    fn because(what: &str, why: impl fmt::Display) -> Self {
        Self(format!("{what}: {why}"))
    }
}

impl fmt::Display for StartFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for StartFault {}
