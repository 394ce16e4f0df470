//! Environment variables: `COUNTERSIGN_SECTION__KEY`.

use super::super::origin::Origin;
use super::given::Given;
use super::{FoundValue, Layer};
use countersign_domain::secret::SecretText;
use std::ffi::OsString;
use std::path::PathBuf;

/// The prefix of all variables of this program.
const PREFIX: &str = "COUNTERSIGN_";

/// Variables of the test harness, which are not settings.
const TEST_PREFIX: &str = "COUNTERSIGN_TEST_";

/// The path of the configuration file; the command line overrides it.
pub(in super::super) const CONFIG_VARIABLE: &str = "COUNTERSIGN_CONFIG";

/// The variables of this program.
pub(super) struct Sorted {
    /// The value of `COUNTERSIGN_CONFIG`.
    pub(super) config: Option<PathBuf>,
    pub(super) layer: Layer,
}

/// Selects the variables of this program.
pub(super) fn sort(pairs: Vec<(String, OsString)>) -> Sorted {
    let mut sorted = Sorted { config: None, layer: Layer::new() };
    for (variable, value) in pairs {
        if variable == CONFIG_VARIABLE {
            sorted.config = Some(value.into());
        } else if is_setting(&variable, &value.to_string_lossy()) {
            let given = value.into_string().map_or(Given::NotUnicode, |text| Given::Untyped(SecretText::new(text)));
            sorted.layer.insert(key_of(&variable), FoundValue { given, origin: Origin::Environment { variable } });
        }
    }
    sorted
}

/// The variable that sets a key.
pub(in super::super) fn variable_of(key: &str) -> String {
    format!("{PREFIX}{}", key.replace('.', "__").to_ascii_uppercase())
}

/// The key that a variable sets: the inverse of `variable_of`. Any other spelling (`COUNTERSIGN_listen`) stays as it
/// is, in capitals that no key has, so that it is reported as unknown and two spellings never compete for a key.
fn key_of(variable: &str) -> String {
    let key = key_meant(variable);
    if variable_of(&key) == variable { key } else { variable.to_owned() }
}

/// The key that was probably meant, for suggestions.
pub(in super::super) fn key_meant(written: &str) -> String {
    written.strip_prefix(PREFIX).unwrap_or(written).to_ascii_lowercase().replace("__", ".")
}

fn is_setting(variable: &str, value: &str) -> bool {
    variable.starts_with(PREFIX) && !variable.starts_with(TEST_PREFIX) && !is_service_link(variable, value)
}

/// Kubernetes describes every Service of a namespace to every container in it ("service links"). So a Service called
/// `countersign` or `countersign-admin` sets `COUNTERSIGN_PORT`, `COUNTERSIGN_SERVICE_HOST`,
/// `COUNTERSIGN_ADMIN_PORT_50052_TCP_ADDR` and so on, which nobody wrote and nobody can correct.
fn is_service_link(variable: &str, value: &str) -> bool {
    let names_a_port = variable.split_once("_PORT_").is_some_and(|(_, rest)| {
        let mut words = rest.split('_');
        let number = words.next().is_some_and(|word| !word.is_empty() && word.bytes().all(|b| b.is_ascii_digit()));
        number && matches!(words.next(), Some("TCP" | "UDP" | "SCTP"))
    });
    names_a_port
        || variable.ends_with("_SERVICE_HOST")
        || variable.ends_with("_SERVICE_PORT")
        || variable.contains("_SERVICE_PORT_")
        || (variable.ends_with("_PORT") && value.contains("://"))
}
