//! Tests of the service over its real protocols, on SQLite and PostgreSQL, with a clock that the tests set.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test that cannot go on fails"
)]

mod support;

mod account;
mod attacks;
mod audit;
mod authentication;
mod browser;
mod captcha;
mod contracts;
mod factor;
mod faults;
mod foreign;
mod housekeeping;
mod keys;
mod mail;
mod outage;
mod process;
mod service;
mod session;
mod terminal;
mod transport;
mod verification;
