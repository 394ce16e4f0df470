//! Signing in.

mod login;
mod open_session;

pub use login::{LoggedIn, LoggingIn, Login, Typed};
pub use open_session::{Arrival, OpenSession};
