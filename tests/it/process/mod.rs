//! The real program: how it starts, refuses, obeys, stops, and comes back from the dead.

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
