//! What the tests stand on.

mod app;
mod client;
mod command;
mod contract;
mod database;
mod log;
mod mail;
mod mail_server;
mod person;
mod postgres;
mod process;
mod requirement;
mod rows;
mod wire;

pub(crate) use app::{App, AppOptions};
pub(crate) use client::{Client, eventually};
pub(crate) use command::finish;
pub(crate) use contract::{Refused, bearer, details, reason, request_with, retry_after};
pub(crate) use database::{Database, on_each_database, on_each_database_with};
pub(crate) use log::Log;
pub(crate) use mail::MailText;
pub(crate) use mail_server::MailServer;
pub(crate) use person::{PASSWORD, Person};
pub(crate) use postgres::{Cluster, free_port};
pub(crate) use process::{ProcessOptions, ServiceProcess};
pub(crate) use requirement::{binary, missing};
pub(crate) use rows::{Lock, Rows};
pub(crate) use wire::Wire;
