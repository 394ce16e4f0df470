//! Everything for browsers and plain HTTP: grpc-web with cookies, the account pages, the public keys, probes and
//! metrics.

mod grpc_web;
mod hardening;
mod ops;
mod pages;
mod well_known;

pub use grpc_web::{BrowserRules, CallHandler};
pub use ops::{answer_while_starting, ops_router};
pub use pages::{AstrayLinks, PAGES, PageRules, pages_router};
pub use well_known::well_known_router;
