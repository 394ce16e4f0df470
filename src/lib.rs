//! Countersign: an identity service that speaks gRPC. ARCHITECTURE.md gives the overview.

pub mod breached;
pub mod cache;
pub mod captcha;
pub mod cli;
pub mod config;
pub mod countries;
pub mod grpc;
pub mod http;
pub mod jobs;
pub mod keys;
pub mod mail;
pub mod outbound;
pub mod passkeys;
pub mod passwords;
pub mod runtime;
pub mod store;
pub mod telemetry;
pub mod usecase;
pub mod wiring;
