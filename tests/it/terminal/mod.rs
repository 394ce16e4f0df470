//! The service from a terminal: grpcurl and the blocks of README.md.

mod grpcurl;
mod reflection;
mod refusal;
mod walkthrough;
