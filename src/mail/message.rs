//! From rendered text to the bytes that are sent.

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

/// More than any mail here needs. Some servers refuse, and the mailbox does not read, what is much larger.
const MAX_MESSAGE_BYTES: usize = 512 * 1024;

/// RFC 5321 section 4.5.3.1.6 allows 998 octets; some room is left for relays that indent or stuff dots.
const MAX_PLAIN_LINE: usize = 900;

/// Who the mails come from.
#[derive(Debug)]
pub struct ComposerSettings {
    /// The name shown beside the address.
    pub from_name: String,
    /// The address mails come from; its host may be `localhost`, which no account's address may.
    pub from: String,
    /// Where answers go, when not to `from`.
    pub reply_to: Option<String>,
    /// Signs the mails.
    pub dkim: Option<DkimSigner>,
    /// The right side of every Message-ID.
    pub message_id_domain: String,
}

/// Why a mail cannot be composed. Says nothing of its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ComposeFault {
    /// A setting of the composer could break out of its header.
    InvalidSettings,
    /// The recipient's domain has no ASCII form (RFC 5891).
    InvalidRecipient,
    /// The templates made a message of more than 512 KiB.
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

/// Makes messages out of rendered templates.
#[derive(Debug)]
pub struct Composer {
    settings: ComposerSettings,
}

/// A message with its envelope, ready to be sent. Its bytes hold links and codes: silent, and wiped when dropped.
#[derive(Clone)]
pub struct ComposedMail {
    /// The outbox row this is, the same on every retry.
    pub id: MailId,
    /// The address bounces go to.
    pub envelope_from: String,
    /// The one recipient, its domain in ASCII.
    pub envelope_to: String,
    /// Whether the recipient's local part goes beyond ASCII, which a server must declare (RFC 6531).
    pub needs_smtputf8: bool,
    /// The whole message with CRLF line ends.
    pub bytes: Zeroizing<Vec<u8>>,
}

impl Composer {
    /// A composer for one sender.
    ///
    /// # Errors
    /// When a setting holds a character that could end its header or its SMTP command.
    pub fn new(settings: ComposerSettings) -> Result<Self, ComposeFault> {
        let addresses_are_plain =
            is_plain_address(&settings.from) && settings.reply_to.as_deref().is_none_or(is_plain_address);
        let name_is_one_line = !settings.from_name.chars().any(char::is_control);
        if !addresses_are_plain || !name_is_one_line || !is_plain_domain(&settings.message_id_domain) {
            return Err(ComposeFault::InvalidSettings);
        }
        Ok(Self { settings })
    }

    /// The message for one recipient. `id` makes its Message-ID, so that a retry is recognised as the same mail.
    ///
    /// # Errors
    /// When the recipient cannot be written in an envelope, the message is too large or cannot be signed.
    pub fn compose(
        &self,
        id: MailId,
        to: &EmailAddress,
        date: Timestamp,
        rendered: &Rendered,
    ) -> Result<ComposedMail, ComposeFault> {
        let envelope_to = wire_form(to).ok_or(ComposeFault::InvalidRecipient)?;
        let message = self.message(id, &envelope_to, date, rendered);
        // Reserved once, so that no half-written copy with a link in it is left behind by a growing vector.
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

    /// The address that every mail comes from, as `MAIL FROM` says it.
    pub fn sender(&self) -> &str {
        &self.settings.from
    }

    fn message<'a>(&'a self, id: MailId, to: &'a str, date: Timestamp, rendered: &'a Rendered) -> MessageBuilder<'a> {
        let settings = &self.settings;
        let from_name = Some(settings.from_name.as_str()).filter(|name| !name.is_empty());
        // A boundary of our own instead of one from the library's clock: the same mail is the same bytes. Neither
        // quoted-printable nor base64 can produce `=_` (RFC 2045 section 6.7).
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
            // RFC 3834 section 5: no vacation message answers this.
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

/// Plain ASCII goes out as it is, so that a link stays whole for whoever reads the raw mail; anything else is encoded.
fn text_part(text: &str) -> MimePart<'_> {
    let content_type = ContentType::new("text/plain").attribute("charset", "utf-8");
    if text.is_ascii() && text.lines().all(|line| line.len() <= MAX_PLAIN_LINE) {
        let lines = text.lines().flat_map(|line| [line, "\r\n"]).collect::<String>();
        return MimePart::new(content_type, lines).transfer_encoding("7bit");
    }
    MimePart::new(content_type, text)
}

/// The address as SMTP carries it: the domain in its ASCII form (RFC 5891), the local part as it was written.
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
