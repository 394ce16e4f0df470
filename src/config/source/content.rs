//! Values in files of their own: how Docker, Kubernetes and systemd provide secrets.

use super::super::fault::{ConfigFault, Reason};
use super::super::origin::Origin;
use super::given::{Given, MAX_TEXT_BYTES};
use super::{FILE_ENDING, FoundValue};
use countersign_domain::secret::SecretText;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Replaces the path of a file by the file's content, without the line break at its end.
pub(super) fn read(key: &str, pointer: FoundValue) -> Result<FoundValue, ConfigFault> {
    let path = match pointer.given.line() {
        Ok(path) => PathBuf::from(path),
        Err(reason) => {
            let key = format!("{key}{FILE_ENDING}");
            return Err(ConfigFault { key, origin: pointer.origin, reason: reason.into_text() });
        }
    };
    let content = content_of(&path);
    let origin = Origin::ReadFrom { path, named_by: Box::new(pointer.origin) };
    match content {
        Ok(text) => Ok(FoundValue { given: Given::Untyped(text), origin }),
        Err(reason) => Err(ConfigFault { key: key.to_owned(), origin, reason: reason.into_text() }),
    }
}

fn content_of(path: &Path) -> Result<SecretText, Reason> {
    let unreadable = |error: std::io::Error| Reason::new(format!("the file cannot be read: {error}"));
    // The size is checked while reading, because `/dev/zero` has none. The buffer is never reallocated, so that no copy
    // of a secret stays in freed memory.
    let limit = MAX_TEXT_BYTES + 2;
    let mut bytes = Zeroizing::new(Vec::with_capacity(limit + 1));
    File::open(path).and_then(|file| file.take(limit as u64 + 1).read_to_end(&mut bytes)).map_err(unreadable)?;
    if bytes.len() > limit {
        return Err(Reason::new(format!("the file is longer than {MAX_TEXT_BYTES} bytes")));
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| Reason::new("the file is not UTF-8 text"))?;
    Ok(SecretText::new(text.trim_end_matches(['\r', '\n']).to_owned()))
}
