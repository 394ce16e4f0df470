//! What the tests stand on.

mod app;
mod contract;
mod database;
mod log;
mod mail;
mod person;
mod postgres;
mod process;
mod requirement;

pub(crate) use app::{App, AppOptions};
pub(crate) use contract::{Refused, bearer, details, reason, request_with, retry_after};
pub(crate) use database::{Database, on_each_database, on_each_database_with};
pub(crate) use log::Log;
pub(crate) use mail::MailText;
pub(crate) use person::{PASSWORD, Person};
pub(crate) use postgres::Cluster;
pub(crate) use process::{ProcessOptions, ServiceProcess};
pub(crate) use requirement::{binary, missing};
