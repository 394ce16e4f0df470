//! Redis through fred, and its in-process twin.

mod feed;
mod first_uses;
mod limiter;
mod lockout;
mod redis;
mod seats;
mod shared_redis;
mod wake;

pub use feed::{Feed, Tide};
pub use first_uses::FirstUses;
pub use limiter::Limiter;
pub use lockout::{Admitted, LockKey, Lockout};
pub use redis::RedisFault;
pub use seats::{Seat, Seats};
pub use shared_redis::SharedRedis;
pub use wake::WakeUps;
