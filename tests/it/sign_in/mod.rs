//! How sessions begin.

mod device;
mod login;
mod rehash;
