//! Redis through fred, and its in-process twin.

mod feed;
mod wake;

pub use feed::{Feed, Seat, Tide};
pub use wake::{Topic, WakeFault, WakeUps};
