//! The transports of mails.

use super::{fault::SendFault, files::FileTransport, message::ComposedMail, smtp::SmtpTransport};
use crate::runtime;
use std::time::Duration;

/// Access to a folder on another machine may hang.
const FILE_LIMIT: Duration = Duration::from_secs(30);

/// Where mails go.
#[derive(Debug)]
pub enum Transport {
    /// To a folder, for development and tests.
    Files(FileTransport),
    /// To a mail server.
    Smtp(SmtpTransport),
}

impl Transport {
    /// Sends one mail.
    ///
    /// # Errors
    /// When the mail was not accepted; the fault says whether another attempt can succeed.
    pub async fn send(&self, mail: &ComposedMail) -> Result<(), SendFault> {
        match self {
            Self::Files(files) => {
                let written = runtime::timeout(FILE_LIMIT, files.send(mail)).await;
                written.unwrap_or_else(|| Err(SendFault::server("file: no answer in time")))
            }
            // On the heap: the future of a TLS connection is large, and callers embed this future in their own.
            Self::Smtp(smtp) => Box::pin(smtp.send(mail)).await,
        }
    }

    /// Checks whether a mail from this sender would be accepted now, without sending one. A folder is not checked.
    ///
    /// # Errors
    /// When it would not.
    pub async fn probe(&self, sender: &str) -> Result<(), SendFault> {
        match self {
            Self::Files(_) => Ok(()),
            Self::Smtp(smtp) => Box::pin(smtp.probe(sender)).await,
        }
    }

    /// The destination of mails, in words for an operator.
    pub fn place(&self) -> String {
        match self {
            Self::Files(files) => format!("the folder {}", files.folder().display()),
            Self::Smtp(smtp) => format!("the mail server {}", smtp.place()),
        }
    }
}
