//! Logins: how sessions are opened.

mod device;
mod draw;
mod login;
mod rehash;
mod stale_password;
