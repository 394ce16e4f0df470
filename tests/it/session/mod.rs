//! Live sessions, and how they end.

mod access_token;
mod expiry;
mod list;
mod logout;
mod reauthenticate;
mod refresh;
mod revoke;
