//! What an engineer with a terminal sees: grpcurl and the blocks of README.md.

mod grpcurl;
mod reflection;
mod refusal;
mod story;
