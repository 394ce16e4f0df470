//! Logging in to a mail server (RFC 4954), by the first of PLAIN, CRAM-MD5 and LOGIN that it offers.
//!
//! Only over TLS or to this machine, so the connection protects the password and the mechanism need not.

use super::InvalidSmtp;
use crate::mail::fault::{SendFault, Stage};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use countersign_domain::secret::SecretText;
use mail_send::{Credentials, Error, SmtpClient};
use smtp_proto::{AUTH_CRAM_MD5, AUTH_LOGIN, AUTH_PLAIN, EhloResponse, response::generate::BitToString as _};
use tokio::io::{AsyncRead, AsyncWrite};
use url::Url;
use zeroize::Zeroizing;

/// User and password.
pub(super) struct Login {
    user: SecretText,
    password: SecretText,
}

impl Login {
    /// The user and password of an SMTP URL.
    pub(super) fn of(url: &Url) -> Result<Option<Self>, InvalidSmtp> {
        match (url.username(), url.password()) {
            ("", None) => Ok(None),
            ("", Some(_)) | (_, None | Some("")) => Err(InvalidSmtp::Credentials),
            (user, Some(password)) => {
                Ok(Some(Self { user: percent_decoded(user)?, password: percent_decoded(password)? }))
            }
        }
    }

    /// Logs in. A mechanism that the server offers but does not know is skipped.
    pub(super) async fn authenticate<T: AsyncRead + AsyncWrite + Unpin>(
        &self,
        client: &mut SmtpClient<T>,
        mut capabilities: EhloResponse<String>,
    ) -> Result<(), SendFault> {
        let offered = capabilities.auth_mechanisms;
        let mut refused = SendFault::server(unknown_here(offered));
        for mechanism in [AUTH_PLAIN, AUTH_CRAM_MD5, AUTH_LOGIN] {
            if offered & mechanism == 0 {
                continue;
            }
            let outcome = if mechanism == AUTH_LOGIN {
                self.by_prompts(client).await
            } else {
                // The library would begin mechanisms that it was built without, and cannot abort them.
                capabilities.auth_mechanisms = mechanism;
                let credentials = Credentials::new(self.user.reveal(), self.password.reveal());
                client.authenticate(&credentials, &capabilities).await.map(drop)
            };
            let Err(error) = outcome else { return Ok(()) };
            // RFC 5321 section 4.2.2 and RFC 4954 section 6: the mechanism is refused, and not the password.
            let tries_another = matches!(&error, Error::UnexpectedReply(reply) | Error::AuthenticationFailed(reply)
                if matches!(reply.code, 500..=504 | 534));
            refused = Stage::Login.fault(error);
            if !tries_another {
                break;
            }
        }
        Err(refused)
    }

    /// AUTH LOGIN, which no RFC describes: the server prompts first for the user and then for the password. The text of
    /// the prompts differs from server to server, and is empty with some.
    async fn by_prompts<T: AsyncRead + AsyncWrite + Unpin>(&self, client: &mut SmtpClient<T>) -> mail_send::Result<()> {
        let mut reply = client.cmd(b"AUTH LOGIN\r\n").await?;
        for answer in [&self.user, &self.password] {
            if reply.code != 334 {
                return Err(Error::UnexpectedReply(reply));
            }
            let line = Zeroizing::new(format!("{}\r\n", *Zeroizing::new(STANDARD.encode(answer.reveal()))));
            reply = client.cmd(line.as_bytes()).await?;
        }
        if reply.code == 235 { Ok(()) } else { Err(Error::UnexpectedReply(reply)) }
    }
}

/// The error for an operator whose server offers no mechanism that can be used.
fn unknown_here(offered: u64) -> String {
    let bits = (0..u64::BITS).map(|bit| 1_u64 << bit).filter(|bit| offered & bit != 0);
    let names: Vec<_> = bits.map(|bit| bit.to_mechanism()).collect();
    match names.is_empty() {
        true => "login: the server offers no way to log in that is known here".to_owned(),
        false => format!("login: the server offers {}, and none of PLAIN, CRAM-MD5 and LOGIN", names.join(", ")),
    }
}

/// RFC 3986 section 2.1. Control characters are refused, because they would end a command of the login.
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
