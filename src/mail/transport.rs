//! The ways a mail can leave.

use super::{fault::SendFault, files::FileTransport, message::ComposedMail, smtp::SmtpTransport};

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
            Self::Files(files) => files.send(mail).await,
            // On the heap: a TLS conversation is large, and callers hold this future within their own.
            Self::Smtp(smtp) => Box::pin(smtp.send(mail)).await,
        }
    }
}
