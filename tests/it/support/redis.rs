use super::{binary, postgres::free_port};
use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

/// A private Redis without persistence.
pub(crate) struct Redis {
    pub(crate) url: String,
    pub(crate) port: u16,
    program: PathBuf,
    child: Child,
}

impl Redis {
    /// `None`, with a message, when Redis is not installed.
    pub(crate) fn start() -> Option<Self> {
        let program = binary("redis-server", &[])?;
        let port = free_port();
        let child = serve(&program, port);
        Some(Self { url: format!("redis://127.0.0.1:{port}"), program, port, child })
    }

    /// Kills it, with all its data.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts it again on the same port, after it was killed.
    pub(crate) fn revive(&mut self) {
        self.child = serve(&self.program, self.port);
    }

    /// Halts the process: connections stay open, and nothing answers.
    pub(crate) fn stall(&self) {
        self.signal("STOP");
    }

    pub(crate) fn go_on(&self) {
        self.signal("CONT");
    }

    /// Makes it a replica of another one, as a failover does: it still answers, but takes no writes.
    pub(crate) fn demote(&self, primary: &Self) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        write!(stream, "REPLICAOF 127.0.0.1 {}\r\n", primary.port).unwrap();
        let mut answer = [0; 5];
        stream.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"+OK\r\n");
    }

    fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([&format!("-{name}"), &pid]).status().unwrap().success());
    }

    /// An address without a Redis.
    pub(crate) fn nowhere() -> String {
        format!("redis://127.0.0.1:{}", free_port())
    }
}

fn serve(program: &Path, port: u16) -> Child {
    let mut command = Command::new(program);
    command.args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--port", &port.to_string()]);
    // A replica first writes the received data to a file.
    command.current_dir(env!("CARGO_TARGET_TMPDIR"));
    let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let has_begun = (0..600).any(|_| {
        let answers = TcpStream::connect(("127.0.0.1", port)).is_ok();
        if !answers {
            thread::sleep(Duration::from_millis(10));
        }
        answers
    });
    assert!(has_begun, "Redis did not start within six seconds");
    child
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
