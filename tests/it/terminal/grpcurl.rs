use crate::support::{ProcessOptions, ServiceProcess, binary, finish};
use std::{
    env,
    ffi::OsString,
    path::PathBuf,
    process::{Command, Output},
    time::Duration,
};

const LIMIT: Duration = Duration::from_secs(60);

/// The installed grpcurl.
pub(super) struct Grpcurl {
    folder: PathBuf,
}

impl Grpcurl {
    /// `None`, with a message, when it is not installed.
    pub(super) fn installed() -> Option<Self> {
        let program = binary("grpcurl", &go_folders())?;
        Some(Self { folder: program.parent()?.to_owned() })
    }

    /// `grpcurl -plaintext <arguments>`.
    pub(super) fn run(&self, arguments: &[&str]) -> Output {
        finish(Command::new(self.folder.join("grpcurl")).arg("-plaintext").args(arguments), LIMIT)
    }

    /// Runs a script in bash, with grpcurl in `PATH`.
    pub(super) fn bash(&self, script: &str, variables: &[(&str, &str)]) -> Output {
        let mut bash = Command::new("bash");
        bash.args(["-c", script]).env("PATH", self.path()).envs(variables.iter().copied());
        finish(&mut bash, LIMIT)
    }

    fn path(&self) -> OsString {
        let others = env::var_os("PATH").unwrap_or_default();
        env::join_paths(std::iter::once(self.folder.clone()).chain(env::split_paths(&others))).unwrap()
    }
}

/// The service as `cargo run` starts it, except for the ports.
pub(super) fn embedded_default() -> (tempfile::TempDir, ServiceProcess) {
    let folder = tempfile::tempdir().unwrap();
    let service = ServiceProcess::start(&ProcessOptions::bare_in_folder(folder.path()));
    (folder, service)
}

/// The output of a command that succeeded.
pub(super) fn printed(output: &Output) -> String {
    let (said, complaint) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "it failed: {said}{complaint}");
    said
}

pub(super) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The folders in which `go install` puts programs.
fn go_folders() -> Vec<PathBuf> {
    let bin_of = |variable: &str| env::var_os(variable).map(|folder| PathBuf::from(folder).join("bin"));
    let home = env::var_os("HOME").map(|home| PathBuf::from(home).join("go/bin"));
    let own = env::var_os("GOBIN").map(PathBuf::from);
    [own, bin_of("GOPATH"), home].into_iter().flatten().collect()
}
