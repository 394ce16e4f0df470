//! What no longer holds: how this process hears of it, and how it tells those who check tokens by themselves.

mod follow;
mod watch;

pub use follow::FollowRevocations;
pub use watch::{FeedMessage, Message, Watch, WatchRevocations};
