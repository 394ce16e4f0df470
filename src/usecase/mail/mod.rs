//! Sending what the outbox holds.

mod deliver;
mod operate;
mod prepare;
mod status;
mod watch;

pub use deliver::{DeliverMail, Delivered};
pub use operate::{OperateOutbox, Requeued};
pub use prepare::PrepareMail;
pub use status::{MailReport, MailState, MailStatus};
pub use watch::MailServerWatch;
use watch::Round;
