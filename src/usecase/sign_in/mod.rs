//! Signing in.

mod login;
mod open_session;

pub use login::{LoggingIn, Login};
pub use open_session::OpenSession;
