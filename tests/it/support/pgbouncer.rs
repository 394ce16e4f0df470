use super::postgres::{Cluster, as_ordinary_user, free_port};
use super::requirement::binary;
use std::{
    fs,
    net::{Ipv4Addr, TcpStream},
    os::unix::fs::PermissionsExt as _,
    process::{Child, Stdio},
    thread,
    time::Duration,
};
use tempfile::TempDir;

/// A PgBouncer in front of a cluster, with its defaults except for the mode. It ends with this value.
pub(crate) struct PgBouncer {
    port: u16,
    process: Child,
    _folder: TempDir,
}

impl PgBouncer {
    /// `pool_mode` is one of `session`, `transaction`, `statement`. `None`, with a message, when PgBouncer is not
    /// installed.
    pub(crate) fn start(cluster: &Cluster, pool_mode: &str) -> Option<Self> {
        let program = binary("pgbouncer", &["/usr/sbin".into()])?;
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let (port, users, config) = (free_port(), folder.path().join("users"), folder.path().join("pgbouncer.ini"));
        fs::write(&users, "\"countersign\" \"\"\n").unwrap();
        let text = format!(
            "[databases]\n* = host=127.0.0.1 port={}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n\
             unix_socket_dir =\nauth_type = trust\nauth_file = {}\npool_mode = {pool_mode}\n",
            cluster.port(),
            users.display()
        );
        fs::write(&config, text).unwrap();
        let mut pgbouncer = as_ordinary_user();
        pgbouncer
            .arg(program)
            .arg("--quiet")
            .arg(&config)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let process = pgbouncer.spawn().unwrap();
        let started = Self { port, process, _folder: folder };
        started.wait_until_listening();
        Some(started)
    }

    /// The URL of the same database through the pooler.
    pub(crate) fn in_front_of(&self, url: &str) -> String {
        let (_, name) = url.rsplit_once('/').unwrap();
        format!("postgres://countersign@127.0.0.1:{}/{name}", self.port)
    }

    fn wait_until_listening(&self) {
        for _ in 0..600 {
            if TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_ok() {
                return;
            }
            thread::sleep(Duration::from_millis(50));
        }
        panic!("PgBouncer did not start within half a minute");
    }
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
