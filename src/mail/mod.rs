//! Mails: their texts, their bytes, and their transports.
//!
//! **Architecture invariant:** nothing here knows why a mail is sent. Links, codes and addresses are parameters; URLs
//! come from the configuration, never from a request.

mod built_in;
mod dkim;
mod fault;
mod files;
mod mailbox;
mod message;
mod smtp;
mod template;
mod transport;
mod words;

pub use dkim::{DkimFault, DkimSigner};
pub use fault::{SendFault, SendFaultKind};
pub use files::FileTransport;
pub use mailbox::{Mailbox, StoredMail};
pub use message::{ComposeFault, ComposedMail, Composer, ComposerSettings};
pub use smtp::{InvalidSmtp, SmtpTransport};
pub use template::{MailValues, Rendered, Renderer, TemplateFault};
pub use transport::Transport;
