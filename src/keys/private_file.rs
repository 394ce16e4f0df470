//! Permissions of files with secrets.

use super::kek::KekFault;
use std::{
    fs::Metadata,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::Path,
};

/// Who may access a file besides its owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileAccess {
    /// Nobody.
    OwnerAlone,
    /// The groups of this process: Kubernetes gives the files of a volume to the `fsGroup` of a pod, and makes them
    /// readable by that group.
    OwnGroups,
}

impl FileAccess {
    /// # Errors
    /// When others may access the file, or its group may and the settings do not allow that.
    pub(super) fn check(self, path: &Path, metadata: &Metadata) -> Result<(), KekFault> {
        let (mode, group) = (metadata.permissions().mode(), metadata.gid());
        if mode & 0o007 != 0 {
            return Err(KekFault::Exposed(path.to_owned()));
        }
        if mode & 0o070 == 0 || (self == Self::OwnGroups && own_groups().contains(&group)) {
            return Ok(());
        }
        Err(KekFault::ExposedToGroup(path.to_owned(), group))
    }
}

fn own_groups() -> Vec<u32> {
    // If the supplementary groups cannot be read, only the effective one counts.
    let more = rustix::process::getgroups().unwrap_or_default();
    std::iter::once(rustix::process::getegid()).chain(more).map(rustix::process::Gid::as_raw).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, Permissions};

    #[test]
    fn a_group_gets_at_a_secret_only_where_that_was_asked_for_and_others_never_do() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let verdict = |access: FileAccess, mode: u32| {
            fs::set_permissions(file.path(), Permissions::from_mode(mode)).unwrap();
            access.check(file.path(), &fs::metadata(file.path()).unwrap())
        };
        for mode in [0o600, 0o400] {
            assert!(verdict(FileAccess::OwnerAlone, mode).is_ok(), "{mode:o}");
            assert!(verdict(FileAccess::OwnGroups, mode).is_ok(), "{mode:o}");
        }
        for mode in [0o640, 0o660, 0o620, 0o670] {
            assert!(matches!(verdict(FileAccess::OwnerAlone, mode), Err(KekFault::ExposedToGroup(..))), "{mode:o}");
            assert!(verdict(FileAccess::OwnGroups, mode).is_ok(), "{mode:o}");
        }
        for mode in [0o604, 0o666, 0o602, 0o601] {
            assert!(matches!(verdict(FileAccess::OwnerAlone, mode), Err(KekFault::Exposed(_))), "{mode:o}");
            assert!(matches!(verdict(FileAccess::OwnGroups, mode), Err(KekFault::Exposed(_))), "{mode:o}");
        }
    }

    #[test]
    fn a_group_that_is_not_our_own_gets_at_nothing() {
        let foreign = (1_000_000..).find(|group| !own_groups().contains(group)).unwrap();
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::set_permissions(file.path(), Permissions::from_mode(0o640)).unwrap();
        if std::os::unix::fs::chown(file.path(), None, Some(foreign)).is_err() {
            assert!(!rustix::process::geteuid().is_root(), "root gives a file to any group");
            return;
        }
        let verdict = FileAccess::OwnGroups.check(file.path(), &fs::metadata(file.path()).unwrap());
        assert!(matches!(verdict, Err(KekFault::ExposedToGroup(_, group)) if group == foreign));
    }
}
