//! Lists of breached passwords: how an operator compiles the file that the service reads.

mod compile;

pub use crate::breached::Compiled;
pub use compile::CompileList;
