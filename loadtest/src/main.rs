//! Drives a Countersign over gRPC, and prints what it does beside what the machine could do.
#![expect(clippy::print_stdout, reason = "a program that prints")]
#![expect(clippy::cast_precision_loss, reason = "the figures are rounded when they are printed")]

mod ceiling;
mod drive;
mod people;
mod report;
mod server;
mod usage;
mod work;

use clap::{Parser, Subcommand};
use drive::{Pace, drive};
use report::Line;
use server::{Server, Start};
use std::{error::Error, path::PathBuf, process::Stdio, time::Duration};
use usage::Watched;
use work::{Cast, Work};

#[derive(Debug, Parser)]
#[command(about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start a service, and measure calls of it.
    Run(Run),
    /// Serve what `run` compares with. Used by `run` itself.
    #[command(hide = true)]
    Ceiling { listen: String, database_url: String },
}

#[derive(Debug, clap::Args)]
struct Run {
    /// The program to start.
    #[arg(long, default_value = "target/release/countersign")]
    binary: PathBuf,
    /// A PostgreSQL database; without one, SQLite.
    #[arg(long)]
    database_url: Option<String>,
    /// The calls to measure.
    #[arg(long, value_enum, value_delimiter = ',', default_values = ["get-me", "refresh", "introspect", "login"])]
    work: Vec<Work>,
    /// Callers at once.
    #[arg(long, default_value_t = 32)]
    callers: usize,
    /// Connections that they share.
    #[arg(long, default_value_t = 4)]
    connections: usize,
    /// Seconds for each kind of call.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// Calls a second; without it, as fast as the callers can.
    #[arg(long)]
    rate: Option<u32>,
    /// Settings of the service: `COUNTERSIGN_PASSWORDS__ARGON2_MEMORY_KIB=8192`.
    #[arg(long = "set")]
    settings: Vec<String>,
    /// Leave out what the machine could do.
    #[arg(long)]
    no_ceilings: bool,
    /// Also write the results as JSON.
    #[arg(long)]
    json: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    match Arguments::parse().command {
        Command::Run(run) => measure(run).await,
        Command::Ceiling { listen, database_url } => ceiling::serve(&listen, &database_url).await,
    }
}

async fn measure(run: Run) -> Result<(), Box<dyn Error>> {
    let pace = run.rate.map_or(Pace::AsFastAsPossible, Pace::PerSecond);
    let lasting = Duration::from_secs(run.seconds);
    let mut lines = Vec::new();
    println!("{}", Line::heading());
    let settings = run
        .settings
        .iter()
        .filter_map(|text| text.split_once('='))
        .map(|(key, value)| (key.to_owned(), value.to_owned()));
    let start = Start { binary: run.binary, database_url: run.database_url, settings: settings.collect() };
    let server = Server::start(start).await?;
    let channels = server::connections(&server.url, run.connections).await?;
    let cast = Cast::gather(&server, channels, run.callers).await?;
    let watched = Watched { service: Some(server.id()) };
    for work in run.work {
        let seen = drive(cast.callers(work, run.callers), pace, lasting, &watched).await;
        let line = Line::of(&format!("{work:?}"), &seen);
        println!("{}", line.text());
        lines.push(line);
    }
    if !run.no_ceilings {
        lines.extend(ceilings(&server, run.callers, run.connections, lasting).await?);
    }
    if let Some(path) = run.json {
        std::fs::write(path, serde_json::to_string_pretty(&lines)?)?;
    }
    Ok(())
}

/// The same number of callers against a bare server on the same database.
async fn ceilings(
    server: &Server,
    callers: usize,
    connections: usize,
    lasting: Duration,
) -> Result<Vec<Line>, Box<dyn Error>> {
    let listen = format!("127.0.0.1:{}", server::free_port()?);
    let beside = server.database_url().replace("countersign.db", "ceiling.db");
    let mut child = tokio::process::Command::new(std::env::current_exe()?)
        .args(["ceiling", &listen, &beside])
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    let url = format!("http://{listen}");
    let mut tries = 0;
    while server::connect(&url).await.is_err() {
        tries += 1;
        if tries > 500 {
            return Err("the bare server did not start".into());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let channels = server::connections(&url, connections).await?;
    let watched = Watched { service: child.id() };
    let mut lines = Vec::new();
    for bare in [ceiling::Bare::Echo, ceiling::Bare::Select, ceiling::Bare::Update] {
        let seen = drive(ceiling::callers(&channels, callers, bare), Pace::AsFastAsPossible, lasting, &watched).await;
        let line = Line::of(&format!("bare tonic: {bare:?}"), &seen);
        println!("{}", line.text());
        lines.push(line);
    }
    child.kill().await?;
    Ok(lines)
}
