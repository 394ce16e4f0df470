//! The real program: starts, refusals, commands, stops and crashes.

mod account_command;
mod canary;
mod command;
mod connections;
mod crash;
mod database_tls;
mod deployment;
mod first_start;
mod health;
mod key;
mod lists;
mod mail_command;
mod metrics;
mod orders;
mod passwords_command;
mod pooler;
mod refusal;
mod service_command;
mod start;
mod stop;
mod storm;
