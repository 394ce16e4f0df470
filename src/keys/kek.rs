use super::private_file::FileAccess;
use crate::runtime::Entropy;
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use countersign_token::{KeyEncryptionKey, Rejected};
use std::{
    fmt,
    fs::{self, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};
use zeroize::Zeroizing;

/// The file of a secret, such as the key-encryption key, is unusable.
#[derive(Debug)]
pub enum KekFault {
    Io(PathBuf, io::Error),
    /// Others may access the file.
    Exposed(PathBuf),
    /// The file's group, with this number, may access the file.
    ExposedToGroup(PathBuf, u32),
    /// The file does not contain 32 bytes in base64.
    Unreadable(PathBuf),
    /// The file contains fewer than 32 characters.
    Short(PathBuf),
}

impl fmt::Display for KekFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(path, error) if error.kind() == io::ErrorKind::NotFound => {
                write!(f, "{}: does not exist; the first start of `countersign serve` creates it", path.display())
            }
            Self::Io(path, error) => write!(f, "{}: {error}", path.display()),
            Self::Exposed(path) => write!(f, "{}: other users can read it; run chmod 600", path.display()),
            Self::ExposedToGroup(path, group) => write!(
                f,
                "{}: group {group} can read it; run chmod 600, or, if Kubernetes gave the file to a group of this \
                 process (fsGroup), set allow_group_access",
                path.display()
            ),
            Self::Unreadable(path) => write!(f, "{}: does not hold 32 bytes in base64", path.display()),
            Self::Short(path) => write!(f, "{}: holds less than 32 characters", path.display()),
        }
    }
}

impl std::error::Error for KekFault {}

/// The key-encryption keys: the present one seals, and the previous one still opens what it sealed.
#[derive(Clone, Debug)]
pub struct KeyEncryptionKeys {
    present: KeyEncryptionKey,
    previous: Option<KeyEncryptionKey>,
}

impl KeyEncryptionKeys {
    pub fn new(present: KeyEncryptionKey, previous: Option<KeyEncryptionKey>) -> Self {
        Self { present, previous }
    }

    /// The key that seals.
    pub fn present(&self) -> &KeyEncryptionKey {
        &self.present
    }

    /// Opens what was sealed under either key. Each sealed text names its key, so at most one key is tried.
    pub(super) fn open(&self, sealed: &str, context: &str) -> Result<Zeroizing<Vec<u8>>, Rejected> {
        match (self.present.open(sealed, context), &self.previous) {
            (Err(Rejected::UnknownKey), Some(previous)) => previous.open(sealed, context),
            (opened, _) => opened,
        }
    }
}

/// The key-encryption key beside the embedded database, created on the first start.
///
/// # Errors
/// When the file can neither be read nor created, contains something else, or is accessible to others.
pub fn load_or_create(directory: &Path, access: FileAccess, entropy: &Entropy) -> Result<KeyEncryptionKey, KekFault> {
    match load(directory, access) {
        Err(KekFault::Io(path, error)) if error.kind() == io::ErrorKind::NotFound => {
            let key = Zeroizing::new(entropy.bytes::<32>());
            let text = Zeroizing::new(BASE64.encode(key.as_slice()));
            keep_first(directory, "kek", &text, entropy).map_err(|error| KekFault::Io(path, error))?;
            // Read again, so that two concurrent first starts both use the key that was stored.
            load(directory, access)
        }
        loaded => loaded,
    }
}

/// The key-encryption key beside the embedded database.
///
/// # Errors
/// When there is none, or the file cannot be read, contains something else, or is accessible to others.
pub fn load(directory: &Path, access: FileAccess) -> Result<KeyEncryptionKey, KekFault> {
    let path = directory.join("kek");
    let io = |error| KekFault::Io(path.clone(), error);
    let text = Zeroizing::new(fs::read_to_string(&path).map_err(io)?);
    access.check(&path, &fs::metadata(&path).map_err(io)?)?;
    let bytes = Zeroizing::new(BASE64.decode(text.trim()).map_err(|_| KekFault::Unreadable(path.clone()))?);
    let key = <[u8; 32]>::try_from(bytes.as_slice()).map_err(|_| KekFault::Unreadable(path))?;
    Ok(KeyEncryptionKey::new(key))
}

/// Writes a line to a file that only its owner can access, unless the file exists. The line is first written to a file
/// of another name, so that a start that is interrupted leaves no incomplete secret.
pub(super) fn keep_first(directory: &Path, name: &str, line: &str, entropy: &Entropy) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    let draft = directory.join(format!("{name}.{:016x}", u64::from_le_bytes(entropy.bytes())));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    file.write_all(line.as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()?;
    // Unlike a rename, a hard link fails if the name exists: the first file stays.
    let linked = fs::hard_link(&draft, directory.join(name));
    fs::remove_file(&draft)?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    const ALONE: FileAccess = FileAccess::OwnerAlone;

    #[test]
    fn the_key_is_made_once_for_its_owner_only_and_then_stays() {
        let directory = tempfile::tempdir().unwrap();
        let made = load_or_create(directory.path(), ALONE, &Entropy::system()).unwrap().id();
        let mode = fs::metadata(directory.path().join("kek")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(load_or_create(directory.path(), ALONE, &Entropy::system()).unwrap().id(), made);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "no draft is left behind");
    }

    #[test]
    fn a_key_that_others_may_read_or_that_is_none_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("kek");
        fs::write(&path, "AAAA").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        assert!(matches!(load_or_create(directory.path(), ALONE, &Entropy::system()), Err(KekFault::Unreadable(_))));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(
            load_or_create(directory.path(), ALONE, &Entropy::system()),
            Err(KekFault::ExposedToGroup(..))
        ));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o604)).unwrap();
        assert!(matches!(load_or_create(directory.path(), ALONE, &Entropy::system()), Err(KekFault::Exposed(_))));
    }
}
