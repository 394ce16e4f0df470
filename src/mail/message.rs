//! Composes the bytes of a message from rendered texts.

use super::{
    dkim::{DkimFault, DkimSigner},
    template::Rendered,
    words,
};
use countersign_domain::{email::EmailAddress, id::MailId, time::Timestamp};
use mail_builder::{
    MessageBuilder,
    headers::{address::Address, content_type::ContentType, date::Date, raw::Raw, text::Text},
    mime::MimePart,
};
use std::fmt;
use url::Host;
use zeroize::Zeroizing;

/// More than any mail needs. Some servers refuse a much larger one, and the mailbox does not read it.
const MAX_MESSAGE_BYTES: usize = 512 * 1024;

/// RFC 5321 section 4.5.3.1.6 allows 998 octets; the rest is left for relays that indent or stuff dots.
const MAX_PLAIN_LINE: usize = 900;

/// Settings of the sender.
#[derive(Debug)]
pub struct ComposerSettings {
    /// The name shown beside the address.
    pub from_name: String,
    /// The sender's address; its host may be `localhost`, which no account's address may.
    pub from: String,
    /// Where replies go, if not to `from`.
    pub reply_to: Option<String>,
    /// Signs the mails.
    pub dkim: Option<DkimSigner>,
    /// The right side of every Message-ID.
    pub message_id_domain: String,
}

/// Why a mail cannot be composed. Contains nothing of its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ComposeFault {
    /// A setting of the composer could break out of its header.
    InvalidSettings,
    /// The recipient's domain has no ASCII form (RFC 5891).
    InvalidRecipient,
    /// The rendered message exceeds 512 KiB.
    TooLarge,
    /// The message could not be signed.
    Dkim(DkimFault),
}

impl fmt::Display for ComposeFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidSettings => f.write_str("the sender's name, address or domain has invalid characters"),
            Self::InvalidRecipient => f.write_str("the recipient's domain has no ASCII form"),
            Self::TooLarge => f.write_str("the mail is larger than 512 KiB"),
            Self::Dkim(fault) => fault.fmt(f),
        }
    }
}

impl std::error::Error for ComposeFault {}

/// Composes messages from rendered texts.
#[derive(Debug)]
pub struct Composer {
    settings: ComposerSettings,
}

/// A message with its envelope, ready to be sent. Its bytes contain links and codes, so it is wiped when dropped and
/// has no `Debug` output.
#[derive(Clone)]
pub struct ComposedMail {
    /// The id in the outbox, the same at every retry.
    pub id: MailId,
    /// The address that bounces go to.
    pub envelope_from: String,
    /// The only recipient, with its domain in ASCII.
    pub envelope_to: String,
    /// Whether the recipient's local part is not ASCII, which a server must support (RFC 6531).
    pub needs_smtputf8: bool,
    /// The whole message with CRLF line ends.
    pub bytes: Zeroizing<Vec<u8>>,
}

impl Composer {
    /// A composer for one sender.
    ///
    /// # Errors
    /// When a setting contains a character that could end its header or its SMTP command.
    pub fn new(settings: ComposerSettings) -> Result<Self, ComposeFault> {
        let addresses_are_plain =
            is_plain_address(&settings.from) && settings.reply_to.as_deref().is_none_or(is_plain_address);
        let name_is_one_line = !settings.from_name.chars().any(char::is_control);
        if !addresses_are_plain || !name_is_one_line || !is_plain_domain(&settings.message_id_domain) {
            return Err(ComposeFault::InvalidSettings);
        }
        Ok(Self { settings })
    }

    /// The message for one recipient. `id` determines its Message-ID, so that a retry is recognized as the same mail.
    ///
    /// # Errors
    /// When the recipient cannot be written in an envelope, or the message is too large or cannot be signed.
    pub fn compose(
        &self,
        id: MailId,
        to: &EmailAddress,
        date: Timestamp,
        rendered: &Rendered,
    ) -> Result<ComposedMail, ComposeFault> {
        let envelope_to = wire_form(to).ok_or(ComposeFault::InvalidRecipient)?;
        let message = self.message(id, &envelope_to, date, rendered);
        // Reserved once, so that a growing vector leaves no partial copy with a link in memory.
        let mut unsigned = Zeroizing::new(Vec::with_capacity(MAX_MESSAGE_BYTES.min(4 * rendered.len() + 4096)));
        message.serialize(&mut *unsigned);
        if unsigned.len() > MAX_MESSAGE_BYTES {
            return Err(ComposeFault::TooLarge);
        }
        let bytes = match &self.settings.dkim {
            None => unsigned,
            Some(signer) => {
                let signature = signer.sign(&unsigned, date).map_err(ComposeFault::Dkim)?;
                Zeroizing::new([signature.as_bytes(), unsigned.as_slice()].concat())
            }
        };
        Ok(ComposedMail {
            id,
            envelope_from: self.settings.from.clone(),
            needs_smtputf8: !envelope_to.is_ascii(),
            envelope_to,
            bytes,
        })
    }

    /// The address for `MAIL FROM`, the same for every mail.
    pub fn sender(&self) -> &str {
        &self.settings.from
    }

    fn message<'a>(&'a self, id: MailId, to: &'a str, date: Timestamp, rendered: &'a Rendered) -> MessageBuilder<'a> {
        let settings = &self.settings;
        let from_name = Some(settings.from_name.as_str()).filter(|name| !name.is_empty());
        // A boundary from the id instead of the library's, which depends on the clock: the same mail has the same
        // bytes. Neither quoted-printable nor base64 can produce `=_` (RFC 2045 section 6.7).
        let boundary = format!("=_{}", id.as_uuid().simple());
        let parts = vec![
            text_part(rendered.text()),
            MimePart::new(ContentType::new("text/html").attribute("charset", "utf-8"), rendered.html()),
        ];
        let body = MimePart::new(ContentType::new("multipart/alternative").attribute("boundary", boundary), parts);
        let mut message = MessageBuilder::new()
            .from(Address::new_address(from_name, settings.from.as_str()))
            .to(Address::new_address(None::<&str>, to));
        if let Some(reply_to) = &settings.reply_to {
            message = message.reply_to(Address::new_address(None::<&str>, reply_to.as_str()));
        }
        message
            .subject(words::one_line(rendered.subject()))
            .date(Date::new(date.as_seconds()))
            .message_id(format!("{id}@{}", settings.message_id_domain))
            .header("MIME-Version", Raw::new("1.0"))
            // Prevents vacation messages as replies (RFC 3834 section 5).
            .header("Auto-Submitted", Raw::new("auto-generated"))
            .header("Content-Language", Text::new(rendered.locale().tag()))
            .body(body)
    }
}

impl fmt::Debug for ComposedMail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ComposedMail").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Plain ASCII is not encoded, so that a link stays whole in the raw mail; other text is encoded.
fn text_part(text: &str) -> MimePart<'_> {
    let content_type = ContentType::new("text/plain").attribute("charset", "utf-8");
    if text.is_ascii() && text.lines().all(|line| line.len() <= MAX_PLAIN_LINE) {
        let lines = text.lines().flat_map(|line| [line, "\r\n"]).collect::<String>();
        return MimePart::new(content_type, lines).transfer_encoding("7bit");
    }
    MimePart::new(content_type, text)
}

/// The address as in SMTP: the domain in ASCII (RFC 5891), the local part unchanged.
pub(super) fn wire_form(address: &EmailAddress) -> Option<String> {
    let (local, domain) = address.as_str().rsplit_once('@')?;
    if domain.is_ascii() {
        return Some(address.as_str().to_owned());
    }
    match Host::parse(domain).ok()? {
        Host::Domain(ascii) if is_plain_domain(&ascii) => Some(format!("{local}@{ascii}")),
        _ => None,
    }
}

fn is_plain_address(address: &str) -> bool {
    let atoms = |local: &str| {
        !local.is_empty() && local.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~.".contains(&b))
    };
    address.rsplit_once('@').is_some_and(|(local, domain)| atoms(local) && is_plain_domain(domain))
}

fn is_plain_domain(domain: &str) -> bool {
    !domain.is_empty()
        && domain.len() <= 253
        && domain
            .split('.')
            .all(|label| !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'))
}

#[cfg(test)]
mod tests;
