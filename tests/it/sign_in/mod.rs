//! How sessions begin.

mod device;
mod draw;
mod login;
mod rehash;
mod stale_password;
