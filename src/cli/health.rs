use super::{Outcome, block_on};
use crate::{config::Config, runtime::timeout};
use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

const LIMIT: Duration = Duration::from_secs(4);
/// Far more than any status line.
const MAX_RESPONSE_BYTES: u64 = 1_024;

/// For containers whose image has no shell and no curl.
pub(super) fn check(config: &Config) -> Outcome {
    let address =
        config.admin_listen.ok_or("admin_listen is off: `countersign health` asks the service at that address")?;
    block_on(async {
        timeout(LIMIT, ask(reachable(address)))
            .await
            .unwrap_or_else(|| Err(format!("{address}: no answer within {} seconds", LIMIT.as_secs())))
    })
}

/// The address to probe: for a service that listens on all addresses, the loopback address.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

async fn ask(address: SocketAddr) -> Outcome {
    let explain = |error: std::io::Error| format!("{address}: {error}");
    let mut stream = TcpStream::connect(address).await.map_err(explain)?;
    let request = format!("GET /readyz HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.map_err(explain)?;
    let mut answer = Vec::new();
    stream.take(MAX_RESPONSE_BYTES).read_to_end(&mut answer).await.map_err(explain)?;
    if answer.starts_with(b"HTTP/1.1 200 ") { Ok(()) } else { Err("the service is not ready".to_owned()) }
}
