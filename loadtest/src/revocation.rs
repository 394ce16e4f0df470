//! How long a token is still accepted after its session ended: the time from a logout to the refusal at each of many
//! backends, all of which follow the revocation feed of the service over gRPC.

use crate::{
    people::{self, Person},
    server::{self, Server, Start},
    work::ServiceAccount,
};
use countersign::grpc::wire::proto::{LogoutRequest, auth_service_client::AuthServiceClient};
use countersign_verifier::{Credentials, Rejected, Verifier};
use futures_util::future::try_join_all;
use serde::Serialize;
use std::{
    error::Error,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{task::JoinSet, time::sleep};
use tonic::transport::Channel;

/// How often a backend checks the token. Measured times are too long by up to twice this time.
const LOOK: Duration = Duration::from_millis(1);
/// A backend that still accepts the token after this time does not follow the service.
const LONGEST: Duration = Duration::from_secs(30);
/// Backends that connect at once.
const AT_ONCE: usize = 16;
/// Connections of one address and streams of one service account that are not those of backends.
const SPARE: usize = 50;

#[derive(Debug, clap::Args)]
pub(crate) struct Revocation {
    #[command(flatten)]
    start: Start,
    /// Backends that follow the service.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u16).range(1..))]
    verifiers: u16,
    /// Logouts.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Also write the results as JSON.
    #[arg(long)]
    json: Option<PathBuf>,
}

/// Microseconds from the call of Logout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
struct Round {
    /// Until the answer.
    answered: u64,
    /// Until the first backend refused the token, the median one, and the last one.
    first: u64,
    median: u64,
    last: u64,
}

impl Round {
    /// `refused` has the time of each backend, at least one.
    fn of(answered: Duration, mut refused: Vec<Duration>) -> Self {
        refused.sort();
        let micros = |duration: Duration| u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        let at = |index: usize| refused.get(index).copied().map_or(0, micros);
        let last = refused.len().saturating_sub(1);
        Self { answered: micros(answered), first: at(0), median: at(last / 2), last: at(last) }
    }

    fn heading() -> String {
        format!("{:<8}{:>14}{:>14}{:>14}{:>14}", "", "answered ms", "first ms", "median ms", "last ms")
    }

    fn text(self, number: usize) -> String {
        let [answered, first, median, last] =
            [self.answered, self.first, self.median, self.last].map(|micros| micros as f64 / 1e3);
        format!("{number:<8}{answered:>14.1}{first:>14.1}{median:>14.1}{last:>14.1}")
    }
}

pub(crate) async fn run(revocation: Revocation) -> Result<(), Box<dyn Error>> {
    let server = Server::start(with_room(revocation.start, usize::from(revocation.verifiers))).await?;
    let channel = server::connect(&server.url).await?;
    let account = ServiceAccount::create(&server, &channel).await?;
    let somebody = people::sign_up(&channel, 1).await?.remove(0);
    let verifiers = connect(&server.url, &account, usize::from(revocation.verifiers)).await?;
    println!("{} verifiers, time since the call of Logout\n{}", verifiers.len(), Round::heading());
    let mut rounds = Vec::new();
    for number in 1..=revocation.rounds as usize {
        let round = log_out(&channel, &somebody, &verifiers).await?;
        println!("{}", round.text(number));
        rounds.push(round);
    }
    if let Some(path) = revocation.json {
        std::fs::write(path, serde_json::to_string_pretty(&rounds)?)?;
    }
    Ok(())
}

/// The same start, with room for all of them: one address has their connections, one service account their streams.
fn with_room(start: Start, verifiers: usize) -> Start {
    let room = (verifiers + SPARE).to_string();
    let keys =
        ["SERVER__MAX_CONNECTIONS_PER_IP", "VERIFICATION__MAX_FOLLOWERS", "VERIFICATION__MAX_FOLLOWERS_PER_SERVICE"];
    let mut settings: Vec<_> = keys.map(|key| (format!("COUNTERSIGN_{key}"), room.clone())).into();
    // Later ones win: what the command line sets is not changed.
    settings.extend(start.settings);
    Start { settings, ..start }
}

async fn connect(url: &str, account: &ServiceAccount, count: usize) -> Result<Vec<Verifier>, Box<dyn Error>> {
    let mut verifiers = Vec::new();
    while verifiers.len() < count {
        let some = AT_ONCE.min(count - verifiers.len());
        let connecting = (0..some).map(|_| {
            let credentials = Credentials::new(account.client_id.clone(), account.client_secret.clone());
            Verifier::connect(url, credentials, "default")
        });
        verifiers.extend(try_join_all(connecting).await?);
    }
    Ok(verifiers)
}

/// Logs somebody in and out again.
async fn log_out(channel: &Channel, somebody: &Person, verifiers: &[Verifier]) -> Result<Round, Box<dyn Error>> {
    let session = people::log_in(channel.clone(), &somebody.email).await?;
    let token: Arc<str> = session.access_token.into();
    for verifier in verifiers {
        verifier.verify(&token).map_err(|rejected| format!("a good token was refused: {rejected:?}"))?;
    }
    let begun = Instant::now();
    let mut waiting = JoinSet::new();
    for verifier in verifiers {
        waiting.spawn(until_refused(verifier.clone(), token.clone(), begun));
    }
    let form = LogoutRequest { refresh_token: session.refresh_token, ..Default::default() };
    AuthServiceClient::new(channel.clone()).logout(form).await?;
    let answered = begun.elapsed();
    let refused: Result<Vec<Duration>, String> = waiting.join_all().await.into_iter().collect();
    Ok(Round::of(answered, refused?))
}

async fn until_refused(verifier: Verifier, token: Arc<str>, begun: Instant) -> Result<Duration, String> {
    loop {
        match verifier.verify(&token) {
            Err(Rejected::Revoked) => return Ok(begun.elapsed()),
            Err(rejected) => return Err(format!("the token was refused for another reason: {rejected:?}")),
            Ok(_) if begun.elapsed() > LONGEST => return Err(format!("the token was accepted for {LONGEST:?}")),
            Ok(_) => sleep(LOOK).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_has_the_first_the_median_and_the_last_refusal() {
        let millis = |numbers: &[u64]| numbers.iter().copied().map(Duration::from_millis).collect();
        let round = Round::of(Duration::from_millis(2), millis(&[9, 3, 5, 100, 7]));
        assert_eq!(round, Round { answered: 2_000, first: 3_000, median: 7_000, last: 100_000 });
        let round = Round::of(Duration::from_millis(2), millis(&[4]));
        assert_eq!((round.first, round.median, round.last), (4_000, 4_000, 4_000));
    }

    #[test]
    fn what_the_command_line_sets_wins() {
        let set = ("COUNTERSIGN_VERIFICATION__MAX_FOLLOWERS".to_owned(), "7".to_owned());
        let start = Start { binary: PathBuf::new(), database_url: None, settings: vec![set.clone()] };
        let settings = with_room(start, 300).settings;
        assert_eq!(settings.len(), 4);
        assert_eq!(settings.last(), Some(&set));
        assert!(settings[..3].iter().all(|(_, value)| value == "350"));
    }
}
