use super::{command, finish, postgres::free_port};
use std::{
    fs::OpenOptions,
    io::{BufRead as _, BufReader, Read},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::{Arc, Mutex, mpsc},
    thread,
    time::Duration,
};

/// Longer than anything takes that ends at all.
const LIMIT: Duration = Duration::from_secs(30);

/// How to run the real program.
#[derive(Clone, Debug)]
pub(crate) struct ProcessOptions {
    /// Its data folder, which stays when the process ends.
    pub(crate) data_dir: PathBuf,
    pub(crate) settings: Vec<(String, String)>,
    /// A program, with arguments, that replaces itself by the program under test.
    pub(crate) launcher: Vec<&'static str>,
}

impl ProcessOptions {
    pub(crate) fn in_folder(folder: &Path) -> Self {
        Self::bare_in_folder(folder)
            .and("COUNTERSIGN_PASSWORDS__ARGON2_MEMORY_KIB", "8192")
            .and("COUNTERSIGN_PASSWORDS__ARGON2_ITERATIONS", "1")
            .and("COUNTERSIGN_LIMITS__PERCENT", "100000")
    }

    /// With the defaults, except for the operators' port, which would be the same for all.
    pub(crate) fn bare_in_folder(folder: &Path) -> Self {
        let (settings, launcher) = Default::default();
        Self { data_dir: folder.join("data"), settings, launcher }.and("COUNTERSIGN_ADMIN_LISTEN", "off")
    }

    pub(crate) fn and(mut self, key: &str, value: &str) -> Self {
        self.settings.retain(|(known, _)| known != key);
        self.settings.push((key.to_owned(), value.to_owned()));
        self
    }

    /// Starts it through another program, which first changes the settings of its own process.
    pub(crate) fn launched_by(mut self, launcher: &[&'static str]) -> Self {
        self.launcher = launcher.to_vec();
        self
    }

    /// The URL of its database.
    pub(crate) fn database_url(&self) -> String {
        let given = self.settings.iter().find(|(key, _)| key == "COUNTERSIGN_DATABASE_URL");
        let embedded = || format!("sqlite://{}", self.data_dir.join("countersign.db").display());
        given.map_or_else(embedded, |(_, url)| url.clone())
    }

    /// The program with these settings, and without the variables of this environment.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let program = [self.launcher.as_slice(), &[env!("CARGO_BIN_EXE_countersign")], arguments].concat();
        let mut command = Command::new(program[0]);
        command.args(&program[1..]).env_clear().env("COUNTERSIGN_DATA_DIR", &self.data_dir);
        if !self.launcher.is_empty() {
            command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        }
        command.env("COUNTERSIGN_LISTEN", format!("127.0.0.1:{}", free_port()));
        command.envs(self.settings.iter().map(|(key, value)| (key, value)));
        command
    }

    /// The same, run by another program that gets the command as arguments: `["prlimit", "--nofile=100:100"]`.
    pub(crate) fn command_under(&self, runner: &[&str], arguments: &[&str]) -> Command {
        let bare = self.command(arguments);
        let [program, before @ ..] = runner else { return bare };
        let mut command = Command::new(program);
        command.args(before).arg(bare.get_program()).args(bare.get_args()).env_clear();
        // The runner is found through `PATH`.
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.envs(bare.get_envs().filter_map(|(key, value)| Some((key, value?))));
        command
    }

    /// Runs a command of the program to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        finish(&mut self.command(arguments), LIMIT)
    }

    /// The standard output of a command that must succeed.
    pub(crate) fn succeed(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let said = String::from_utf8(output.stdout).unwrap();
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?} failed: {said}{complaint}");
        said
    }

    /// The standard error of a command that must be refused with exit code 1.
    pub(crate) fn fail(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let complaint = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {complaint}");
        assert!(output.stdout.is_empty(), "a refused command says so on standard error only");
        complaint
    }
}

/// A running service: the real program, `serve`.
pub(crate) struct ServiceProcess {
    /// `127.0.0.1:port`
    pub(crate) address: String,
    pub(crate) log: PathBuf,
    said: Arc<Mutex<String>>,
    child: Child,
}

impl ServiceProcess {
    /// Starts it and waits until it answers.
    pub(crate) fn start(options: &ProcessOptions) -> Self {
        Self::start_under(&[], options)
    }

    /// The same, run by another program that replaces itself by the service.
    pub(crate) fn start_under(runner: &[&str], options: &ProcessOptions) -> Self {
        let address = format!("127.0.0.1:{}", free_port());
        let log = options.data_dir.with_file_name("service.log");
        let file = OpenOptions::new().create(true).append(true).open(&log).unwrap();
        let options = options.clone().and("COUNTERSIGN_LISTEN", &address);
        let mut serve = options.command_under(runner, &["serve"]);
        if !options.settings.iter().any(|(key, _)| key == "COUNTERSIGN_LOG__FILTER") {
            serve.env("COUNTERSIGN_LOG__FILTER", "debug");
        }
        let mut child = serve.stdout(Stdio::piped()).stderr(file).spawn().unwrap();
        let (said, greeted) = listen(child.stdout.take().unwrap());
        let process = Self { address, log, said, child };
        if options.settings.iter().any(|(key, value)| key == "COUNTERSIGN_LOG__FORMAT" && value == "json") {
            process.wait_until("started", |process| process.log_text().contains("Countersign has started"));
        } else {
            assert!(greeted.recv_timeout(LIMIT).is_ok(), "the service did not start: {}", process.log_text());
        }
        process.wait_until("answering", |process| std::net::TcpStream::connect(&process.address).is_ok());
        process
    }

    fn wait_until(&self, state: &str, is_so: impl Fn(&Self) -> bool) {
        for _ in 0..3000 {
            if is_so(self) {
                return;
            }
            thread::sleep(Duration::from_millis(10));
        }
        panic!("the service on {} is not {state}: {}", self.address, self.log_text());
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// `kill -9`, without a chance to clean up.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// `kill -TERM`, and waits until the process has ended.
    pub(crate) fn stop(self) {
        self.ask_to_stop();
        self.wait_until_gone();
    }

    /// `kill -TERM`, without waiting.
    pub(crate) fn ask_to_stop(&self) {
        self.signal("-TERM");
    }

    /// `kill` with a signal: `-HUP`.
    pub(crate) fn signal(&self, signal: &str) {
        assert!(Command::new("kill").args([signal, &self.id().to_string()]).status().unwrap().success());
    }

    /// Waits until the process has ended, with success.
    pub(crate) fn wait_until_gone(mut self) {
        let status = command::wait(&mut self.child, LIMIT).expect("the service ends when it is asked to");
        assert!(status.success(), "the service ended badly: {status}");
    }

    pub(crate) fn log_text(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.log).unwrap()).into_owned()
    }

    /// What it wrote to standard output.
    pub(crate) fn said(&self) -> String {
        self.said.lock().unwrap().clone()
    }
}

impl Drop for ServiceProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Records the standard output of a process, and reports its first line.
fn listen(stdout: impl Read + Send + 'static) -> (Arc<Mutex<String>>, mpsc::Receiver<()>) {
    let said = Arc::new(Mutex::new(String::new()));
    let (first, greeted) = mpsc::channel();
    let kept = said.clone();
    thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            kept.lock().unwrap().push_str(&(line + "\n"));
            let _ = first.send(());
        }
    });
    (said, greeted)
}
