//! The plain HTTP doors: the pages mailed links lead to, the public keys, and what operators probe.

mod ops;
mod pages;
mod well_known;

pub use ops::ops_router;
pub use pages::pages_router;
pub use well_known::well_known_router;
