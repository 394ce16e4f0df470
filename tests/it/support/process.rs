use super::postgres::free_port;
use std::{
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    thread,
    time::Duration,
};

/// How to run the real program.
#[derive(Clone, Debug)]
pub(crate) struct ProcessOptions {
    /// Its data folder; stays when the process ends.
    pub(crate) data_dir: PathBuf,
    pub(crate) settings: Vec<(String, String)>,
}

impl ProcessOptions {
    pub(crate) fn in_folder(folder: &Path) -> Self {
        let settings = [
            ("COUNTERSIGN_PASSWORDS__ARGON2_MEMORY_KIB", "8192"),
            ("COUNTERSIGN_PASSWORDS__ARGON2_ITERATIONS", "1"),
            ("COUNTERSIGN_ADMIN_LISTEN", "off"),
        ]
        .map(|(key, value)| (key.to_owned(), value.to_owned()));
        Self { data_dir: folder.join("data"), settings: settings.into() }
    }

    pub(crate) fn and(mut self, key: &str, value: &str) -> Self {
        self.settings.retain(|(known, _)| known != key);
        self.settings.push((key.to_owned(), value.to_owned()));
        self
    }

    /// The program with these settings and nothing of the environment but `PATH`.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
        command.args(arguments).env_clear().env("COUNTERSIGN_DATA_DIR", &self.data_dir);
        command.envs(self.settings.iter().map(|(key, value)| (key, value)));
        command
    }

    /// Runs a command of the program to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }
}

/// The real program, serving.
pub(crate) struct ServiceProcess {
    /// `127.0.0.1:port`
    pub(crate) address: String,
    pub(crate) log: PathBuf,
    child: Child,
}

impl ServiceProcess {
    /// Starts it and waits until it answers.
    pub(crate) fn start(options: &ProcessOptions) -> Self {
        let address = format!("127.0.0.1:{}", free_port());
        std::fs::create_dir_all(&options.data_dir).unwrap();
        let log = options.data_dir.join("service.log");
        let file = std::fs::OpenOptions::new().create(true).append(true).open(&log).unwrap();
        let mut child = options
            .command(&["serve"])
            .env("COUNTERSIGN_LISTEN", &address)
            .env("COUNTERSIGN_LOG__FILTER", "debug")
            .stdout(Stdio::piped())
            .stderr(file)
            .spawn()
            .unwrap();
        let greeting = BufReader::new(child.stdout.take().unwrap()).lines().next();
        let said = std::fs::read_to_string(&log).unwrap_or_default();
        assert!(matches!(greeting, Some(Ok(_))), "the service did not start: {said}");
        let process = Self { address, log, child };
        process.wait_until_answering();
        process
    }

    fn wait_until_answering(&self) {
        for _ in 0..600 {
            if std::net::TcpStream::connect(&self.address).is_ok() {
                return;
            }
            thread::sleep(Duration::from_millis(10));
        }
        panic!("the service does not answer on {}", self.address);
    }

    /// `kill -9`: no farewell of any kind.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// `kill -TERM`, and waits until it is gone.
    pub(crate) fn stop(mut self) {
        let pid = self.child.id().to_string();
        Command::new("kill").args(["-TERM", &pid]).status().unwrap();
        let status = self.child.wait().unwrap();
        assert!(status.success(), "the service ended badly: {status}");
    }

    pub(crate) fn log_text(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }
}

impl Drop for ServiceProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
