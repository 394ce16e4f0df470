use super::binary;
use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
};
use tempfile::TempDir;

/// A certificate for one host name, and the authority that signed it, as files that every user may read.
pub(crate) struct Certificate {
    folder: TempDir,
}

const KEY: [&str; 6] = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-batch"];

impl Certificate {
    /// `None`, with a message, when openssl is not installed.
    pub(crate) fn made_for(host: &str) -> Option<Self> {
        binary("openssl", &[])?;
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let made = Self { folder };
        made.openssl(
            &["req", "-x509", "-days", "2", "-subj", "/CN=authority", "-keyout", "ca.key", "-out", "ca.pem"],
            &KEY,
        );
        made.openssl(&["req", "-subj", "/CN=server", "-keyout", "server.key", "-out", "server.csr"], &KEY);
        fs::write(made.path("names"), format!("subjectAltName=DNS:{host}\n")).unwrap();
        let signed = ["-CA", "ca.pem", "-CAkey", "ca.key", "-extfile", "names", "-out", "server.pem"];
        made.openssl(&["x509", "-req", "-days", "2", "-in", "server.csr"], &signed);
        // The server may run as another user.
        fs::set_permissions(made.path("server.key"), fs::Permissions::from_mode(0o644)).unwrap();
        Some(made)
    }

    /// The path of the authority's certificate.
    pub(crate) fn authority(&self) -> PathBuf {
        self.path("ca.pem")
    }

    /// The folder with `server.pem` and `server.key`.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn openssl(&self, arguments: &[&str], more: &[&str]) {
        let output =
            Command::new("openssl").current_dir(self.folder.path()).args(arguments).args(more).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
}
