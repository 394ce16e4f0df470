//! The service under test: one that is started here, or one that runs already.

use countersign::grpc::wire::proto::{GetMeRequest, account_service_client::AccountServiceClient};
use std::{
    error::Error,
    fs::File,
    net::{Ipv4Addr, TcpListener},
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};
use tempfile::TempDir;
use tonic::{
    Code,
    transport::{Channel, Endpoint},
};

/// How long a start may take.
const START: Duration = Duration::from_secs(20);
/// How long one call may take.
const CALL: Duration = Duration::from_secs(30);

/// How a service is started.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Start {
    /// The program to start.
    #[arg(long, default_value = "target/release/countersign")]
    pub(crate) binary: PathBuf,
    /// A PostgreSQL database; without one, SQLite.
    #[arg(long)]
    pub(crate) database_url: Option<String>,
    /// Settings of the service: `COUNTERSIGN_PASSWORDS__ARGON2_MEMORY_KIB=8192`.
    #[arg(long = "set", value_parser = setting)]
    pub(crate) settings: Vec<(String, String)>,
}

/// Where a service starts: a folder that is deleted with this value, and a database.
#[derive(Debug)]
pub(crate) struct Place {
    start: Start,
    folder: TempDir,
}

/// A service that was started here, and ends with this value.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) url: String,
    place: Place,
    child: Child,
}

impl Place {
    pub(crate) fn new(start: Start) -> std::io::Result<Self> {
        Ok(Self { start, folder: tempfile::tempdir()? })
    }

    /// The data folder of the service.
    pub(crate) fn data_dir(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The database, for whoever compares with it.
    fn database_url(&self) -> String {
        let embedded = || format!("sqlite://{}", self.data_dir().join("countersign.db").display());
        self.start.database_url.clone().unwrap_or_else(embedded)
    }

    /// A command of the program. The limits of calls do not count: one program makes the calls of thousands.
    fn command(&self) -> Command {
        let mut command = Command::new(&self.start.binary);
        command.env_clear().env("COUNTERSIGN_DATA_DIR", self.data_dir());
        command.env("COUNTERSIGN_ADMIN_LISTEN", "off").env("COUNTERSIGN_LIMITS__PERCENT", "1000000");
        command.env("COUNTERSIGN_LOCKOUT__LOCK_AFTER", "100");
        if let Some(url) = &self.start.database_url {
            command.env("COUNTERSIGN_DATABASE_URL", url);
        }
        command.envs(self.start.settings.iter().map(|(key, value)| (key, value)));
        command
    }
}

impl Server {
    /// Starts a service in a folder of its own.
    pub(crate) async fn start(start: Start) -> Result<Self, Box<dyn Error>> {
        Self::start_in(Place::new(start)?).await
    }

    /// Starts a service and waits until it answers.
    pub(crate) async fn start_in(place: Place) -> Result<Self, Box<dyn Error>> {
        let log = place.folder.path().join("log");
        let port = free_port()?;
        let mut serve = place.command();
        serve.arg("serve").env("COUNTERSIGN_LISTEN", format!("127.0.0.1:{port}"));
        let child = serve.stdin(Stdio::null()).stdout(Stdio::null()).stderr(File::create(&log)?).spawn()?;
        let server = Self { url: format!("http://127.0.0.1:{port}"), place, child };
        let begun = Instant::now();
        while !answers(&server.url).await {
            if begun.elapsed() > START {
                return Err(format!("the service did not start: {}", std::fs::read_to_string(log)?).into());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(server)
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// The standard output of another command of the program, with the same settings.
    pub(crate) fn run(&self, arguments: &[&str]) -> Result<String, Box<dyn Error>> {
        let output = self.place.command().args(arguments).output()?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into());
        }
        Ok(String::from_utf8(output.stdout)?)
    }

    /// The database, for whoever compares with it.
    pub(crate) fn database_url(&self) -> String {
        self.place.database_url()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads `KEY=VALUE`.
fn setting(text: &str) -> Result<(String, String), &'static str> {
    let (key, value) = text.split_once('=').ok_or("it has the form KEY=VALUE")?;
    Ok((key.to_owned(), value.to_owned()))
}

/// Whether a service has keys and a database, and refuses a call without a token. It accepts connections before that.
async fn answers(url: &str) -> bool {
    let Ok(channel) = connect(url).await else { return false };
    let refused = AccountServiceClient::new(channel).get_me(GetMeRequest {}).await;
    refused.is_err_and(|status| status.code() == Code::Unauthenticated)
}

/// A connection, with a limit for each call.
pub(crate) async fn connect(url: &str) -> Result<Channel, tonic::transport::Error> {
    Endpoint::from_shared(url.to_owned())?.tcp_nodelay(true).timeout(CALL).connect().await
}

/// Connections that callers take in turn.
pub(crate) async fn connections(url: &str, count: usize) -> Result<Vec<Channel>, tonic::transport::Error> {
    let mut channels = Vec::new();
    for _ in 0..count {
        channels.push(connect(url).await?);
    }
    Ok(channels)
}

/// A port that was free a moment ago.
pub(crate) fn free_port() -> std::io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_ends_its_name_at_the_first_equals_sign() {
        assert_eq!(setting("A__B=c=d"), Ok(("A__B".to_owned(), "c=d".to_owned())));
        assert_eq!(setting("A="), Ok(("A".to_owned(), String::new())));
        assert!(setting("A").is_err());
    }
}
