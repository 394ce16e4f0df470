//! The rules of Countersign.
//!
//! Everything here is a pure function of its arguments: no clock, no entropy, no I/O. Time and random numbers are
//! parameters, so that every rule can be tested to the second.
//!
//! **Architecture invariant:** this crate's `Cargo.toml` names nothing that could do I/O.

pub mod account;
pub mod action;
pub mod assurance;
pub mod audience;
pub mod audit;
pub mod authenticator;
pub mod backoff;
pub mod backup_code;
pub mod caller;
pub mod captcha;
pub mod client;
pub mod client_address;
mod closed_list;
pub mod device;
pub mod display_name;
pub mod email;
pub mod factor;
pub mod factor_policy;
pub mod host;
pub mod id;
pub mod key;
pub mod limit;
pub mod locale;
pub mod lockout;
pub mod login;
pub mod mail;
pub mod mail_server;
pub mod password;
pub mod refresh;
pub mod refusal;
pub mod registration;
pub mod request_id;
pub mod revocation;
pub mod risk;
pub mod role;
pub mod secret;
pub mod service;
pub mod session;
pub mod signal;
pub mod tenant;
mod text;
pub mod time;
pub mod totp;
pub mod username;
