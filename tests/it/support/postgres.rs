use super::{
    Certificate,
    requirement::{binary, missing},
};
use std::{
    env,
    ffi::OsStr,
    fs,
    io::{BufRead as _, BufReader, Write as _},
    net::{Ipv4Addr, TcpListener, TcpStream},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    thread,
    time::Duration,
};

/// A private PostgreSQL, started once for all tests and stopped with them.
pub(crate) struct Cluster {
    pub(crate) port: u16,
    tools: PathBuf,
    /// What the server logs. Each line begins with the name of the database that it is about.
    log: PathBuf,
    next: AtomicU32,
    /// The server runs as long as this pipe is open, so it stops however the tests end.
    keeper: Child,
}

const TEMPLATE: &str = "migrated";

/// Runs as the user that owns the data folder: PostgreSQL refuses to run as root.
const KEEPER: &str = r#"
set -eu
dir=$(mktemp -d)
chmod 755 "$dir"
echo "$dir/log"
tools=$1
port=$2
tls=
if [ -n "$3" ]; then
    install -m 600 "$3/server.key" "$dir/server.key"
    tls="-c ssl=on -c ssl_cert_file=$3/server.pem -c ssl_key_file=$dir/server.key"
fi
"$tools/initdb" --pgdata="$dir/data" --auth=trust --username=countersign --encoding=UTF8 --no-sync >/dev/null
launch() {
    "$tools/postgres" -D "$dir/data" -k "$dir" -h 127.0.0.1 -p "$port" -c fsync=off -c full_page_writes=off \
        -c max_connections=400 -c shared_buffers=64MB -c max_wal_size=128MB -c logging_collector=off \
        -c log_line_prefix='%d ' $tls >>"$dir/log" 2>&1 &
    server=$!
}
everybody() {
    echo "$server" $(cat "/proc/$server/task/$server/children")
}
launch
while read -r order; do
    case $order in
        stop) kill -QUIT "$server"; wait "$server" || true ;;
        start) launch ;;
        # One of them may have ended meanwhile.
        freeze) kill -STOP $(everybody) 2>/dev/null || true ;;
        thaw) kill -CONT $(everybody) 2>/dev/null || true ;;
    esac
done
kill -CONT $(everybody) 2>/dev/null || true
kill -INT "$server" 2>/dev/null || true
wait "$server" 2>/dev/null || true
rm -rf "$dir"
"#;

impl Cluster {
    /// `None`, with a message, when PostgreSQL is not installed.
    pub(crate) fn shared() -> Option<&'static Self> {
        static SHARED: OnceLock<Option<Cluster>> = OnceLock::new();
        SHARED.get_or_init(Self::start).as_ref()
    }

    /// Another cluster, for tests that stop it.
    pub(crate) fn start() -> Option<Self> {
        Self::start_with(None)
    }

    /// Another cluster, with TLS.
    pub(crate) fn start_with_tls(certificate: &Certificate) -> Option<Self> {
        Self::start_with(Some(certificate))
    }

    fn start_with(certificate: Option<&Certificate>) -> Option<Self> {
        let tools = binary("initdb", &debian_folders())?.parent()?.to_owned();
        let port = free_port();
        let mut keeper = as_ordinary_user();
        keeper.args([OsStr::new("sh"), OsStr::new("-c"), OsStr::new(KEEPER), OsStr::new("keeper"), tools.as_os_str()]);
        keeper.arg(port.to_string()).arg(certificate.map_or(Path::new(""), Certificate::folder));
        keeper.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut keeper = keeper.spawn().expect("a shell runs");
        let mut log = String::new();
        BufReader::new(keeper.stdout.take().expect("a pipe")).read_line(&mut log).expect("the keeper says where");
        let cluster = Self { port, tools, log: log.trim_end().into(), next: AtomicU32::new(0), keeper };
        cluster.wait_until_ready();
        cluster.run_sql(&format!("CREATE DATABASE {TEMPLATE}"));
        let migrated = Command::new(env!("CARGO_BIN_EXE_countersign"))
            .arg("migrate")
            .env("COUNTERSIGN_DATABASE_URL", cluster.url(TEMPLATE))
            .env("COUNTERSIGN_DATA_DIR", env::temp_dir())
            .output()
            .expect("the program runs");
        assert!(migrated.status.success(), "{}", String::from_utf8_lossy(&migrated.stderr));
        Some(cluster)
    }

    /// Stops the server at once, as a crash would. The data stay.
    pub(crate) fn stop(&self) {
        self.order("stop");
        self.wait_until("stopped", |cluster| TcpStream::connect((Ipv4Addr::LOCALHOST, cluster.port)).is_err());
    }

    /// Starts it again after [`Cluster::stop`].
    pub(crate) fn restart(&self) {
        self.order("start");
        self.wait_until_ready();
    }

    /// Halts every process of the server: connections stay open, and nothing answers.
    pub(crate) fn freeze(&self) {
        self.order("freeze");
        self.wait_until("frozen", |cluster| {
            cluster.psql("SELECT 1").env("PGCONNECT_TIMEOUT", "2").output().is_ok_and(|output| !output.status.success())
        });
    }

    /// Lets the processes continue after [`Cluster::freeze`].
    pub(crate) fn thaw(&self) {
        self.order("thaw");
        self.wait_until_ready();
    }

    /// Makes the server take no writes, as after a failover to another one.
    pub(crate) fn refuse_writes(&self) {
        self.run_sql("ALTER SYSTEM SET default_transaction_read_only = on");
        self.run_sql("SELECT pg_reload_conf()");
    }

    /// Lets the server take writes again.
    pub(crate) fn take_writes(&self) {
        self.run_sql("ALTER SYSTEM RESET default_transaction_read_only");
        self.run_sql("SELECT pg_reload_conf()");
    }

    fn order(&self, word: &str) {
        let mut pipe = self.keeper.stdin.as_ref().expect("the pipe is open");
        writeln!(pipe, "{word}").expect("the keeper listens");
    }

    /// Creates a database with the schema.
    pub(crate) fn create_database(&self) -> String {
        let name = format!("test_{}", self.next.fetch_add(1, Ordering::SeqCst));
        self.run_sql(&format!("CREATE DATABASE {name} TEMPLATE {TEMPLATE}"));
        self.url(&name)
    }

    /// Drops a database, and cuts off whoever is still connected to it.
    pub(crate) fn drop_database(&self, url: &str) {
        self.run_sql(&format!("DROP DATABASE {} WITH (FORCE)", name_of(url)));
    }

    /// Creates a database with the schema, whose statements the server logs.
    pub(crate) fn create_logged_database(&self) -> String {
        let url = self.create_database();
        let name = name_of(&url);
        self.run_sql(&format!("ALTER DATABASE {name} SET log_statement = 'all'"));
        self.run_sql(&format!("ALTER DATABASE {name} SET log_parameter_max_length = 0"));
        url
    }

    /// The statements that the server has logged for a database, in order. Each was a message of its own, and so a
    /// round trip.
    pub(crate) fn logged_statements(&self, url: &str) -> Vec<String> {
        let prefix = format!("{} LOG:  ", name_of(url));
        let log = fs::read_to_string(&self.log).expect("the server logs");
        let lines = log.lines().filter_map(|line| line.strip_prefix(&prefix));
        // `statement: BEGIN` and `execute sqlx_s_1: SELECT …`.
        let statements = lines.filter(|line| line.starts_with("statement: ") || line.starts_with("execute "));
        statements.filter_map(|line| line.split_once(": ")).map(|(_, sql)| sql.to_owned()).collect()
    }

    pub(crate) fn url(&self, database: &str) -> String {
        format!("postgres://countersign@127.0.0.1:{}/{database}", self.port)
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn run_sql(&self, sql: &str) {
        let output = self.psql(sql).output().expect("psql runs");
        assert!(output.status.success(), "{sql}: {}", String::from_utf8_lossy(&output.stderr));
    }

    fn psql(&self, sql: &str) -> Command {
        let mut psql = Command::new(self.tools.join("psql"));
        psql.args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-U", "countersign", "-d", "postgres"]);
        psql.args(["-p", &self.port.to_string(), "-c", sql]).stdin(Stdio::null());
        // Allows this session to make the server writable again.
        psql.env("PGOPTIONS", "-c default_transaction_read_only=off");
        psql
    }

    fn wait_until_ready(&self) {
        self.wait_until("ready", |cluster| {
            cluster.psql("SELECT 1").output().is_ok_and(|output| output.status.success())
        });
    }

    fn wait_until(&self, state: &str, is_so: impl Fn(&Self) -> bool) {
        for _ in 0..600 {
            if is_so(self) {
                return;
            }
            thread::sleep(Duration::from_millis(50));
        }
        panic!("PostgreSQL was not {state} within half a minute");
    }
}

fn name_of(url: &str) -> &str {
    url.rsplit('/').next().expect("a URL ends with the database")
}

/// A port that was free a moment ago.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr()).unwrap().port()
}

fn debian_folders() -> Vec<PathBuf> {
    let Ok(versions) = Path::new("/usr/lib/postgresql").read_dir() else { return Vec::new() };
    let mut folders: Vec<_> = versions.filter_map(|entry| Some(entry.ok()?.path().join("bin"))).collect();
    folders.sort();
    folders.reverse();
    folders
}

pub(super) fn as_ordinary_user() -> Command {
    let is_root = Path::new("/proc/self").metadata().is_ok_and(|metadata| metadata.uid() == 0);
    if !is_root {
        return Command::new("env");
    }
    if binary("setpriv", &[]).is_none() {
        missing("setpriv, to run PostgreSQL and its pooler as another user than root");
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups", "--"]);
    command.current_dir("/").env("TMPDIR", "/tmp");
    command
}
