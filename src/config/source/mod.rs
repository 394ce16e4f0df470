//! The sources of settings, flattened to `key -> value` and merged: environment over file over default.

mod content;
mod environment;
mod file;
mod given;

pub(super) use self::environment::{CONFIG_VARIABLE, key_meant, variable_of};
pub(super) use self::given::Given;

use super::fault::ConfigFault;
use super::origin::Origin;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

/// The ending of a key whose value is the path of a file with the real value.
const FILE_ENDING: &str = "_file";

/// Values by flat key, `sessions.access_ttl`.
type Layer = BTreeMap<String, FoundValue>;

/// A value, and where it was found.
pub(super) struct FoundValue {
    pub(super) given: Given,
    pub(super) origin: Origin,
}

/// All values that no setting has taken yet.
pub(super) struct Sources {
    environment: Layer,
    file: Layer,
    /// Whether all sources could be read. If not, a value that seems to be missing may be in the unread part.
    pub(super) complete: bool,
}

impl Sources {
    /// No values: every setting has its default.
    pub(super) fn none() -> Self {
        Self { environment: Layer::new(), file: Layer::new(), complete: true }
    }

    /// Reads the configuration file, if there is one, and the environment. Returns the faults of the sources
    /// themselves: a file that cannot be read, text that is not TOML.
    pub(super) fn gather(file: Option<&Path>, environment: Vec<(String, OsString)>) -> (Self, Vec<ConfigFault>) {
        let environment = environment::sort(environment);
        let mut faults = Vec::new();
        let by_variable = || Origin::Environment { variable: CONFIG_VARIABLE.to_owned() };
        let named = match file {
            Some(path) => Some((path.to_owned(), Origin::CommandLine)),
            None => environment.config.map(|path| (path, by_variable())),
        };
        let file = match named {
            Some((path, origin)) => file::read(&path, origin).unwrap_or_else(|found| {
                faults = found;
                Layer::new()
            }),
            None => Layer::new(),
        };
        (Self { environment: environment.layer, file, complete: faults.is_empty() }, faults)
    }

    /// Takes the value of a setting. Values that are left at the end are unknown.
    pub(super) fn take(&mut self, key: &str) -> Result<Option<FoundValue>, ConfigFault> {
        let by_file = format!("{key}{FILE_ENDING}");
        // The key is removed from both layers, because an overridden line of the file would count as unknown otherwise.
        let environment = (self.environment.remove(key), self.environment.remove(&by_file));
        let file = (self.file.remove(key), self.file.remove(&by_file));
        let found = if environment.0.is_some() || environment.1.is_some() { environment } else { file };
        match found {
            (None, None) => Ok(None),
            (Some(value), None) => Ok(Some(value)),
            (None, Some(pointer)) => content::read(key, pointer).map(Some),
            (Some(value), Some(pointer)) => Err(ConfigFault {
                key: key.to_owned(),
                reason: format!("is given twice, also as a file to read ({}); keep one of the two", pointer.origin),
                origin: value.origin,
            }),
        }
    }

    /// The values that no setting has taken: first of the file, then of the environment.
    pub(super) fn into_left_over(self) -> impl Iterator<Item = (String, FoundValue)> {
        self.file.into_iter().chain(self.environment)
    }
}
