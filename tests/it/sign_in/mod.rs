//! How sessions begin.

mod login;
mod rehash;
