//! Redis through fred, and the same in this process.

mod feed;
mod first_uses;
mod follower_slots;
mod limiter;
mod lockout;
mod redis;
mod shared_redis;
mod wake;

pub use feed::{Feed, FeedState};
pub use first_uses::FirstUses;
pub use follower_slots::{FollowerSlot, FollowerSlots};
pub use limiter::Limiter;
pub use lockout::{Admitted, LockKey, Lockout};
pub use redis::RedisFault;
pub use shared_redis::SharedRedis;
pub use wake::WakeUps;
