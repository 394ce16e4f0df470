use crate::breached::{CompileFault, Compiled, compile};
use std::{io::BufRead, path::Path};

/// Compiles a list of SHA-1 hashes into the file that `passwords.breached = "file"` reads. A running service continues
/// with the file that it has open.
#[derive(Clone, Copy, Debug)]
pub struct CompileList;

impl CompileList {
    /// # Errors
    /// When the list is none, or the file cannot be written.
    pub fn compile(&self, list: impl BufRead, to: &Path) -> Result<Compiled, CompileFault> {
        compile(list, to)
    }
}
