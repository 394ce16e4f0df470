use super::python::python;
use crate::support::{binary, finish, finish_with, missing};
use serde_json::Value;
use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

pub(super) const LIMIT: Duration = Duration::from_secs(60);

/// A JOSE library of another language, behind a script that opens and makes tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Library {
    /// npm `jose`, in Node.js.
    Jose,
    /// `joserfc`, in Python.
    Joserfc,
}

impl Library {
    /// Calls its script. The question carries the keys, so that they are not in the list of processes. `None`, with a
    /// message, when the library is missing.
    pub(super) fn ask(self, question: &Value) -> Option<Vec<Value>> {
        let mut command = match self {
            Self::Jose => {
                let mut node = with_packages(&node()?);
                node.arg(include_str!("tokens.mjs"));
                node
            }
            Self::Joserfc => {
                let mut command = Command::new(python()?);
                command.args(["-B", concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/foreign/tokens.py")]);
                command
            }
        };
        let output = finish_with(&mut command, &serde_json::to_vec(question).unwrap(), LIMIT);
        assert!(output.status.success(), "{self:?}: {}", String::from_utf8_lossy(&output.stderr));
        Some(serde_json::from_slice(&output.stdout).unwrap())
    }
}

/// A Node.js that reads QR codes. The script is its last argument.
pub(super) fn jsqr() -> Option<Command> {
    Some(with_packages(&node()?))
}

/// A Node.js that finds the packages of `package.json`.
fn node() -> Option<PathBuf> {
    let node = binary("node", &[])?;
    let found = installed().is_dir()
        && finish(with_packages(&node).arg(r#"import "jose"; import "jsqr""#), LIMIT).status.success();
    if !found {
        missing("Node.js with jose and jsqr (tests/it/foreign/package.json, in target/ci/node)");
    }
    found.then_some(node)
}

/// Where `.ci/run` installs the packages.
pub(super) fn installed() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("ci/node")
}

/// Node.js looks for packages in the folder of the script; a script given as text is in the current folder.
fn with_packages(node: &Path) -> Command {
    let mut command = Command::new(node);
    command.current_dir(installed()).args(["--input-type=module", "--eval"]);
    command
}
