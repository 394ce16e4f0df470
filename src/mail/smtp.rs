//! Mails leave over SMTP.

use super::{
    fault::{SendFault, Stage},
    message::ComposedMail,
};
use crate::runtime;
use countersign_domain::secret::SecretText;
use mail_send::{
    Credentials, SmtpClient, SmtpClientBuilder,
    smtp::{AssertReply, message::Parameters},
};
use rustls::crypto::CryptoProvider;
use std::{
    fmt,
    net::IpAddr,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, lookup_host},
};
use url::{Host, Url};

/// How long a server may take to say goodbye; the mail is accepted by then.
const QUIT_LIMIT: Duration = Duration::from_secs(2);

/// Why an SMTP URL cannot be used. Never shows the URL, which may hold a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidSmtp {
    /// Not of the form `smtp://[user:password@]host[:port]`.
    Malformed,
    /// Neither `smtp` nor `smtps`.
    Scheme,
    /// A user without a password, the other way round, or one that is not percent-encoded UTF-8.
    Credentials,
    /// The name to say hello with is not printable ASCII.
    Helo,
    /// The system has no root certificates to check the server's with.
    NoRootCertificates,
}

impl fmt::Display for InvalidSmtp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "the SMTP URL is not of the form smtp://user:password@host:port",
            Self::Scheme => "the SMTP URL begins with neither smtp:// nor smtps://",
            Self::Credentials => "the SMTP URL needs a user and a password, both percent-encoded UTF-8, or neither",
            Self::Helo => "the SMTP hello name is not printable ASCII without spaces",
            Self::NoRootCertificates => "the system has no root certificates; install its ca-certificates package",
        })
    }
}

impl std::error::Error for InvalidSmtp {}

/// How the connection is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Security {
    /// TLS from the first byte (RFC 8314 section 3.3).
    Implicit,
    /// TLS after STARTTLS (RFC 3207), and nothing at all when the server does not offer it: an attacker on the way can
    /// remove the offer.
    StartTls,
    /// None, and only to this machine itself.
    LoopbackOnly,
}

/// Sends each mail over a connection of its own.
pub struct SmtpTransport {
    host: String,
    port: u16,
    helo: String,
    security: Security,
    login: Option<Login>,
    /// Holds the certificate check; `None` where nothing is encrypted.
    tls: Option<Box<SmtpClientBuilder<String>>>,
    timeout: Duration,
}

struct Login {
    user: SecretText,
    password: SecretText,
}

impl SmtpTransport {
    /// A transport to `smtps://` (port 465, TLS from the start) or `smtp://` (port 587, STARTTLS, except to a loopback
    /// host, where nothing is encrypted). `timeout` bounds a whole sending.
    ///
    /// # Errors
    /// When the URL or the name is malformed, or there are no root certificates.
    pub fn new(url: &SecretText, helo: &str, timeout: Duration) -> Result<Self, InvalidSmtp> {
        let url = Url::parse(url.reveal()).map_err(|_| InvalidSmtp::Malformed)?;
        let implicit = match url.scheme() {
            "smtps" => true,
            "smtp" => false,
            _ => return Err(InvalidSmtp::Scheme),
        };
        if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
            return Err(InvalidSmtp::Malformed);
        }
        // The URL parser takes hosts of schemes it does not know as they are; a second look normalises them.
        let host = url.host_str().and_then(|host| Host::parse(host).ok()).ok_or(InvalidSmtp::Malformed)?;
        if helo.is_empty() || helo.len() > 255 || !helo.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(InvalidSmtp::Helo);
        }
        let security = match implicit {
            true => Security::Implicit,
            false if is_loopback(&host) => Security::LoopbackOnly,
            false => Security::StartTls,
        };
        let host = match host {
            Host::Domain(name) => name,
            Host::Ipv4(address) => address.to_string(),
            Host::Ipv6(address) => address.to_string(),
        };
        let port = url.port().unwrap_or(if implicit { 465 } else { 587 });
        let tls = match security {
            Security::LoopbackOnly => None,
            Security::Implicit | Security::StartTls => Some(certificate_check(&host, port)?),
        };
        Ok(Self { host, port, helo: helo.to_owned(), security, login: Login::of(&url)?, tls, timeout })
    }

    /// Hands one mail over.
    ///
    /// # Errors
    /// When the server did not accept it. A mail whose acceptance was lost on the way back counts as not accepted, so
    /// a retry may deliver it twice, with the same Message-ID.
    pub async fn send(&self, mail: &ComposedMail) -> Result<(), SendFault> {
        let accepted = AtomicBool::new(false);
        match runtime::timeout(self.timeout, self.deliver(mail, &accepted)).await {
            Some(outcome) => outcome,
            None if accepted.load(Ordering::Relaxed) => Ok(()),
            None => Err(SendFault::transient("no answer in time")),
        }
    }

    async fn deliver(&self, mail: &ComposedMail, accepted: &AtomicBool) -> Result<(), SendFault> {
        let hello = |error| Stage::Hello.fault(error);
        let mut client = SmtpClient { stream: self.connect().await?, timeout: self.timeout };
        let Some(tls) = &self.tls else {
            client.read().await.and_then(AssertReply::assert_positive_completion).map_err(hello)?;
            return self.converse(client, mail, accepted).await;
        };
        let secured = match self.security {
            Security::Implicit => {
                let mut secured = client.into_tls(&tls.tls_connector, &self.host).await.map_err(hello)?;
                secured.read().await.and_then(AssertReply::assert_positive_completion).map_err(hello)?;
                secured
            }
            Security::StartTls | Security::LoopbackOnly => {
                client.read().await.and_then(AssertReply::assert_positive_completion).map_err(hello)?;
                let capabilities = client.ehlo(&self.helo).await.map_err(hello)?;
                if !offers("STARTTLS", |lines| capabilities.write(lines)) {
                    return Err(hello(mail_send::Error::MissingStartTls));
                }
                client.start_tls(&tls.tls_connector, &self.host).await.map_err(hello)?
            }
        };
        self.converse(secured, mail, accepted).await
    }

    /// Everything after the greeting, on a connection that may carry a password.
    async fn converse<T: AsyncRead + AsyncWrite + Unpin>(
        &self,
        mut client: SmtpClient<T>,
        mail: &ComposedMail,
        accepted: &AtomicBool,
    ) -> Result<(), SendFault> {
        let mut parameters = Parameters::new();
        let capabilities = client.ehlo(&self.helo).await.map_err(|error| Stage::Hello.fault(error))?;
        if mail.needs_smtputf8 {
            if !offers("SMTPUTF8", |lines| capabilities.write(lines)) {
                return Err(SendFault::permanent("envelope: the server takes no addresses beyond ASCII"));
            }
            parameters.add("SMTPUTF8");
        }
        if let Some(login) = &self.login {
            let credentials = Credentials::new(login.user.reveal(), login.password.reveal());
            client.authenticate(&credentials, &capabilities).await.map_err(|error| Stage::Login.fault(error))?;
        }
        let envelope = |error| Stage::Envelope.fault(error);
        client.mail_from(&mail.envelope_from, &parameters).await.map_err(envelope)?;
        client.rcpt_to(&mail.envelope_to, &Parameters::new()).await.map_err(envelope)?;
        client.data(mail.bytes.as_slice()).await.map_err(|error| Stage::Content.fault(error))?;
        accepted.store(true, Ordering::Relaxed);
        // Whatever happens to the farewell, the mail is delivered, and a retry would deliver it twice.
        let _ = runtime::timeout(QUIT_LIMIT, client.quit()).await;
        Ok(())
    }

    /// The first address of the host that answers; each gets an equal share of the time.
    async fn connect(&self) -> Result<TcpStream, SendFault> {
        let found = lookup_host((self.host.as_str(), self.port)).await;
        let mut addresses: Vec<_> =
            found.map_err(|_| SendFault::configuration("connection: the host name was not found"))?.collect();
        if self.security == Security::LoopbackOnly {
            // What `localhost` means is decided outside; in the clear we speak to this machine only.
            addresses.retain(|address| address.ip().is_loopback());
        }
        let share = self.timeout / u32::try_from(addresses.len()).unwrap_or(u32::MAX).max(1);
        let mut fault = SendFault::configuration("connection: the host name has no usable address");
        for address in addresses {
            fault = match runtime::timeout(share, TcpStream::connect(address)).await {
                // Without this every command waits for the acknowledgement of the one before: 45 ms a mail.
                Some(connected) => match connected.and_then(|stream| stream.set_nodelay(true).map(|()| stream)) {
                    Ok(stream) => return Ok(stream),
                    Err(error) => SendFault::transient(format!("connection: {}", error.kind())),
                },
                None => SendFault::transient("connection: no answer in time"),
            };
        }
        Err(fault)
    }
}

impl fmt::Debug for SmtpTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SmtpTransport")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("security", &self.security)
            .finish_non_exhaustive()
    }
}

impl Login {
    fn of(url: &Url) -> Result<Option<Self>, InvalidSmtp> {
        match (url.username(), url.password()) {
            ("", None) => Ok(None),
            ("", Some(_)) | (_, None | Some("")) => Err(InvalidSmtp::Credentials),
            (user, Some(password)) => {
                Ok(Some(Self { user: percent_decoded(user)?, password: percent_decoded(password)? }))
            }
        }
    }
}

/// Whether an EHLO reply, as `write` writes it out again, has a line for an extension (RFC 5321 section 4.1.1.1).
fn offers(keyword: &str, write: impl FnOnce(&mut Vec<u8>) -> std::io::Result<()>) -> bool {
    let mut lines = Vec::new();
    write(&mut lines).is_ok()
        && lines.split(|byte| *byte == b'\n').any(|line| line.get(4..) == Some(format!("{keyword}\r").as_bytes()))
}

fn certificate_check(host: &str, port: u16) -> Result<Box<SmtpClientBuilder<String>>, InvalidSmtp> {
    // rustls panics when two providers are compiled in and nobody chose; choosing again is refused and harmless.
    if CryptoProvider::get_default().is_none() {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    }
    SmtpClientBuilder::new(host.to_owned(), port).map(Box::new).map_err(|_| InvalidSmtp::NoRootCertificates)
}

/// RFC 6761 section 6.3 keeps `localhost` on this machine; the connection checks that it was.
fn is_loopback(host: &Host<String>) -> bool {
    match host {
        Host::Domain(name) => name.trim_end_matches('.').eq_ignore_ascii_case("localhost"),
        Host::Ipv4(address) => IpAddr::from(*address).is_loopback(),
        Host::Ipv6(address) => IpAddr::from(*address).is_loopback(),
    }
}

/// RFC 3986 section 2.1. Control characters are refused: they would end a command of the login.
fn percent_decoded(encoded: &str) -> Result<SecretText, InvalidSmtp> {
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut parts = encoded.split('%');
    bytes.extend(parts.next().unwrap_or_default().bytes());
    for part in parts {
        let digits = part.get(..2).filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()).ok_or(InvalidSmtp::Credentials)?;
        bytes.push(byte);
        bytes.extend(part.bytes().skip(2));
    }
    let text = String::from_utf8(bytes).map_err(|_| InvalidSmtp::Credentials)?;
    if text.chars().any(char::is_control) {
        return Err(InvalidSmtp::Credentials);
    }
    Ok(SecretText::new(text))
}

#[cfg(test)]
mod tests;
