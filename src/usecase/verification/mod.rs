//! The RPCs by which backends check tokens, online or offline.

mod hand_out_keys;
mod introspect;

pub use hand_out_keys::{HandOutKeys, HandedOut};
pub use introspect::{Introspect, Introspected};
