use crate::runtime::blocking;
use std::{
    fs::OpenOptions,
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::PathBuf,
};

/// Where the lines of the audit log go, independent of the log's format and filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuditLog {
    Off,
    /// Between the lines of the log.
    Stderr,
    /// A file that is created accessible to its owner only. It is opened for each write, so that it can be rotated by
    /// moving it.
    File(PathBuf),
}

impl AuditLog {
    /// Writes whole lines, in one write.
    ///
    /// # Errors
    /// When the lines cannot be written.
    pub async fn write(&self, lines: String) -> io::Result<()> {
        let log = self.clone();
        blocking(move || log.put(&lines)).await?
    }

    /// Checks that lines can be written, and creates the file.
    ///
    /// # Errors
    /// When lines cannot be written.
    pub async fn open(&self) -> io::Result<()> {
        self.write(String::new()).await
    }

    fn put(&self, lines: &str) -> io::Result<()> {
        match self {
            Self::Off => Ok(()),
            Self::Stderr => io::stderr().lock().write_all(lines.as_bytes()),
            Self::File(path) => {
                let mut file = OpenOptions::new().create(true).append(true).mode(0o600).open(path)?;
                file.write_all(lines.as_bytes())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, os::unix::fs::PermissionsExt as _};

    #[tokio::test]
    async fn lines_are_added_to_a_file_of_its_owner_alone_and_to_a_new_one_when_it_was_moved_away() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.jsonl");
        let log = AuditLog::File(path.clone());
        log.write("1\n".to_owned()).await.unwrap();
        log.write("2\n".to_owned()).await.unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "1\n2\n");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        fs::rename(&path, folder.path().join("audit.jsonl.1")).unwrap();
        log.write("3\n".to_owned()).await.unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "3\n");
        assert!(AuditLog::File(folder.path().join("nowhere/audit")).write("4\n".to_owned()).await.is_err());
    }
}
