//! The service under test: one that is started here, or one that runs already.

use std::{
    error::Error,
    fs::File,
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};
use tempfile::TempDir;
use tonic::transport::{Channel, Endpoint};

/// How long a start may take.
const START: Duration = Duration::from_secs(20);
/// How long one call may take.
const CALL: Duration = Duration::from_secs(30);

/// How a service is started.
#[derive(Clone, Debug)]
pub(crate) struct Start {
    pub(crate) binary: PathBuf,
    /// Without one, SQLite in a folder of its own.
    pub(crate) database_url: Option<String>,
    pub(crate) settings: Vec<(String, String)>,
}

/// A service that was started here, and ends with this value.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) url: String,
    start: Start,
    folder: TempDir,
    child: Child,
}

impl Server {
    /// Starts a service and waits until it answers. Its limits do not count: one program makes the calls of thousands.
    pub(crate) async fn start(start: Start) -> Result<Self, Box<dyn Error>> {
        let folder = tempfile::tempdir()?;
        let log = folder.path().join("log");
        let port = free_port()?;
        let mut serve = command(&start, folder.path());
        serve.arg("serve").env("COUNTERSIGN_LISTEN", format!("127.0.0.1:{port}"));
        let child = serve.stdin(Stdio::null()).stdout(Stdio::null()).stderr(File::create(&log)?).spawn()?;
        let server = Self { url: format!("http://127.0.0.1:{port}"), start, folder, child };
        let begun = Instant::now();
        while connect(&server.url).await.is_err() {
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
        let output = command(&self.start, self.folder.path()).args(arguments).output()?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into());
        }
        Ok(String::from_utf8(output.stdout)?)
    }

    /// The database, for whoever compares with it.
    pub(crate) fn database_url(&self) -> String {
        let embedded = || format!("sqlite://{}", self.folder.path().join("data/countersign.db").display());
        self.start.database_url.clone().unwrap_or_else(embedded)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn command(start: &Start, folder: &Path) -> Command {
    let mut command = Command::new(&start.binary);
    command.env_clear().env("COUNTERSIGN_DATA_DIR", folder.join("data"));
    command.env("COUNTERSIGN_ADMIN_LISTEN", "off").env("COUNTERSIGN_LIMITS__PERCENT", "1000000");
    command.env("COUNTERSIGN_LOCKOUT__LOCK_AFTER", "100");
    if let Some(url) = &start.database_url {
        command.env("COUNTERSIGN_DATABASE_URL", url);
    }
    command.envs(start.settings.iter().map(|(key, value)| (key, value)));
    command
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
