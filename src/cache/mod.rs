//! Redis through fred, and its in-process twin.

mod wake;

pub use wake::{Topic, WakeFault, WakeUps};
