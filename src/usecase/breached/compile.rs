use crate::breached::{CompileFault, Compiled, compile};
use std::{io::BufRead, path::Path};

/// An operator has a list of SHA-1 hashes, and wants the file that `passwords.breached = "file"` looks into. A service
/// that has the file of before open goes on with that one.
#[derive(Clone, Copy, Debug)]
pub struct CompileList;

impl CompileList {
    /// # Errors
    /// When the list is none, or the file cannot be written.
    pub fn compile(&self, list: impl BufRead, to: &Path) -> Result<Compiled, CompileFault> {
        compile(list, to)
    }
}
