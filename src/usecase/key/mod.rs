//! Keys: made at the first start, opened at every other.

mod prepare;

pub use prepare::{KeyFailure, PrepareKeys};
