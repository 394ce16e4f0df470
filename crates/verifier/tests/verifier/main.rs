//! The verifier against a fake service with the same protos, in this process and on virtual time.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

mod at_once;
mod clocks;
mod connecting;
mod feed;
mod guards;
mod in_front;
mod keys;
mod offline;
mod own_keys;
mod stale;
