//! What the tests stand on.

mod app;
mod broken_wire;
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
mod raw_http;
mod redis;
mod replica;
mod requirement;
mod rows;
mod schema;

pub(crate) use app::{App, AppOptions};
pub(crate) use broken_wire::Wire;
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
pub(crate) use raw_http::{Answer, call, call_with, frame, rpc, send, with_header};
pub(crate) use redis::Redis;
pub(crate) use replica::Replica;
pub(crate) use requirement::{binary, missing};
pub(crate) use rows::{Lock, Rows};
pub(crate) use schema::{Rpc, own_rpcs, served_rpcs};
