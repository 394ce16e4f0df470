//! Sending the mails of the outbox.

mod deliver;
mod list;
mod prepare;
mod requeue;
mod status;
mod watch;

pub use deliver::{DeliverMail, Delivered};
pub use list::ListOutbox;
pub use prepare::PrepareMail;
pub use requeue::{RequeueMail, Requeued};
pub use status::{MailReport, MailState, MailStatus};
pub use watch::MailServerWatch;
use watch::Round;
