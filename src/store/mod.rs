//! SQL on SQLite and PostgreSQL, through sea-orm.
//!
//! Use cases see [`Store`], [`Connection`], [`Tx`] and one module per aggregate; sea-orm is private to this folder.
//! Every function takes the tenant right after the connection, so that a query without one is easy to see.
//!
//! **Architecture invariant:** only this folder names sea-orm, and only `fault.rs` reads a database error.

mod batch;
mod connect;
mod database;
mod dialect;
mod entity;
mod executor;
mod fault;
mod first_contact;
mod guarded;
mod migrate;
mod scope;
mod signals;
mod trust;
mod username_skeleton;

pub mod account;
pub mod action;
pub mod audience;
pub mod audit;
pub mod audit_bare;
pub mod audit_chain;
pub mod audit_rejected;
pub mod backup_code;
pub mod ceremony;
pub mod challenge;
pub mod device;
pub mod expected_device;
pub mod factor;
pub mod key;
pub mod outbox;
pub mod outbox_report;
pub mod passkey;
pub mod past_password;
pub mod registration;
pub mod remembered_device;
pub mod request_id;
pub mod reserved_username;
pub mod revocation;
pub mod role;
pub mod second_factor;
pub mod service;
pub mod session;
pub mod tenant;

pub use connect::DatabaseSettings;
pub use database::Store;
pub use executor::{Connection, Executor, Tx};
pub use fault::StoreFault;
pub use guarded::{Fate, Interference, Step};
pub use signals::SignalListener;
