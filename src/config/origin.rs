//! Where a value was found.

use std::fmt;
use std::path::PathBuf;

/// Where the value of a setting came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Not set: the default is used.
    Default,
    /// A line of the configuration file.
    File {
        /// The path as it was given.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
    },
    /// An environment variable.
    Environment {
        /// The full name, `COUNTERSIGN_…`.
        variable: String,
    },
    /// A file with only this value, named by a `_file` key or a `_FILE` variable.
    ReadFrom {
        /// The file with the value.
        path: PathBuf,
        /// Where the path of the file was given.
        named_by: Box<Origin>,
    },
    /// The command line, which can give only the path of the configuration file.
    CommandLine,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A path or a name may contain a line break, and this text must be one line of a log or one comment in TOML.
        match self {
            Self::Default => f.write_str("default"),
            Self::File { path, line } => write!(f, "file {}, line {line}", path.display().to_string().escape_debug()),
            Self::Environment { variable } => write!(f, "environment {}", variable.escape_debug()),
            Self::ReadFrom { path, named_by } => {
                write!(f, "{}, content of {}", named_by, path.display().to_string().escape_debug())
            }
            Self::CommandLine => f.write_str("command line"),
        }
    }
}
