//! Faults for names without a setting. Their values are not repeated, because a misspelt secret is still a secret.

use super::fault::ConfigFault;
use super::former::current_name;
use super::origin::Origin;
use super::reader::SectionRecord;
use super::source::{FoundValue, Given, key_meant, variable_of};
use super::suggestion::closest;
use std::collections::BTreeSet;

/// One fault for each key that is left over, but only one for all keys in the same unknown section.
pub(super) fn faults(
    sections: &[SectionRecord],
    left_over: impl Iterator<Item = (String, FoundValue)>,
) -> Vec<ConfigFault> {
    let known = Known(sections);
    let mut reported = BTreeSet::new();
    let mut faults = Vec::new();
    for (key, FoundValue { given, origin }) in left_over {
        let Some((key, reason)) = known.explain(&key, &given) else { continue };
        let from_file = matches!(origin, Origin::File { .. });
        if reported.insert((key.clone(), from_file)) {
            faults.push(ConfigFault { key, origin, reason });
        }
    }
    faults
}

struct Known<'a>(&'a [SectionRecord]);

impl Known<'_> {
    /// The key to report and the reason; `None` for a known section without keys, which is harmless.
    fn explain(&self, key: &str, given: &Given) -> Option<(String, String)> {
        if let Some(name) = current_name(&key_meant(key)) {
            return Some((key.to_owned(), format!("was renamed to {name} ({})", variable_of(name))));
        }
        if self.is_section(key) {
            let wrong = !matches!(given, Given::EmptyTable);
            let reason = format!("is a section of settings, [{key}] or {}__…, and holds no value", variable_of(key));
            return wrong.then(|| (key.to_owned(), reason));
        }
        // A key in quotes or in the spelling of a variable is not a dotted key, even if it contains dots.
        let plain = !key.contains(|c: char| c == '"' || c.is_ascii_uppercase());
        let section = key.split_once('.').map(|(section, _)| section).filter(|_| plain);
        if let Some(section) = section
            && self.keys().any(|key| key == section)
        {
            return Some((section.to_owned(), "is a single setting and not a section".to_owned()));
        }
        let heading = section.or(matches!(given, Given::EmptyTable).then_some(key));
        match (self.closest_key(key), heading) {
            (Some(name), _) => {
                let variable = variable_of(name);
                Some((key.to_owned(), format!("is an unknown setting; did you mean {name} ({variable})?")))
            }
            (None, Some(heading)) if !self.is_section(heading) => {
                let hint = match closest(heading, self.0.iter().map(|section| section.name)) {
                    Some(name) => format!("; did you mean [{name}]?"),
                    None => String::new(),
                };
                Some((heading.to_owned(), format!("is an unknown section{hint}")))
            }
            (None, _) => Some((key.to_owned(), "is an unknown setting".to_owned())),
        }
    }

    fn closest_key(&self, written: &str) -> Option<&str> {
        let meant = key_meant(written);
        closest(meant.strip_suffix("_file").unwrap_or(&meant), self.keys())
    }

    fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.iter().flat_map(|section| section.settings.iter().map(|setting| setting.key.as_str()))
    }

    fn is_section(&self, name: &str) -> bool {
        !name.is_empty() && self.0.iter().any(|section| section.name == name)
    }
}
