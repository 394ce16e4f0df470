//! Lists of breached passwords: how an operator makes the file that is looked into.

mod compile;

pub use crate::breached::Compiled;
pub use compile::CompileList;
