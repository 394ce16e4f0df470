//! Sending what the outbox holds.

mod deliver;
mod operate;
mod prepare;

pub use deliver::{DeliverMail, Delivered};
pub use operate::OperateOutbox;
pub use prepare::PrepareMail;
