//! Sends mails over SMTP.

use super::{
    fault::{SendFault, SendFaultKind, Stage},
    message::ComposedMail,
};
use crate::runtime;
use countersign_domain::secret::SecretText;
use mail_send::{
    SmtpClient, SmtpClientBuilder,
    smtp::{AssertReply, message::Parameters},
};
use rustls::crypto::CryptoProvider;
use std::{
    fmt,
    net::IpAddr,
    sync::atomic::{AtomicU8, Ordering},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, lookup_host},
};
use url::{Host, Url};

mod login;

use login::Login;

/// How long a server may take to answer QUIT; the mail is accepted by then.
const QUIT_LIMIT: Duration = Duration::from_secs(2);

/// Why an SMTP URL cannot be used. Never shows the URL, which may contain a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidSmtp {
    /// Not of the form `smtp://[user:password@]host[:port]`.
    Malformed,
    /// Neither `smtp` nor `smtps`.
    Scheme,
    /// A user without a password, a password without a user, or one that is not percent-encoded UTF-8.
    Credentials,
    /// The name for EHLO is not printable ASCII.
    Helo,
    /// The system has no root certificates to verify the server's certificate with.
    NoRootCertificates,
}

impl fmt::Display for InvalidSmtp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "the SMTP URL is not of the form smtp://user:password@host:port",
            Self::Scheme => "the SMTP URL does not start with smtp:// or smtps://",
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
    /// TLS after STARTTLS (RFC 3207). Fails when the server does not offer it, because an attacker in between can
    /// remove the offer.
    StartTls,
    /// None, and only to a loopback address.
    LoopbackOnly,
}

/// Sends each mail over a connection of its own.
pub struct SmtpTransport {
    host: String,
    port: u16,
    helo: String,
    security: Security,
    login: Option<Login>,
    /// Verifies certificates; `None` where nothing is encrypted.
    tls: Option<Box<SmtpClientBuilder<String>>>,
    timeout: Duration,
}

/// The purpose of a connection.
enum Errand<'a> {
    Mail(&'a ComposedMail),
    /// Checks whether this sender would be accepted.
    Probe(&'a str),
}

impl Errand<'_> {
    fn sender(&self) -> &str {
        match self {
            Self::Mail(mail) => &mail.envelope_from,
            Self::Probe(sender) => sender,
        }
    }

    fn needs_smtputf8(&self) -> bool {
        matches!(self, Self::Mail(mail) if mail.needs_smtputf8)
    }

    /// `MAIL FROM` is the same for every mail, except for the parameter for recipients beyond ASCII.
    fn sender_refused(&self, fault: SendFault) -> SendFault {
        match self.needs_smtputf8() {
            true => SendFault { kind: SendFaultKind::Doubtful, ..fault },
            false => fault,
        }
    }
}

/// How far an SMTP session has come when its time is up.
#[derive(Debug, Default)]
struct Progress(AtomicU8);

impl Progress {
    const BEYOND_SENDER: u8 = 1;
    const ACCEPTED: u8 = 2;

    fn reached(&self, step: u8) {
        self.0.store(step, Ordering::Relaxed);
    }

    fn when_time_is_up(&self) -> Result<(), SendFault> {
        match self.0.load(Ordering::Relaxed) {
            Self::ACCEPTED => Ok(()),
            Self::BEYOND_SENDER => Err(SendFault::transient("content: no answer in time")),
            _ => Err(SendFault::server("connection: no answer in time")),
        }
    }
}

impl SmtpTransport {
    /// A transport to `smtps://` (port 465, TLS from the start) or `smtp://` (port 587, STARTTLS, except to a loopback
    /// host, where nothing is encrypted). `timeout` limits a whole attempt.
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
        // The URL parser does not normalize hosts of schemes that it does not know, so the host is parsed again.
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

    /// Sends one mail.
    ///
    /// # Errors
    /// When the server did not accept the mail. A mail whose acceptance was lost counts as not accepted, so a retry may
    /// deliver it twice, with the same Message-ID.
    pub async fn send(&self, mail: &ComposedMail) -> Result<(), SendFault> {
        self.within_limit(Errand::Mail(mail)).await
    }

    /// Checks whether the server would accept a mail from this sender now, without sending one: everything up to `MAIL
    /// FROM`.
    ///
    /// # Errors
    /// When it would not.
    pub async fn probe(&self, sender: &str) -> Result<(), SendFault> {
        self.within_limit(Errand::Probe(sender)).await
    }

    /// `host:port`.
    pub fn place(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    async fn within_limit(&self, errand: Errand<'_>) -> Result<(), SendFault> {
        let progress = Progress::default();
        match runtime::timeout(self.timeout, self.deliver(&errand, &progress)).await {
            Some(outcome) => outcome,
            None => progress.when_time_is_up(),
        }
    }

    async fn deliver(&self, mail: &Errand<'_>, progress: &Progress) -> Result<(), SendFault> {
        let hello = |error| Stage::Hello.fault(error);
        let mut client = SmtpClient { stream: self.connect().await?, timeout: self.timeout };
        let Some(tls) = &self.tls else {
            client.read().await.and_then(AssertReply::assert_positive_completion).map_err(hello)?;
            return self.converse(client, mail, progress).await;
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
        self.converse(secured, mail, progress).await
    }

    /// Everything after the greeting, on a connection that may carry a password.
    async fn converse<T: AsyncRead + AsyncWrite + Unpin>(
        &self,
        mut client: SmtpClient<T>,
        errand: &Errand<'_>,
        progress: &Progress,
    ) -> Result<(), SendFault> {
        let capabilities = client.ehlo(&self.helo).await.map_err(|error| Stage::Hello.fault(error))?;
        if errand.needs_smtputf8() && !offers("SMTPUTF8", |lines| capabilities.write(lines)) {
            return Err(SendFault::permanent("recipient: the server takes no addresses beyond ASCII"));
        }
        if let Some(login) = &self.login {
            login.authenticate(&mut client, capabilities).await?;
        }
        let mut parameters = Parameters::new();
        if errand.needs_smtputf8() {
            parameters.add("SMTPUTF8");
        }
        let from = client.mail_from(errand.sender(), &parameters).await;
        from.map_err(|error| errand.sender_refused(Stage::Sender.fault(error)))?;
        if let Errand::Mail(mail) = errand {
            progress.reached(Progress::BEYOND_SENDER);
            let to = client.rcpt_to(&mail.envelope_to, &Parameters::new()).await;
            to.map_err(|error| Stage::Recipient.fault(error))?;
            client.data(mail.bytes.as_slice()).await.map_err(|error| Stage::Content.fault(error))?;
        }
        progress.reached(Progress::ACCEPTED);
        // The mail is delivered even if QUIT fails, and a retry would deliver it twice.
        let _ = runtime::timeout(QUIT_LIMIT, client.quit()).await;
        Ok(())
    }

    /// Connects to the first address of the host that answers; each gets an equal share of the time.
    async fn connect(&self) -> Result<TcpStream, SendFault> {
        let found = lookup_host((self.host.as_str(), self.port)).await;
        let mut addresses: Vec<_> =
            found.map_err(|_| SendFault::server("connection: the host name was not found"))?.collect();
        if self.security == Security::LoopbackOnly {
            // The system resolves `localhost`, and its answer may be wrong; unencrypted mail goes to this machine only.
            addresses.retain(|address| address.ip().is_loopback());
        }
        let share = self.timeout / u32::try_from(addresses.len()).unwrap_or(u32::MAX).max(1);
        let mut fault = SendFault::server("connection: the host name has no usable address");
        for address in addresses {
            fault = match runtime::timeout(share, TcpStream::connect(address)).await {
                // Without this every command waits for the acknowledgement of the one before: 45 ms a mail.
                Some(connected) => match connected.and_then(|stream| stream.set_nodelay(true).map(|()| stream)) {
                    Ok(stream) => return Ok(stream),
                    Err(error) => SendFault::server(format!("connection: {}", error.kind())),
                },
                None => SendFault::server("connection: no answer in time"),
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

/// Whether an EHLO reply, as `write` writes it, has a line for an extension (RFC 5321 section 4.1.1.1).
fn offers(keyword: &str, write: impl FnOnce(&mut Vec<u8>) -> std::io::Result<()>) -> bool {
    let mut lines = Vec::new();
    write(&mut lines).is_ok()
        && lines.split(|byte| *byte == b'\n').any(|line| line.get(4..) == Some(format!("{keyword}\r").as_bytes()))
}

fn certificate_check(host: &str, port: u16) -> Result<Box<SmtpClientBuilder<String>>, InvalidSmtp> {
    // rustls panics when two providers are compiled in and none is the default; a second call fails and is harmless.
    if CryptoProvider::get_default().is_none() {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    }
    SmtpClientBuilder::new(host.to_owned(), port).map(Box::new).map_err(|_| InvalidSmtp::NoRootCertificates)
}

/// RFC 6761 section 6.3 reserves `localhost` for loopback; `connect` checks the address.
fn is_loopback(host: &Host<String>) -> bool {
    match host {
        Host::Domain(name) => name.trim_end_matches('.').eq_ignore_ascii_case("localhost"),
        Host::Ipv4(address) => IpAddr::from(*address).is_loopback(),
        Host::Ipv6(address) => IpAddr::from(*address).is_loopback(),
    }
}

#[cfg(test)]
mod tests;
