//! Assembles the service, and is the only module that names every type: settings become adapters, adapters become use
//! cases, use cases become handlers.

mod accounts;
mod adapters;
mod audit;
mod authentication;
mod capacity;
mod captcha;
mod factors;
mod jobs;
mod operations;
mod outbound;
mod pages;
mod service;
mod starting;
mod terminal;
mod trial;
mod use_cases;

use std::fmt;

pub use adapters::{Adapters, World};
pub use operations::{KeyOperations, RecordedOperations, StoreOperations};
pub use service::{Listeners, Service};
pub use starting::StartingProbes;
pub use terminal::{Terminal, mailbox};
pub use trial::try_files;

/// Why the service cannot start, or a command cannot run. The text is for the operator at the terminal.
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
