//! HTTP requests to other services: captcha providers, and services that list breached passwords.
//!
//! There is one client, and each kind of request has a [`Line`] of it, with its own bounds: for the time and the length
//! of an answer, and for concurrent requests. The meaning of requests and answers is not known here.
//!
//! **Architecture invariant:** only this folder names reqwest.

mod client;

pub use client::{Answer, InvalidOutbound, Line, LineTerms, Outbound, OutboundFault};
