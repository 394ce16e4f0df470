//! The plain HTTP doors: the pages mailed links lead to, and what operators probe.

mod ops;
mod pages;

pub use ops::ops_router;
pub use pages::pages_router;
