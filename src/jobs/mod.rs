//! Background work. Every replica runs every job: two runs at once do no harm, so there is no leader.

mod count_hash_costs;
mod follow_revocations;
mod mail;
mod note_uses;
mod purge;
mod rotate_keys;
mod seal_events;
mod watch_health;

pub use count_hash_costs::count_hash_costs;
pub use follow_revocations::follow_revocations;
pub use mail::send_mail;
pub use note_uses::note_uses;
pub use purge::purge;
pub use rotate_keys::rotate_keys;
pub use seal_events::seal_events;
pub use watch_health::watch_health;
