//! Revocations: how this process reads them, and how it streams them to backends that verify tokens offline.

mod follow;
mod watch;

pub use follow::FollowRevocations;
pub use watch::{FeedMessage, Message, Watch, WatchRevocations};
