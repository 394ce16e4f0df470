//! The transports: which calls they accept, which they refuse, and how.

mod callers;
mod client_address;
mod connections;
mod cookies;
mod cors;
mod deadline;
mod dev_mailbox;
mod fields;
mod framing;
mod grpc_web;
mod health;
mod http;
mod malformed;
mod metadata;
mod operators;
mod pages;
mod private_answers;
pub(crate) mod profile;
mod request_line;
mod streams;
mod typed;
