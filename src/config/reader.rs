//! Reads typed settings. The call that reads a setting also documents it.

use super::fault::{ConfigFault, Reason};
use super::origin::Origin;
use super::source::{Given, Sources};
use super::unknown;
use super::value::{Value, Whole, duration, show_duration, whole};
use std::ops::RangeInclusive;
use std::time::Duration;

/// A setting after it was read.
pub(super) struct Setting {
    pub(super) key: String,
    pub(super) about: &'static str,
    pub(super) allowed: String,
    /// The default as in the reference; `None` if the setting has none.
    pub(super) default: Option<String>,
    pub(super) secret: bool,
    /// The value, without secrets; `None` if it is not set.
    pub(super) shown: Option<toml::Value>,
    pub(super) origin: Origin,
}

/// A section and its settings. The first section has no name: its keys are at the top of the file.
pub(super) struct SectionRecord {
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    pub(super) settings: Vec<Setting>,
}

/// Reads settings from the sources and collects faults.
pub(super) struct Reader {
    sources: Sources,
    faults: Vec<ConfigFault>,
    sections: Vec<SectionRecord>,
}

impl Reader {
    /// `faults` are the faults of the sources themselves.
    pub(super) fn new(sources: Sources, faults: Vec<ConfigFault>) -> Self {
        Self { sources, faults, sections: Vec::new() }
    }

    /// Opens a section; an empty name is the top of the file.
    pub(super) fn section(&mut self, name: &'static str, about: &'static str) -> Section<'_> {
        self.sections.push(SectionRecord { name, about, settings: Vec::new() });
        Section { reader: self, name }
    }

    /// Whether the setting has a value other than by default.
    pub(super) fn is_set(&self, key: &str) -> bool {
        !matches!(self.origin_of(key), Origin::Default)
    }

    /// Reports the first of `keys` unless `holds`. Reports nothing when one of the keys has a fault already, or when a
    /// source could not be read: then the values are not the ones that were meant.
    pub(super) fn require(&mut self, keys: &[&str], holds: bool, reason: impl Into<String>) {
        let Some(key) = keys.first() else { return };
        let doubtful = |key: &&str| self.faults.iter().any(|fault| fault.key == *key);
        if holds || !self.sources.complete || keys.iter().any(doubtful) {
            return;
        }
        let fault = ConfigFault { key: (*key).to_owned(), origin: self.origin_of(key), reason: reason.into() };
        self.faults.push(fault);
    }

    /// Reports the values that no setting has read, and returns all faults and settings.
    pub(super) fn finish(mut self) -> (Vec<ConfigFault>, Vec<SectionRecord>) {
        self.faults.extend(unknown::faults(&self.sections, self.sources.into_left_over()));
        (self.faults, self.sections)
    }

    fn setting(&self, key: &str) -> Option<&Setting> {
        self.sections.iter().flat_map(|section| &section.settings).find(|setting| setting.key == key)
    }

    fn origin_of(&self, key: &str) -> Origin {
        self.setting(key).map_or(Origin::Default, |setting| setting.origin.clone())
    }
}

/// A setting's text in the reference.
struct SettingDescription {
    name: &'static str,
    about: &'static str,
    allowed: String,
    default: Option<String>,
    secret: bool,
}

/// A section while its settings are read.
pub(super) struct Section<'a> {
    reader: &'a mut Reader,
    name: &'static str,
}

impl Section<'_> {
    /// The reader of the section, to compare settings.
    pub(super) fn reader(&mut self) -> &mut Reader {
        self.reader
    }

    /// A setting with a default.
    pub(super) fn value<T: Value>(&mut self, name: &'static str, default: T, about: &'static str) -> T {
        let written = format!("`{}`", plain(&default.show()));
        self.derived(name, default, written, about)
    }

    /// A setting whose default depends on others; `written` describes the default in the reference.
    pub(super) fn derived<T: Value>(
        &mut self,
        name: &'static str,
        default: T,
        written: impl Into<String>,
        about: &'static str,
    ) -> T {
        let entry = SettingDescription {
            name,
            about,
            allowed: T::ALLOWED.to_owned(),
            default: Some(written.into()),
            secret: T::SECRET,
        };
        self.read(entry, T::parse, Some(default.show()), T::show).unwrap_or(default)
    }

    /// An optional setting.
    pub(super) fn optional<T: Value>(&mut self, name: &'static str, about: &'static str) -> Option<T> {
        let entry =
            SettingDescription { name, about, allowed: T::ALLOWED.to_owned(), default: None, secret: T::SECRET };
        self.read(entry, T::parse, None, T::show)
    }

    /// A duration between two bounds.
    pub(super) fn duration(
        &mut self,
        name: &'static str,
        default: Duration,
        bounds: RangeInclusive<Duration>,
        about: &'static str,
    ) -> Duration {
        let allowed = format!("`{}` to `{}`", show_duration(*bounds.start()), show_duration(*bounds.end()));
        let written = show_duration(default);
        let entry = SettingDescription { name, about, allowed, default: Some(format!("`{written}`")), secret: false };
        let show = |value: &Duration| show_duration(*value).into();
        self.read(entry, |given| duration(given, &bounds), Some(written.into()), show).unwrap_or(default)
    }

    /// An integer between two bounds.
    pub(super) fn whole<T: Whole>(
        &mut self,
        name: &'static str,
        default: T,
        bounds: RangeInclusive<T>,
        about: &'static str,
    ) -> T {
        let allowed = format!("`{}` to `{}`", bounds.start(), bounds.end());
        let entry = SettingDescription { name, about, allowed, default: Some(format!("`{default}`")), secret: false };
        // The bounds of all settings fit in TOML's signed 64 bits; a larger number would be shown as text.
        let show = |value: &T| {
            let number: Result<i64, _> = (*value).try_into();
            number.map_or_else(|_| value.to_string().into(), toml::Value::Integer)
        };
        self.read(entry, |given| whole(given, &bounds), Some(show(&default)), show).unwrap_or(default)
    }

    /// The only function that reads a setting. `None`: the setting is missing, or has a fault, which is then recorded.
    fn read<T>(
        &mut self,
        entry: SettingDescription,
        parse: impl FnOnce(&Given) -> Result<T, Reason>,
        default: Option<toml::Value>,
        show: impl FnOnce(&T) -> toml::Value,
    ) -> Option<T> {
        let key = if self.name.is_empty() { entry.name.to_owned() } else { format!("{}.{}", self.name, entry.name) };
        let (value, origin) = match self.reader.sources.take(&key) {
            Ok(None) => (None, Origin::Default),
            Ok(Some(found)) => match parse(&found.given) {
                Ok(value) => (Some(value), found.origin),
                Err(reason) => {
                    let (key, origin) = (key.clone(), found.origin.clone());
                    self.reader.faults.push(ConfigFault { key, origin, reason: reason.into_text() });
                    (None, found.origin)
                }
            },
            Err(fault) => {
                let origin = fault.origin.clone();
                self.reader.faults.push(fault);
                (None, origin)
            }
        };
        let SettingDescription { about, allowed, default: written, secret, .. } = entry;
        let shown = value.as_ref().map(show).or(default);
        let setting = Setting { key, about, allowed, default: written, secret, shown, origin };
        if let Some(section) = self.reader.sections.last_mut() {
            section.settings.push(setting);
        }
        value
    }
}

/// A value without the quotes of TOML.
fn plain(value: &toml::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
