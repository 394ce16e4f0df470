//! Tests of the configuration by its interface: texts as input; settings or faults as output.

mod breached;
mod captcha;
mod defaults;
mod factors;
mod faults;
mod hostile;
mod printing;
mod production;
mod secrets;
mod unknown;
mod values;

use super::{Config, ConfigFaults, Loaded, load};
use std::io::Write;
use tempfile::NamedTempFile;

/// A key that is not a known weak one.
const KEK: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// Loads a file with this content, and these variables.
fn load_both(toml: &str, environment: &[(&str, &str)]) -> Result<Loaded, ConfigFaults> {
    let file = file_with(toml);
    load(Some(file.path()), pairs(environment))
}

fn from_file(toml: &str) -> Result<Config, ConfigFaults> {
    load_both(toml, &[]).map(|loaded| loaded.config)
}

fn from_environment(environment: &[(&str, &str)]) -> Result<Config, ConfigFaults> {
    load(None, pairs(environment)).map(|loaded| loaded.config)
}

/// The keys with faults, in their order.
fn keys(faults: &ConfigFaults) -> Vec<&str> {
    faults.0.iter().map(|fault| fault.key.as_str()).collect()
}

/// The reason of the only fault.
fn only_reason<T: std::fmt::Debug>(outcome: Result<T, ConfigFaults>) -> String {
    let faults = outcome.expect_err("one fault");
    assert_eq!(faults.0.len(), 1, "{faults}");
    faults.0[0].reason.clone()
}

fn pairs(environment: &[(&str, &str)]) -> Vec<(String, String)> {
    environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn file_with(content: impl AsRef<[u8]>) -> NamedTempFile {
    let mut file = NamedTempFile::new().expect("a file");
    file.write_all(content.as_ref()).expect("room on the disk");
    file
}

fn path_of(file: &NamedTempFile) -> &str {
    file.path().to_str().expect("a plain path")
}
