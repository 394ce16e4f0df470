//! The same calls of services that have more and more accounts.

use crate::{
    chart::{self, Bar, Chart, Group},
    drive::{Pace, Period, drive},
    fresh::Fresh,
    people::{self, Person},
    report::{Kind, Line},
    run::Load,
    seed::{self, Crowd, Seeded},
    server::{self, Place, Server, Start},
    usage::Watched,
    work::{Cast, ServiceAccount, Work},
};
use futures_util::future::try_join_all;
use serde::Serialize;
use std::{error::Error, path::PathBuf};
use tonic::{Status, transport::Channel};

/// The calls, in the order in which they are measured.
const WORKS: [Work; 3] = [Work::GetMe, Work::Refresh, Work::Login];
/// Most people who call. Few enough to log them all in, many enough that their rows are in different pages.
const PEOPLE: u32 = 256;
/// People who log in at once: fewer than may wait for a hash.
const AT_ONCE: usize = 16;

#[derive(Debug, clap::Args)]
pub(crate) struct Growth {
    #[command(flatten)]
    start: Start,
    /// Numbers of accounts, each in a database of its own.
    #[arg(
        long,
        value_delimiter = ',',
        default_values_t = [1_000, 10_000, 100_000],
        value_parser = clap::value_parser!(u32).range(1..=9_999_999)
    )]
    sizes: Vec<u32>,
    #[command(flatten)]
    load: Load,
    /// Also write the results as JSON.
    #[arg(long)]
    json: Option<PathBuf>,
    /// Also write a bar chart of the calls a second.
    #[arg(long)]
    svg: Option<PathBuf>,
}

/// What was seen of one size.
#[derive(Debug, Serialize)]
struct Row {
    accounts: u32,
    seeding_seconds: f64,
    seeded_per_second: f64,
    lines: Vec<Line>,
}

impl Row {
    fn heading() -> String {
        let works = WORKS.map(|work| format!("{:>18}{:>10}{:>10}", format!("{work:?} calls/s"), "p50 us", "p99 us"));
        format!("{:<10}{:>8}{}{:>8}", "accounts", "rows/s", works.concat(), "MB")
    }

    fn text(&self) -> String {
        let figures =
            |line: &Line| format!("{:>18.0}{:>10}{:>10}", line.per_second, line.latency.p50, line.latency.p99);
        let works: String = self.lines.iter().map(figures).collect();
        let resident = self.lines.last().map_or(0, |line| line.resident);
        let mut text =
            format!("{:<10}{:>8.0}{works}{:>8.0}", self.accounts, self.seeded_per_second, resident as f64 / 1e6);
        self.lines.iter().for_each(|line| text.push_str(&line.errors_text()));
        text
    }
}

pub(crate) async fn run(growth: Growth) -> Result<(), Box<dyn Error>> {
    println!("{}", Row::heading());
    let mut rows = Vec::new();
    for accounts in &growth.sizes {
        let row = match &growth.start.database_url {
            None => Box::pin(measure(growth.start.clone(), *accounts, growth.load)).await?,
            Some(url) => {
                let fresh = Fresh::create(url, &accounts.to_string()).await?;
                let start = Start { database_url: Some(fresh.url.clone()), ..growth.start.clone() };
                let row = Box::pin(measure(start, *accounts, growth.load)).await;
                fresh.delete().await?;
                row?
            }
        };
        println!("{}", row.text());
        rows.push(row);
    }
    if let Some(path) = growth.json {
        std::fs::write(path, serde_json::to_string_pretty(&rows)?)?;
    }
    if let Some(path) = growth.svg {
        std::fs::write(path, drawn(&rows).svg())?;
    }
    Ok(())
}

/// Seeds an empty database, starts a service on it, and measures each kind of call.
async fn measure(start: Start, accounts: u32, load: Load) -> Result<Row, Box<dyn Error>> {
    let database_url = start.database_url.clone();
    let place = Place::new(start)?;
    let config = seed::settings(&place.data_dir(), database_url.as_deref())?;
    let seeded: Seeded = seed::fill(&config, Crowd { accounts, tenants: 1 }).await?;
    let server = Server::start_in(place).await?;
    let channels = server::connections(&server.url, load.connections).await?;
    let people = log_in(&channels[0], &spread(accounts, PEOPLE)).await?;
    let account = ServiceAccount::create(&server, &channels[0]).await?;
    let cast = Cast::of(channels, people, account);
    let watched = Watched { service: Some(server.id()) };
    let mut lines = Vec::new();
    for work in WORKS {
        let callers = cast.callers_for_everybody(work, load.callers);
        let seen = drive(callers, Pace::AsFastAsPossible, Period::of_seconds(load.seconds), &watched).await;
        lines.push(Line::of(Kind::Service, &format!("{work:?}"), &seen));
    }
    let (seeding_seconds, seeded_per_second) = (seeded.lasted.as_secs_f64(), seeded.rows_per_second());
    Ok(Row { accounts, seeding_seconds, seeded_per_second, lines })
}

/// At most so many numbers of people, evenly from the first of `accounts` to the last.
fn spread(accounts: u32, most: u32) -> Vec<u32> {
    let count = accounts.min(most);
    let gaps = u64::from(count.saturating_sub(1).max(1));
    let number = |index: u32| 1 + u64::from(index) * u64::from(accounts - 1) / gaps;
    (0..count).filter_map(|index| u32::try_from(number(index)).ok()).collect()
}

async fn log_in(channel: &Channel, numbers: &[u32]) -> Result<Vec<Person>, Status> {
    let mut people = Vec::new();
    for some in numbers.chunks(AT_ONCE) {
        let logging_in = some.iter().map(|number| async {
            let email = seed::address(*number);
            let session = people::log_in(channel.clone(), &email).await?;
            Ok::<_, Status>(Person { email, session })
        });
        people.extend(try_join_all(logging_in).await?);
    }
    Ok(people)
}

/// A group for each kind of call, with a bar for each size.
fn drawn(rows: &[Row]) -> Chart {
    let group = |(index, work): (usize, Work)| Group {
        name: format!("{work:?}"),
        bars: rows
            .iter()
            .filter_map(|row| Some((row.accounts, row.lines.get(index)?)))
            .map(|(accounts, line)| Bar {
                label: format!("{} accounts", chart::grouped(f64::from(accounts))),
                value: line.per_second,
                kind: line.kind,
            })
            .collect(),
    };
    Chart {
        title: "Calls a second by the number of accounts".to_owned(),
        groups: WORKS.into_iter().enumerate().map(group).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_spread_from_the_first_account_to_the_last() {
        assert_eq!(spread(1_000_000, 5), [1, 250_000, 500_000, 750_000, 1_000_000]);
        assert_eq!(spread(3, 256), [1, 2, 3]);
        assert_eq!(spread(1, 256), [1]);
        let people = spread(9_999_999, 256);
        assert_eq!((people.len(), people.first(), people.last()), (256, Some(&1), Some(&9_999_999)));
        assert!(people.windows(2).all(|pair| (39_000..40_000).contains(&(pair[1] - pair[0]))));
    }
}
