//! `[mail]`: the sender, the texts and the delivery of mails. `smtp_url` says where they go.

use super::reader::{Reader, Section};
use super::value::{DAY, HostName, Mailbox, PrivatePem};
use countersign_domain::secret::SecretText;
use std::path::PathBuf;
use std::time::Duration;

/// Outgoing mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// The sender.
    pub from: Mailbox,
    /// Where replies go; to the sender if there is none.
    pub reply_to: Option<Mailbox>,
    /// A directory with templates that replace the built-in ones of the same name.
    pub templates_dir: Option<PathBuf>,
    /// How often a mail whose content is refused permanently is tried before it is given up.
    pub max_attempts: u32,
    /// How long a mail that was given up is kept.
    pub dead_retention: Duration,
    /// How long one attempt may take.
    pub timeout: Duration,
    /// The name given in EHLO; the host of `public_url` if there is none.
    pub helo_name: Option<String>,
    /// The DKIM signature, if this service signs mails.
    pub dkim: Option<Dkim>,
}

/// Settings of DKIM signatures (RFC 6376): the public key is published at `<selector>._domainkey.<domain>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dkim {
    /// The `d=` of the signature.
    pub domain: String,
    /// The `s=` of the signature.
    pub selector: String,
    /// The private key in PEM.
    pub key: SecretText,
}

/// The name of the service if the sender has no name.
const PRODUCT: &str = "Countersign";

impl Mail {
    /// The name of the service in mails: the sender's name.
    pub fn product(&self) -> &str {
        self.from.name.as_deref().unwrap_or(PRODUCT)
    }

    pub(super) fn read(reader: &mut Reader) -> Self {
        let mut section = reader.section("mail", "Content and delivery of mails.");
        let from = Mailbox { name: Some(PRODUCT.to_owned()), address: "no-reply@localhost".to_owned() };
        let host = |name: HostName| name.0;
        Self {
            from: section.value(
                "from",
                from,
                "Sender of every mail. Subjects and texts call the service by the sender's name.",
            ),
            reply_to: section.optional("reply_to", "Address for replies, if not the sender."),
            templates_dir: section.optional(
                "templates_dir",
                "Directory of templates that replace the built-in templates of the same name.",
            ),
            max_attempts: section.whole(
                "max_attempts",
                12,
                1..=50,
                "Attempts to send a mail whose content the server refuses permanently, before the mail is dead. \
                 Temporary refusals, and failures that concern every mail, are retried until the mail's purpose has \
                 ended.",
            ),
            dead_retention: section.duration(
                "dead_retention",
                30 * DAY,
                DAY..=400 * DAY,
                "How long a dead mail is kept, for an operator to look at and to requeue.",
            ),
            timeout: section.duration(
                "timeout",
                Duration::from_secs(30),
                Duration::from_secs(1)..=Duration::from_mins(5),
                "How long one attempt may take.",
            ),
            helo_name: section
                .optional("helo_name", "Host name for `EHLO`, if not the host of `public_url`.")
                .map(host),
            dkim: Dkim::read(&mut section),
        }
    }
}

impl Dkim {
    const KEYS: [&str; 3] = ["mail.dkim_domain", "mail.dkim_selector", "mail.dkim_key"];

    fn read(section: &mut Section<'_>) -> Option<Self> {
        let domain = section.optional::<HostName>("dkim_domain", "DKIM domain (`d=`).");
        let selector =
            section.optional::<HostName>("dkim_selector", "DKIM selector, the name of the key in DNS (`s=`).");
        let key =
            section.optional::<PrivatePem>("dkim_key", "DKIM private key. Set all three `dkim_` settings, or none.");
        let reader = section.reader();
        if Self::KEYS.iter().any(|key| reader.is_set(key)) {
            for key in Self::KEYS {
                let reason = format!("is missing; signing mail needs all of {}", Self::KEYS.join(", "));
                reader.require(&[key], reader.is_set(key), reason);
            }
        }
        Some(Self { domain: domain?.0, selector: selector?.0, key: key?.0 })
    }
}
