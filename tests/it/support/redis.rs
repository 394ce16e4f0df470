use super::{binary, postgres::free_port};
use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

/// A private Redis that keeps nothing.
pub(crate) struct Redis {
    pub(crate) url: String,
    pub(crate) port: u16,
    program: PathBuf,
    child: Child,
}

impl Redis {
    /// `None`, said loudly, when Redis is not installed.
    pub(crate) fn start() -> Option<Self> {
        let program = binary("redis-server", &[])?;
        let port = free_port();
        let child = serve(&program, port);
        Some(Self { url: format!("redis://127.0.0.1:{port}"), program, port, child })
    }

    /// Ends it without a farewell, and everything it knew with it.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts it again where it was, after it was killed.
    pub(crate) fn revive(&mut self) {
        self.child = serve(&self.program, self.port);
    }

    /// Makes it stand still: connections stay, and nobody answers.
    pub(crate) fn stall(&self) {
        self.signal("STOP");
    }

    pub(crate) fn go_on(&self) {
        self.signal("CONT");
    }

    /// Makes it a copy of another one, as a failover does: it goes on answering, and takes no writes any more.
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

    /// The address of a Redis that is not there.
    pub(crate) fn nowhere() -> String {
        format!("redis://127.0.0.1:{}", free_port())
    }
}

fn serve(program: &Path, port: u16) -> Child {
    let mut command = Command::new(program);
    command.args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--port", &port.to_string()]);
    // A copy of another one writes what it is sent into a file first.
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
