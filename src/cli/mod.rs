//! The command line.

mod account;
mod arguments;
mod audience;
mod audit;
mod config;
mod health;
mod keys;
mod mail;
mod migrate;
mod passwords;
mod screen;
mod serve;
mod service;
mod session;
mod supervise;

use crate::{config::Config, wiring::Terminal};
use arguments::{Arguments, AuditCommand, Command, ConfigCommand};
use clap::Parser as _;
use screen::Screen;
use std::{process::ExitCode, time::Duration};
use supervise::{OnSignal, Supervised, supervise};

/// The error is a sentence for the operator at the terminal.
type Outcome = Result<(), String>;

/// A service that has not started yet has no calls to finish.
const STOP_WHILE_STARTING: Duration = Duration::from_secs(3);
/// The time for work of the runtime that cannot be cancelled, such as writing a file.
const LEAVE: Duration = Duration::from_secs(1);

/// Runs the command that the arguments name.
pub fn main() -> ExitCode {
    supervise(|supervised| {
        let arguments = Arguments::parse();
        supervised.on_signal(match arguments.command.as_ref().unwrap_or(&Command::Serve) {
            Command::Serve => OnSignal::Stop(STOP_WHILE_STARTING),
            Command::Audit { command: AuditCommand::Follow { .. } } => OnSignal::EndWell,
            _ => OnSignal::End,
        });
        dispatch(&arguments, supervised, &Screen)
    })
}

fn dispatch(arguments: &Arguments, supervised: &Supervised, screen: &Screen) -> Outcome {
    let loaded = crate::config::from_process(arguments.config.as_deref()).map_err(|faults| faults.to_string())?;
    let settings = &loaded.config;
    match arguments.command.as_ref().unwrap_or(&Command::Serve) {
        Command::Serve => serve::serve(settings, supervised, screen),
        Command::Migrate => migrate::migrate(settings, screen),
        Command::Health => health::check(settings),
        Command::Config { command: ConfigCommand::Check } => config::check(settings, screen),
        Command::Config { command: ConfigCommand::Print } => config::print(&loaded, screen),
        Command::Mail { command } => mail::dispatch(settings, command, screen),
        Command::Account { command } => account::dispatch(settings, command, screen),
        Command::Service { command } => service::dispatch(settings, command, screen),
        Command::Session { command } => session::dispatch(settings, command, screen),
        Command::Keys { command } => keys::dispatch(settings, command, screen),
        Command::Audience { command } => audience::dispatch(settings, command, screen),
        Command::Passwords { command } => passwords::dispatch(command, screen),
        Command::Audit { command } => audit::dispatch(settings, command, screen),
    }
}

/// The terminal of a command, with an existing database.
async fn open(config: &Config) -> Result<Terminal<'_>, String> {
    Terminal::open(config).await.map_err(|fault| fault.to_string())
}

/// Runs an asynchronous command.
fn block_on<T>(work: impl Future<Output = Result<T, String>>) -> Result<T, String> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    let outcome = runtime.block_on(work);
    // Dropping the runtime would wait for blocking work, such as a name lookup, without a limit.
    runtime.shutdown_timeout(LEAVE);
    outcome
}
