//! Loads the configuration, and prints it.

use super::fault::ConfigFaults;
use super::origin::Origin;
use super::reader::{Reader, SectionRecord};
use super::root::Config;
use super::source::Sources;
use std::ffi::OsString;
use std::path::Path;

/// A configuration and the origin of each value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loaded {
    /// The settings.
    pub config: Config,
    /// The same as texts without secrets, in the order of the reference.
    pub effective: Vec<EffectiveSetting>,
}

/// A setting and its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EffectiveSetting {
    /// The key, `sessions.access_ttl`.
    pub key: String,
    /// The value as TOML, secrets replaced by `[secret]`; `None` if it is not set and has no default.
    pub shown: Option<String>,
    /// Whether the value may contain a secret.
    pub secret: bool,
    /// Where the value was found.
    pub origin: Origin,
}

/// Loads the configuration: `environment` overrides `file`, and `file` the defaults. Without `file`,
/// `COUNTERSIGN_CONFIG` names the file; without either there is no file.
///
/// # Errors
///
/// All faults at once: unknown settings, invalid values, files that cannot be read.
pub fn load(
    file: Option<&Path>,
    environment: impl IntoIterator<Item = (String, String)>,
) -> Result<Loaded, ConfigFaults> {
    gather(file, environment.into_iter().map(|(name, value)| (name, value.into())).collect())
}

/// The same with the environment of this process, which no other function reads.
///
/// # Errors
///
/// See [`load`].
pub fn from_process(file: Option<&Path>) -> Result<Loaded, ConfigFaults> {
    // Not `vars()`, which panics if any variable is not Unicode.
    let variables = std::env::vars_os().map(|(name, value)| (name.to_string_lossy().into_owned(), value));
    gather(file, variables.collect())
}

fn gather(file: Option<&Path>, environment: Vec<(String, OsString)>) -> Result<Loaded, ConfigFaults> {
    let (sources, faults) = Sources::gather(file, environment);
    let mut reader = Reader::new(sources, faults);
    let config = Config::read(&mut reader);
    let (faults, sections) = reader.finish();
    match config {
        Some(config) if faults.is_empty() => Ok(Loaded { config, effective: effective(sections) }),
        _ => Err(ConfigFaults(faults)),
    }
}

fn effective(sections: Vec<SectionRecord>) -> Vec<EffectiveSetting> {
    let settings = sections.into_iter().flat_map(|section| section.settings);
    settings
        .map(|setting| EffectiveSetting {
            key: setting.key,
            shown: setting.shown.map(|value| value.to_string()),
            secret: setting.secret,
            origin: setting.origin,
        })
        .collect()
}

impl Loaded {
    /// The configuration as a TOML file: secrets replaced, each line with a comment that names the origin of its value.
    pub fn print(&self) -> String {
        let mut text = String::from("# The configuration in force. Secrets are not shown.\n");
        let mut current = "";
        for setting in &self.effective {
            let (section, name) = setting.key.split_once('.').unwrap_or(("", &setting.key));
            if section != current {
                text.push_str(&format!("\n[{section}]\n"));
                current = section;
            }
            match &setting.shown {
                Some(value) => text.push_str(&format!("{name} = {value} # {}\n", setting.origin)),
                None => text.push_str(&format!("# {name} is not set\n")),
            }
        }
        text
    }
}
