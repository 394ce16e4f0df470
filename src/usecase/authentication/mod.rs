//! Logging in: from the name of an account to a session. Every login goes through the states of
//! [`countersign_domain::login`], and [`OpenSession`] takes only the last state.

mod audience;
mod challenge;
mod complete_login;
mod find_waiting_login;
mod log_in;
mod open_session;
mod passkey_login;
mod prove_email_code;

pub use challenge::{AskedProof, CHALLENGE, ChallengeLogin};
pub use complete_login::{CompleteLogin, CompleteLoginForm, PresentedProof};
pub use find_waiting_login::{FindWaitingLogin, WaitingLogin};
pub use log_in::{LoggedIn, Login, LoginChallenge, LoginForm, LoginOutcome, NamedAccount};
pub use open_session::{NewSession, OpenSession, PreparedSession};
pub use passkey_login::{CeremonyClient, CompletePasskeyLogin, StartPasskeyLogin, StartedPasskeyLogin};
pub use prove_email_code::ProveEmailCode;
