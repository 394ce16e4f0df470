//! The ways a mail can leave.

use super::{fault::SendFault, files::FileTransport, message::ComposedMail, smtp::SmtpTransport};
use crate::runtime;
use std::time::Duration;

/// A folder on another machine may fall silent as a server does.
const FILE_LIMIT: Duration = Duration::from_secs(30);

/// Where mails go.
#[derive(Debug)]
pub enum Transport {
    /// Into a folder, for development and tests.
    Files(FileTransport),
    /// To a mail server.
    Smtp(SmtpTransport),
}

impl Transport {
    /// Hands one mail over.
    ///
    /// # Errors
    /// When the mail was not accepted; the fault says whether trying again can help.
    pub async fn send(&self, mail: &ComposedMail) -> Result<(), SendFault> {
        match self {
            Self::Files(files) => {
                let written = runtime::timeout(FILE_LIMIT, files.send(mail)).await;
                written.unwrap_or_else(|| Err(SendFault::server("file: no answer in time")))
            }
            // On the heap: a TLS conversation is large, and callers hold this future within their own.
            Self::Smtp(smtp) => Box::pin(smtp.send(mail)).await,
        }
    }

    /// Asks whether a mail from this sender would be taken now, and sends none. A folder is not asked.
    ///
    /// # Errors
    /// When it would not.
    pub async fn probe(&self, sender: &str) -> Result<(), SendFault> {
        match self {
            Self::Files(_) => Ok(()),
            Self::Smtp(smtp) => Box::pin(smtp.probe(sender)).await,
        }
    }

    /// What mails are handed to, in words for an operator.
    pub fn place(&self) -> String {
        match self {
            Self::Files(files) => format!("the folder {}", files.folder().display()),
            Self::Smtp(smtp) => format!("the mail server {}", smtp.place()),
        }
    }
}
