//! Work that nobody waits for. Every replica runs every job: each is safe to run twice at once, so none needs a leader.

mod mail;
mod purge;
mod watch_health;

pub use mail::send_mail;
pub use purge::purge;
pub use watch_health::watch_health;
