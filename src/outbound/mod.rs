//! HTTP calls to others: to whoever makes the captcha, and to whoever knows breached passwords.
//!
//! There is one client, and each kind of question has a [`Line`] of it, with bounds of its own: how long an answer may
//! take, how long it may be, and how many questions are under way at once. What is asked and what an answer means is
//! not known here.
//!
//! **Architecture invariant:** reqwest is named here and nowhere else.

mod client;

pub use client::{Answer, InvalidOutbound, Line, LineTerms, Outbound, OutboundFault};
