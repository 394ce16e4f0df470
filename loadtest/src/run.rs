//! Measures calls of a service, and beside them what the machine could do.

use crate::{
    ceiling,
    chart::Chart,
    drive::{Pace, Period, drive},
    processor,
    report::{Kind, Line},
    server::{self, Server, Start},
    usage::Watched,
    work::{Cast, Work},
};
use std::{error::Error, path::PathBuf, process::Stdio, time::Duration};

#[derive(Debug, clap::Args)]
pub(crate) struct Run {
    #[command(flatten)]
    start: Start,
    /// The calls to measure.
    #[arg(long, value_enum, value_delimiter = ',', default_values = ["get-me", "refresh", "introspect", "login"])]
    work: Vec<Work>,
    #[command(flatten)]
    load: Load,
    /// Calls a second; without it, as fast as the callers can.
    #[arg(long)]
    rate: Option<u32>,
    /// Leave out what the machine could do.
    #[arg(long)]
    no_ceilings: bool,
    /// Also write the results as JSON.
    #[arg(long)]
    json: Option<PathBuf>,
    /// Also write a bar chart of the calls a second.
    #[arg(long)]
    svg: Option<PathBuf>,
}

/// Who calls, and for how long.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct Load {
    /// Callers at once.
    #[arg(long, default_value_t = 32, value_parser = positive)]
    pub(crate) callers: usize,
    /// Connections that they share.
    #[arg(long, default_value_t = 4, value_parser = positive)]
    pub(crate) connections: usize,
    /// Seconds for each kind of call.
    #[arg(long, default_value_t = 5)]
    pub(crate) seconds: u64,
}

/// Reads a number of callers or connections.
pub(crate) fn positive(text: &str) -> Result<usize, String> {
    let number: usize = text.parse().map_err(|_| "it is no number".to_owned())?;
    if number == 0 { Err("there must be one at least".to_owned()) } else { Ok(number) }
}

pub(crate) async fn run(run: Run) -> Result<(), Box<dyn Error>> {
    let pace = run.rate.map_or(Pace::AsFastAsPossible, Pace::PerSecond);
    let Load { callers, connections, seconds } = run.load;
    println!("{}", Line::heading());
    let server = Server::start(run.start).await?;
    let channels = server::connections(&server.url, connections).await?;
    let cast = Cast::gather(&server, channels, callers).await?;
    let watched = Watched { service: Some(server.id()) };
    let mut lines = Vec::new();
    for work in &run.work {
        let seen = drive(cast.callers(*work, 0..callers), pace, Period::of_seconds(seconds), &watched).await;
        lines.push(print(Line::of(Kind::Service, &format!("{work:?}"), &seen)));
    }
    if !run.no_ceilings {
        lines.extend(bare_server(&server, run.load).await?);
        // The service has nothing to do now, and leaves the processors to these.
        lines.extend(bare_processor(&run.work, Duration::from_secs(seconds)).await?);
    }
    if let Some(path) = run.json {
        std::fs::write(path, serde_json::to_string_pretty(&lines)?)?;
    }
    if let Some(path) = run.svg {
        std::fs::write(path, Chart::of_run(&lines).svg())?;
    }
    Ok(())
}

fn print(line: Line) -> Line {
    println!("{}", line.text());
    line
}

/// The same number of callers against a bare server on the same database.
async fn bare_server(server: &Server, load: Load) -> Result<Vec<Line>, Box<dyn Error>> {
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
    let channels = server::connections(&url, load.connections).await?;
    let watched = Watched { service: child.id() };
    let period = Period::of_seconds(load.seconds);
    let mut lines = Vec::new();
    for bare in [ceiling::Bare::Echo, ceiling::Bare::Select, ceiling::Bare::Update] {
        let callers = ceiling::callers(&channels, load.callers, bare);
        let seen = drive(callers, Pace::AsFastAsPossible, period, &watched).await;
        lines.push(print(Line::of(Kind::Ceiling, &format!("bare tonic: {bare:?}"), &seen)));
    }
    child.kill().await?;
    Ok(lines)
}

/// The parts of these calls that are nothing but computing.
async fn bare_processor(works: &[Work], lasting: Duration) -> Result<Vec<Line>, Box<dyn Error>> {
    let mut lines = Vec::new();
    for bare in processor::Bare::of(works) {
        let seen = tokio::task::spawn_blocking(move || bare.measure(lasting)).await??;
        lines.push(print(Line::of(Kind::Ceiling, bare.name(), &seen)));
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_no_crowd() {
        assert!(positive("0").is_err() && positive("-1").is_err());
        assert_eq!(positive("8"), Ok(8));
    }
}
