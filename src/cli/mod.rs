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

/// What can go wrong at a terminal, as a sentence for the person who sits there.
type Outcome = Result<(), String>;

/// A service that has not started has nothing to finish.
const STOP_WHILE_STARTING: Duration = Duration::from_secs(3);
/// For what a runtime has begun that cannot be given up, such as a file that is being written.
const LEAVE: Duration = Duration::from_secs(1);

/// Runs the command that the command line names.
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

/// What a command has that works on a database that is there.
async fn open(config: &Config) -> Result<Terminal<'_>, String> {
    Terminal::open(config).await.map_err(|fault| fault.to_string())
}

/// Runs a command that waits for things.
fn block_on<T>(work: impl Future<Output = Result<T, String>>) -> Result<T, String> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    let outcome = runtime.block_on(work);
    // Dropping it would wait for whatever blocks, such as a name that is looked up, for as long as that takes.
    runtime.shutdown_timeout(LEAVE);
    outcome
}
