//! Redis through fred, and its in-process twin.

mod feed;
mod seats;
mod wake;

pub use feed::{Feed, Tide};
pub use seats::{Seat, Seats};
pub use wake::{Topic, WakeFault, WakeUps};
