//! Sessions: refresh, reauthenticate, list, log out, revoke.

mod end_everybodys;
mod end_stolen;
mod issue_tokens;
mod list;
mod logout;
mod note_uses;
mod passkey;
mod reauthenticate;
mod recognise;
mod refresh;
mod revoke;
mod watch_client;
mod watch_use;

pub use end_everybodys::EndSessions;
pub use end_stolen::EndStolen;
pub use issue_tokens::{IssueTokens, OpenedSession};
pub use list::{ListSessions, SessionPage};
pub use logout::{Logout, LogoutCredentials};
pub use note_uses::NoteUses;
pub use passkey::{SessionPasskeys, StartedReauthentication};
pub use reauthenticate::{PresentedProof, Reauthenticate};
pub use recognise::{Newest, RecogniseSession};
pub use refresh::Refresh;
pub use revoke::RevokeSessions;
pub use watch_client::WatchClient;
pub use watch_use::WatchUse;
