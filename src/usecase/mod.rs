//! The use cases: one verb, one file. Every transport calls the same ones.
//!
//! A use case is a struct whose fields are its dependencies; its method does one operation from beginning to end. Rules
//! come from `countersign_domain`; the store, the keys, the hasher and the mail do the I/O.
//!
//! **Architecture invariant:** nothing here names tonic, axum, sea-orm, fred or generated code.

mod failure;
mod origin;
mod unit_of_work;

pub mod account;
pub mod action;
pub mod audience;
pub mod audit;
pub mod authentication;
pub mod breached;
pub mod factor;
pub mod gate;
pub mod housekeeping;
pub mod key;
pub mod mail;
pub mod revocation;
pub mod role;
pub mod service;
pub mod session;
pub mod verification;

pub use failure::Failure;
pub use origin::Origin;
pub use unit_of_work::{
    CallScope, EventSubject, Idempotency, IdempotencyKey, IdempotentCall, Mail, UnitOfWork, UnitsOfWork,
};
