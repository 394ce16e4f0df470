//! The configuration file: TOML, two levels deep.

use super::super::fault::ConfigFault;
use super::super::origin::Origin;
use super::given::Given;
use super::{FoundValue, Layer};
use countersign_domain::secret::SecretText;
use std::fs::File;
use std::io::Read;
use std::ops::Range;
use std::path::Path;
use toml::Spanned;
use toml::de::{DeInteger, DeTable, DeValue};
use zeroize::Zeroizing;

/// The longest configuration file, in bytes. All settings with a page of comments each need less than half.
const MAX_FILE_BYTES: usize = 256 * 1024;

/// The key of faults that concern the whole file.
const WHOLE_FILE: &str = "config";

/// Reads the file into flat keys. `named_by` is where its path was given.
pub(super) fn read(path: &Path, named_by: Origin) -> Result<Layer, Vec<ConfigFault>> {
    let whole = |reason: String| vec![ConfigFault { key: WHOLE_FILE.to_owned(), origin: named_by.clone(), reason }];
    let shown = path.display().to_string();
    let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_FILE_BYTES + 1));
    File::open(path)
        .and_then(|file| file.take(MAX_FILE_BYTES as u64 + 1).read_to_end(&mut bytes))
        .map_err(|error| whole(format!("{shown:?} cannot be read: {error}")))?;
    if bytes.len() > MAX_FILE_BYTES {
        return Err(whole(format!("{shown:?} is longer than {MAX_FILE_BYTES} bytes")));
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| whole(format!("{shown:?} is not UTF-8 text")))?;
    parse(text, path)
}

/// Where the lines of a file begin.
struct Lines<'a> {
    path: &'a Path,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    fn of(text: &str, path: &'a Path) -> Self {
        let starts = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(index, _)| index + 1).collect();
        Self { path, starts }
    }

    fn origin(&self, span: &Range<usize>) -> Origin {
        let line = self.starts.partition_point(|start| *start <= span.start) + 1;
        Origin::File { path: self.path.to_owned(), line }
    }
}

fn parse(text: &str, path: &Path) -> Result<Layer, Vec<ConfigFault>> {
    let lines = Lines::of(text, path);
    // The text after a syntax error is not used: a missing quote would move values, also secrets, to other keys.
    let (table, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        let fault = |error: &toml::de::Error| ConfigFault {
            key: WHOLE_FILE.to_owned(),
            origin: lines.origin(&error.span().unwrap_or_default()),
            // Not `to_string()`, which repeats the line of the file, with any secret in it.
            reason: format!("is not TOML: {}", error.message()),
        };
        return Err(errors.iter().map(fault).collect());
    }
    let mut layer = Layer::new();
    for (name, value) in table.get_ref() {
        let name = segment(name.get_ref());
        match value.get_ref() {
            DeValue::Table(section) if !section.is_empty() => flatten(&name, section, &lines, &mut layer),
            _ => insert(name, value, &lines, &mut layer),
        }
    }
    Ok(layer)
}

fn flatten(section: &str, table: &DeTable<'_>, lines: &Lines<'_>, layer: &mut Layer) {
    for (name, value) in table {
        insert(format!("{section}.{}", segment(name.get_ref())), value, lines, layer);
    }
}

fn insert(key: String, value: &Spanned<DeValue<'_>>, lines: &Lines<'_>, layer: &mut Layer) {
    let origin = lines.origin(&value.span());
    layer.insert(key, FoundValue { given: given(value.get_ref()), origin });
}

/// One part of a key. A quoted `"sessions.access_ttl"` keeps its quotes, so that it differs from the dotted key.
fn segment(name: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    if !name.is_empty() && name.bytes().all(plain) { name.to_owned() } else { format!("{name:?}") }
}

fn given(value: &DeValue<'_>) -> Given {
    match value {
        DeValue::String(text) => Given::Text(SecretText::new(text.to_string())),
        DeValue::Integer(number) => integer(number),
        DeValue::Boolean(value) => Given::Boolean(*value),
        DeValue::Float(_) => Given::Unusable("is a number with a fraction"),
        DeValue::Datetime(_) => Given::Unusable("is a date or time without quotes"),
        DeValue::Array(items) => list(items),
        DeValue::Table(table) if table.is_empty() => Given::EmptyTable,
        DeValue::Table(_) => Given::Unusable("is a section"),
    }
}

fn list(items: &[Spanned<DeValue<'_>>]) -> Given {
    let texts = items.iter().map(|item| item.get_ref().as_str().map(|text| SecretText::new(text.to_owned())));
    texts.collect::<Option<_>>().map_or(Given::Unusable("is a list of more than texts"), Given::List)
}

fn integer(number: &DeInteger<'_>) -> Given {
    match i64::from_str_radix(number.as_str(), number.radix()) {
        Ok(value) => Given::Integer(value),
        Err(_) => Given::Unusable("is a number too large for anything"),
    }
}
