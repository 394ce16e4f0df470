use super::{binary, postgres::free_port};
use std::{
    net::TcpStream,
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

/// A private Redis that keeps nothing.
pub(crate) struct Redis {
    pub(crate) url: String,
    child: Child,
}

impl Redis {
    /// `None`, said loudly, when Redis is not installed.
    pub(crate) fn start() -> Option<Self> {
        let program = binary("redis-server", &[])?;
        let port = free_port();
        let mut command = Command::new(program);
        command.args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--port", &port.to_string()]);
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let redis = Self { url: format!("redis://127.0.0.1:{port}"), child };
        for _ in 0..600 {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return Some(redis);
            }
            thread::sleep(Duration::from_millis(10));
        }
        panic!("Redis did not start within six seconds");
    }

    /// The address of a Redis that is not there.
    pub(crate) fn nowhere() -> String {
        format!("redis://127.0.0.1:{}", free_port())
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
