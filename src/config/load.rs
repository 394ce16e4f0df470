//! The two ways in, and the configuration as it can be shown.

use super::fault::ConfigFaults;
use super::origin::Origin;
use super::reader::{Reader, SectionRecord};
use super::root::Config;
use super::source::Sources;
use std::ffi::OsString;
use std::path::Path;

/// A configuration and where every part of it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loaded {
    /// The settings.
    pub config: Config,
    /// The same as texts without secrets, in the order of the reference.
    pub effective: Vec<EffectiveSetting>,
}

/// One setting in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EffectiveSetting {
    /// The key, `sessions.access_ttl`.
    pub key: String,
    /// The value as TOML, secrets replaced by `[secret]`; `None` if it is not set and has no default.
    pub shown: Option<String>,
    /// Whether the value may hold a secret.
    pub secret: bool,
    /// Where the value was found.
    pub origin: Origin,
}

/// Reads the configuration: `environment` over `file` over defaults. Without `file`, `COUNTERSIGN_CONFIG` names the
/// file, and without that there is none.
///
/// # Errors
///
/// Everything that is wrong, at once: unknown settings, values that cannot be, files that cannot be read.
pub fn load(
    file: Option<&Path>,
    environment: impl IntoIterator<Item = (String, String)>,
) -> Result<Loaded, ConfigFaults> {
    gather(file, environment.into_iter().map(|(name, value)| (name, value.into())).collect())
}

/// The same with the environment of this process. The only place that reads it.
///
/// # Errors
///
/// See [`load`].
pub fn from_process(file: Option<&Path>) -> Result<Loaded, ConfigFaults> {
    // Not `vars()`: that panics over a foreign variable that is not Unicode.
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
    /// The configuration in force as a TOML file: secrets replaced, each line with a comment that says where its value
    /// came from.
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
