//! The terminal door.

mod account;
mod arguments;
mod audience;
mod audit;
mod config;
mod health;
mod keys;
mod mail;
mod migrate;
mod screen;
mod serve;
mod service;
mod session;

use arguments::{Arguments, Command, ConfigCommand};
use clap::Parser as _;
use screen::Screen;
use std::process::ExitCode;

/// What can go wrong at a terminal, as a sentence for the person who sits there.
type Outcome = Result<(), String>;

/// Does what the command line says.
pub fn run() -> ExitCode {
    let arguments = Arguments::parse();
    let screen = Screen;
    match act(&arguments, &screen) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            screen.complain(&why);
            ExitCode::FAILURE
        }
    }
}

fn act(arguments: &Arguments, screen: &Screen) -> Outcome {
    let loaded = crate::config::from_process(arguments.config.as_deref()).map_err(|faults| faults.to_string())?;
    let settings = &loaded.config;
    match arguments.command.as_ref().unwrap_or(&Command::Serve) {
        Command::Serve => serve::run(settings, screen),
        Command::Migrate => migrate::run(settings, screen),
        Command::Health => health::run(settings),
        Command::Config { command: ConfigCommand::Check } => config::check(screen),
        Command::Config { command: ConfigCommand::Print } => config::print(&loaded, screen),
        Command::Mail { command } => mail::run(settings, command, screen),
        Command::Account { command } => account::run(settings, command, screen),
        Command::Service { command } => service::run(settings, command, screen),
        Command::Session { command } => session::run(settings, command, screen),
        Command::Keys { command } => keys::run(settings, command, screen),
        Command::Audience { command } => audience::run(settings, command, screen),
        Command::Audit { command } => audit::run(settings, command, screen),
    }
}

/// Runs a command that waits for things.
fn block_on<T>(work: impl Future<Output = Result<T, String>>) -> Result<T, String> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.map_err(|error| error.to_string())?.block_on(work)
}
