//! The one place that knows every type: settings become means, means become stories, stories become doors.

mod commands;
mod doors;
mod means;
mod service;

use std::fmt;

pub use commands::{mailbox, operate_accounts, operate_outbox, read_audit};
pub use means::{Means, World};
pub use service::{Listeners, Service};

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
