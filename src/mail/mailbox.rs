//! Reads the files of the file transport: the mailbox of development and tests.

use super::message::wire_form;
use crate::runtime;
use countersign_domain::{email::EmailAddress, time::Timestamp};
use mail_parser::{MessageParser, MimeHeaders};
use std::{
    collections::HashSet,
    fmt,
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
    time::Duration,
};

/// A larger file is not a mail of this service.
const MAX_FILE_BYTES: u64 = 1024 * 1024;

/// How often the folder is read while waiting. Another process may write to it, so there is no notification.
const POLL: Duration = Duration::from_millis(50);

/// A mail from the folder. Its texts contain links and codes, so `Debug` shows none of them.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredMail {
    /// The file's name without `.eml`; sorts by age.
    pub id: String,
    /// The Date header, to the second.
    pub date: Timestamp,
    /// The sender's address.
    pub from: String,
    /// The recipient's address.
    pub to: String,
    /// The subject, decoded.
    pub subject: String,
    /// The plain text, decoded.
    pub text: String,
    /// The HTML, decoded.
    pub html: String,
}

impl fmt::Debug for StoredMail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredMail").field("id", &self.id).field("date", &self.date).finish_non_exhaustive()
    }
}

impl StoredMail {
    /// The token in the mail's link, if it has one: what follows `#token=`.
    pub fn token(&self) -> Option<String> {
        let (_, rest) = self.text.split_once("#token=")?;
        rest.split_whitespace().next().map(str::to_owned)
    }

    /// The code in the mail, if it has one: two groups of four digits on a line of their own.
    pub fn code(&self) -> Option<String> {
        let is_group = |group: &str| group.len() == 4 && group.bytes().all(|byte| byte.is_ascii_digit());
        let is_code = |line: &&str| line.split_once(' ').is_some_and(|(left, right)| is_group(left) && is_group(right));
        self.text.lines().map(str::trim).find(is_code).map(str::to_owned)
    }
}

/// The folder of a file transport.
#[derive(Clone, Debug)]
pub struct Mailbox {
    folder: PathBuf,
}

impl Mailbox {
    /// The mailbox in a folder, which need not exist yet.
    pub fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// The newest mails first, at most `limit`, to all recipients or to one. Files that are not mails are skipped.
    ///
    /// # Errors
    /// When the folder exists but cannot be read.
    pub async fn list(&self, recipient: Option<&EmailAddress>, limit: usize) -> io::Result<Vec<StoredMail>> {
        let (folder, recipient) = (self.folder.clone(), recipient.map(comparable));
        let listed = runtime::blocking(move || {
            let mails = stems(&folder)?.into_iter().filter_map(|stem| read(&folder, stem));
            let wanted = mails.filter(|mail| recipient.as_ref().is_none_or(|wanted| is_to(mail, wanted)));
            Ok(wanted.take(limit).collect())
        });
        listed.await.and_then(|outcome| outcome)
    }

    /// Waits for a mail to a recipient and returns the newest: optionally one whose subject contains a text, and that
    /// is newer than the mail with a known id. `None` when none arrives within `limit`.
    pub async fn wait_for(
        &self,
        recipient: &EmailAddress,
        subject_contains: Option<&str>,
        newer_than: Option<&str>,
        limit: Duration,
    ) -> Option<StoredMail> {
        let wanted = Wanted {
            recipient: comparable(recipient),
            subject_contains: subject_contains.map(str::to_owned),
            newer_than: newer_than.map(str::to_owned),
        };
        let search = Search { folder: self.folder.clone(), wanted, passed_over: HashSet::new() };
        // The first search has no time limit, so that an existing mail is always found.
        let (found, search) = search.look_aside().await?;
        if found.is_some() {
            return found;
        }
        runtime::timeout(limit, search.watch()).await.flatten()
    }
}

struct Wanted {
    recipient: String,
    subject_contains: Option<String>,
    newer_than: Option<String>,
}

struct Search {
    folder: PathBuf,
    wanted: Wanted,
    /// Mails that were read and do not match, so that no file is parsed twenty times a second. Not broken files,
    /// because their writer may not have finished.
    passed_over: HashSet<String>,
}

impl Search {
    /// Searches repeatedly, until there is a mail.
    async fn watch(mut self) -> Option<StoredMail> {
        loop {
            runtime::sleep(POLL).await;
            let (found, search) = self.look_aside().await?;
            if found.is_some() {
                return found;
            }
            self = search;
        }
    }

    /// Searches on a thread for blocking work. `None` when the runtime is stopping.
    async fn look_aside(mut self) -> Option<(Option<StoredMail>, Self)> {
        runtime::blocking(move || (self.look(), self)).await.ok()
    }

    fn look(&mut self) -> Option<StoredMail> {
        for stem in stems(&self.folder).ok()? {
            let is_old = self.wanted.newer_than.as_ref().is_some_and(|known| stem <= *known);
            if is_old || self.passed_over.contains(&stem) {
                continue;
            }
            let Some(mail) = read(&self.folder, stem) else { continue };
            let has_subject = self.wanted.subject_contains.as_ref().is_none_or(|part| mail.subject.contains(part));
            if has_subject && is_to(&mail, &self.wanted.recipient) {
                return Some(mail);
            }
            self.passed_over.insert(mail.id);
        }
        None
    }
}

/// The names of all finished mails, newest first. Links are not followed, so that nobody can make this read another
/// file.
fn stems(folder: &Path) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut stems = Vec::new();
    for entry in entries {
        let entry = entry?;
        let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
        let name = entry.file_name();
        let stem = name.to_str().and_then(|name| name.strip_suffix(".eml"));
        if let Some(stem) = stem.filter(|stem| is_file && !stem.is_empty() && !stem.starts_with('.')) {
            stems.push(stem.to_owned());
        }
    }
    stems.sort_unstable_by(|left, right| right.cmp(left));
    Ok(stems)
}

/// `None` when the file is gone, too large or not a mail.
fn read(folder: &Path, stem: String) -> Option<StoredMail> {
    let mut bytes = Vec::new();
    let file = File::open(folder.join(format!("{stem}.eml"))).ok()?;
    file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).ok()?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return None;
    }
    let message = MessageParser::default().parse(&bytes)?;
    let address = |list: Option<&mail_parser::Address<'_>>| list?.first()?.address.as_deref().map(str::to_owned);
    let body = |subtype: &str| {
        let part = message.parts.iter().find(|part| part.is_content_type("text", subtype));
        part.and_then(|part| part.text_contents()).unwrap_or_default().replace("\r\n", "\n")
    };
    Some(StoredMail {
        date: Timestamp::from_seconds(message.date()?.to_timestamp()),
        from: address(message.from())?,
        to: address(message.to())?,
        subject: message.subject()?.to_owned(),
        text: body("plain"),
        html: body("html"),
        id: stem,
    })
}

fn is_to(mail: &StoredMail, comparable: &str) -> bool {
    mail.to.to_lowercase() == comparable
}

/// As in the To header, but in lower case.
fn comparable(address: &EmailAddress) -> String {
    wire_form(address).unwrap_or_default().to_lowercase()
}

#[cfg(test)]
mod tests;
