//! Settings: their sources, their valid values, and every reason why a start is refused.
//!
//! A setting has one key (`sessions.access_ttl`), which is also its position in the TOML file and, in capitals and with
//! `__` for the dot, the name of its environment variable (`COUNTERSIGN_SESSIONS__ACCESS_TTL`). With `_file` (`_FILE`)
//! after the name, the value is read from the file with that path.
//!
//! | look in | for |
//! | --- | --- |
//! | [`load`], [`from_process`] | loading the configuration |
//! | [`Config`] and one file per section | the settings, as the rest of the program sees them |
//! | `source/` | file and environment, merged into one flat map with the origin of each value |
//! | `reader.rs` | reads typed settings, collects all faults, and records the settings for [`reference`] |
//! | `value/` | the valid forms of durations, addresses, URLs and keys |
//! | `production.rs` | what `profile = "production"` refuses to start with |
//!
//! **Architecture invariant:** nothing outside this folder reads the process environment, and nothing in it prints a
//! secret: not in an error, not in `Debug`, not in [`Loaded::print`].

mod accounts;
mod admin;
mod audit;
mod breached;
mod browser;
mod captcha;
mod database;
mod factors;
mod fault;
mod former;
mod keys;
mod limits;
mod links;
mod load;
mod lockout;
mod log;
mod mail;
mod origin;
mod passkeys;
mod passwords;
mod production;
mod reader;
mod reference;
mod risk;
mod root;
mod server;
mod sessions;
mod source;
mod suggestion;
mod top;
mod unknown;
mod value;
mod verification;

#[cfg(test)]
mod tests;

pub use self::accounts::Accounts;
pub use self::admin::Admin;
pub use self::audit::{Audit, AuditLines};
pub use self::breached::{Breached, BreachedList, WhenListUnavailable};
pub use self::browser::Browser;
pub use self::captcha::{Captcha, WhenUnavailable};
pub use self::database::Database;
pub use self::factors::Factors;
pub use self::fault::{ConfigFault, ConfigFaults};
pub use self::keys::Keys;
pub use self::limits::{LimitStore, Limits};
pub use self::links::Links;
pub use self::load::{EffectiveSetting, Loaded, from_process, load};
pub use self::lockout::Lockout;
pub use self::log::{Log, LogFormat};
pub use self::mail::{Dkim, Mail};
pub use self::origin::Origin;
pub use self::passkeys::Passkeys;
pub use self::passwords::Passwords;
pub use self::reference::reference;
pub use self::risk::Risk;
pub use self::root::Config;
pub use self::server::Server;
pub use self::sessions::Sessions;
pub use self::top::Profile;
pub use self::value::Mailbox;
pub use self::verification::Verification;
