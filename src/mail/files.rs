//! Writes mails to files, for development and for tests.

use super::{fault::SendFault, message::ComposedMail};
use crate::runtime;
use countersign_domain::id::MailId;
use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};
use zeroize::Zeroizing;

/// Writes each mail as `<milliseconds>-<mail id>.eml` into one folder.
#[derive(Clone, Debug)]
pub struct FileTransport {
    folder: PathBuf,
}

impl FileTransport {
    /// A transport into `folder`, which is created if it is missing, accessible to its owner only.
    ///
    /// # Errors
    /// When the folder neither exists nor can be created.
    pub fn new(folder: &Path) -> io::Result<Self> {
        let mut builder = DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(folder)?;
        Ok(Self { folder: folder.to_owned() })
    }

    /// The folder of the files.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Writes one mail. A retry of the same mail replaces the file.
    ///
    /// # Errors
    /// When the file cannot be written. Classified like a server that cannot be reached, because no other mail could be
    /// written either.
    pub async fn send(&self, mail: &ComposedMail) -> Result<(), SendFault> {
        let (folder, name) = (self.folder.clone(), file_stem(mail.id));
        let bytes: Zeroizing<Vec<u8>> = mail.bytes.clone();
        let written = runtime::blocking(move || write(&folder, &name, &bytes)).await;
        written.and_then(|outcome| outcome).map_err(|error| SendFault::server(format!("file: {}", error.kind())))
    }
}

/// The milliseconds are the first 48 bits of the id (RFC 9562 section 5.7), so that names sort by age and a retry has
/// the same name.
fn file_stem(id: MailId) -> String {
    format!("{:013}-{id}", id.as_uuid().as_u128() >> 80)
}

/// Writes under a temporary name and renames when the file is complete and synced, so that a reader sees the whole mail
/// or none.
fn write(folder: &Path, stem: &str, bytes: &[u8]) -> io::Result<()> {
    let unfinished = folder.join(format!(".{stem}.unfinished"));
    if let Err(error) = fs::remove_file(&unfinished)
        && error.kind() != io::ErrorKind::NotFound
    {
        return Err(error);
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&unfinished)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&unfinished, folder.join(format!("{stem}.eml")))?;
    // The name is durable only after a sync of the folder.
    #[cfg(unix)]
    File::open(folder)?.sync_all()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

    use super::*;
    use crate::mail::SendFaultKind;
    use countersign_domain::time::Timestamp;

    fn mail(id: MailId, text: &str) -> ComposedMail {
        ComposedMail {
            id,
            envelope_from: "no-reply@localhost".into(),
            envelope_to: "ada@example.org".into(),
            needs_smtputf8: false,
            bytes: Zeroizing::new(text.as_bytes().to_vec()),
        }
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[tokio::test]
    async fn the_same_mail_written_twice_is_one_file_with_the_newer_text() {
        let place = tempfile::tempdir().unwrap();
        let transport = FileTransport::new(place.path()).unwrap();
        let id = MailId::new(Timestamp::from_seconds(1_700_000_000), [7; 10]);
        transport.send(&mail(id, "first")).await.unwrap();
        transport.send(&mail(id, "second")).await.unwrap();
        let name = format!("1700000000000-{id}.eml");
        assert_eq!(fs::read_to_string(place.path().join(&name)).unwrap(), "second");
        assert_eq!(names(place.path()), [name]);
    }

    #[tokio::test]
    async fn what_a_crash_left_behind_is_written_over() {
        let place = tempfile::tempdir().unwrap();
        let id = MailId::new(Timestamp::from_seconds(1), [7; 10]);
        fs::write(place.path().join(format!(".{}.unfinished", file_stem(id))), "half").unwrap();
        FileTransport::new(place.path()).unwrap().send(&mail(id, "whole")).await.unwrap();
        assert_eq!(names(place.path()), [format!("0000000001000-{id}.eml")]);
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn folder_and_files_are_for_their_owner_alone() {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("data/mail");
        let transport = FileTransport::new(&folder).unwrap();
        transport.send(&mail(MailId::new(Timestamp::from_seconds(1), [7; 10]), "text")).await.unwrap();
        assert_eq!(mode(&folder), 0o700);
        assert_eq!(mode(&folder.join(&names(&folder)[0])), 0o600);
    }

    #[tokio::test]
    async fn a_folder_that_vanished_is_every_mails_trouble() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("mail");
        let transport = FileTransport::new(&folder).unwrap();
        fs::remove_dir(&folder).unwrap();
        let fault = transport.send(&mail(MailId::new(Timestamp::from_seconds(1), [7; 10]), "text")).await.unwrap_err();
        assert_eq!(fault.kind, SendFaultKind::Server);
    }
}
