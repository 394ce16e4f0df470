//! Redis through fred, and its in-process twin.

mod feed;
mod limiter;
mod redis;
mod seats;
mod wake;

pub use feed::{Feed, Tide};
pub use limiter::Limiter;
pub use redis::RedisFault;
pub use seats::{Seat, Seats};
pub use wake::{Topic, WakeUps};
