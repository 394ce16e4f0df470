//! Drives a Countersign over gRPC, and prints what it does beside what the machine could do.
#![expect(clippy::print_stdout, reason = "a program that prints")]
#![expect(clippy::cast_precision_loss, reason = "the figures are rounded when they are printed")]

mod ceiling;
mod chart;
mod drive;
mod fresh;
mod growth;
mod people;
mod processor;
mod report;
mod revocation;
mod run;
mod seed;
mod server;
mod storm;
mod usage;
mod work;

use clap::{Parser, Subcommand};
use std::error::Error;

#[derive(Debug, Parser)]
#[command(about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start a service, and measure calls of it.
    Run(run::Run),
    /// Write accounts into a database.
    Seed(seed::Seed),
    /// Start a service, and offer it ten times as many logins as it can compute.
    Storm(storm::Storm),
    /// Start a service and many verifiers, and measure how soon they refuse the token of a session that ended.
    Revocation(revocation::Revocation),
    /// Measure calls of services with more and more accounts.
    Growth(growth::Growth),
    /// Serve what `run` compares with. Used by `run` itself.
    #[command(hide = true)]
    Ceiling { listen: String, database_url: String },
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    match Arguments::parse().command {
        Command::Run(run) => Box::pin(run::run(run)).await,
        Command::Seed(seed) => Box::pin(seed::run(seed)).await,
        Command::Storm(storm) => Box::pin(storm::run(storm)).await,
        Command::Revocation(revocation) => Box::pin(revocation::run(revocation)).await,
        Command::Growth(growth) => Box::pin(growth::run(growth)).await,
        Command::Ceiling { listen, database_url } => ceiling::serve(&listen, &database_url).await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_arguments_are_described_without_contradiction() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn seed_takes_one_database() {
        let parse =
            |words: &[&str]| Arguments::try_parse_from([&["loadtest", "seed", "--accounts", "9"], words].concat());
        assert!(parse(&["--data-dir", "here"]).is_ok());
        assert!(parse(&["--database-url", "postgres://there", "--tenants", "3"]).is_ok());
        assert!(parse(&["--data-dir", "here", "--database-url", "postgres://there"]).is_err());
        assert!(parse(&[]).is_err());
        assert!(parse(&["--data-dir", "here", "--tenants", "0"]).is_err());
    }
}
