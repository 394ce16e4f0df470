use crate::support::{AppOptions, Refused as _, on_sqlite_with};
use countersign::grpc::{Incoming, IncomingLimits, health_service, wire::proto::GetMeRequest};
use countersign_domain::client_address::TrustedProxies;
use std::{net::SocketAddr, time::Duration};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpSocket, TcpStream},
    time::timeout,
};
use tonic::transport::Server;

/// The preface of HTTP/2 and an empty SETTINGS frame.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
const PATIENCE: Duration = Duration::from_secs(20);

/// Whether the service answers the preface, and does not close the connection.
async fn is_admitted(stream: &mut TcpStream) -> bool {
    let mut answer = [0; 9];
    if stream.write_all(PREFACE).await.is_err() {
        return false;
    }
    timeout(PATIENCE, stream.read_exact(&mut answer)).await.expect("the service says something").is_ok()
}

/// Whether the service closes the connection.
async fn is_closed_by_the_service(stream: &mut TcpStream) -> bool {
    let mut rest = Vec::new();
    // A reset closes it, too.
    timeout(PATIENCE, stream.read_to_end(&mut rest)).await.is_ok()
}

#[test]
fn connections_over_the_limit_of_an_address_are_refused_and_the_others_go_on() {
    let options = AppOptions::with("COUNTERSIGN_SERVER__MAX_CONNECTIONS_PER_IP", "3");
    on_sqlite_with(options, async |app| {
        // The client of the test has the first connection.
        let mut second = TcpStream::connect(app.address).await.unwrap();
        let mut third = TcpStream::connect(app.address).await.unwrap();
        assert!(is_admitted(&mut second).await && is_admitted(&mut third).await);
        for _ in 0..5 {
            let mut over = TcpStream::connect(app.address).await.unwrap();
            assert!(!is_admitted(&mut over).await, "a fourth connection was served");
        }
        assert_eq!(app.account().get_me(GetMeRequest {}).await.reason(), "TOKEN_MISSING");
        drop(third);
        assert!(a_place_comes_free(app.address).await, "the place of a connection that ended was not given back");
    });
}

#[test]
fn connections_over_the_limit_of_the_service_are_refused_and_the_others_go_on() {
    let options = AppOptions::with("COUNTERSIGN_SERVER__MAX_CONNECTIONS", "2");
    on_sqlite_with(options, async |app| {
        let mut second = TcpStream::connect(app.address).await.unwrap();
        assert!(is_admitted(&mut second).await);
        let mut third = TcpStream::connect(app.address).await.unwrap();
        assert!(!is_admitted(&mut third).await);
        assert_eq!(app.account().get_me(GetMeRequest {}).await.reason(), "TOKEN_MISSING");
        drop(second);
        assert!(a_place_comes_free(app.address).await);
    });
}

#[test]
fn when_there_is_no_room_an_idle_connection_of_whoever_has_most_makes_room_for_others() {
    let options = AppOptions::with("COUNTERSIGN_SERVER__MAX_CONNECTIONS", "4");
    on_sqlite_with(options, async |app| {
        let mut crowd = Vec::new();
        for _ in 0..3 {
            let mut idle = connect_from("127.0.0.2", app.address).await;
            assert!(is_admitted(&mut idle).await);
            crowd.push(idle);
        }
        let mut newcomer = connect_from("127.0.0.3", app.address).await;
        assert!(is_admitted(&mut newcomer).await, "somebody with many idle connections keeps everybody out");
        assert!(is_closed_by_the_service(&mut crowd[0]).await, "the one that was idle for longest is not closed");
        assert_eq!(app.account().get_me(GetMeRequest {}).await.reason(), "TOKEN_MISSING");
    });
}

#[test]
fn of_connections_from_many_addresses_the_one_that_is_idle_for_longest_makes_room() {
    let options = AppOptions::with("COUNTERSIGN_SERVER__MAX_CONNECTIONS", "5");
    on_sqlite_with(options, async |app| {
        // The client of the test has the first connection.
        let mut open = Vec::new();
        for source in (2..13).rev() {
            let mut newcomer = connect_from(&format!("127.0.0.{source}"), app.address).await;
            assert!(is_admitted(&mut newcomer).await, "{source}");
            open.push(newcomer);
        }
        for (place, closed) in open[..6].iter_mut().enumerate() {
            assert!(is_closed_by_the_service(closed).await, "{place} stays, and later ones were closed");
        }
        for stays in &mut open[6..] {
            assert!(answers_ping(stays).await);
        }
    });
}

#[test]
fn a_connection_over_which_an_answer_is_read_makes_no_room() {
    let options = AppOptions::with("COUNTERSIGN_SERVER__MAX_CONNECTIONS", "4");
    on_sqlite_with(options, async |app| {
        let mut reader = connect_from("127.0.0.2", app.address).await;
        reader.write_all(&request_without_a_window("/.well-known/jwks.json")).await.unwrap();
        read_until(&mut reader, |kind, _| kind == HEADERS).await;
        let mut idle = Vec::new();
        for _ in 0..2 {
            let mut connection = connect_from("127.0.0.2", app.address).await;
            assert!(is_admitted(&mut connection).await);
            idle.push(connection);
        }
        let mut newcomer = connect_from("127.0.0.3", app.address).await;
        assert!(is_admitted(&mut newcomer).await);
        assert!(is_closed_by_the_service(&mut idle[0]).await);
        reader.write_all(&[0, 0, 4, 8, 0, 0, 0, 0, 1, 0, 0, 0xff, 0xff]).await.unwrap();
        read_until(&mut reader, |kind, payload| kind == DATA && payload.starts_with(b"{\"keys\"")).await;
    });
}

const DATA: u8 = 0;
const HEADERS: u8 = 1;

/// The preface, a GET, and settings that allow none of its answer to be sent yet (RFC 9113 section 6.5.2).
fn request_without_a_window(path: &str) -> Vec<u8> {
    let settings = [0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0];
    let (block, length) = block(&[0x82, 0x86], &[(":path", path), (":authority", "localhost")]);
    [&PREFACE[..PREFACE.len() - 9], &settings, &[0, 0, length, HEADERS, 5, 0, 0, 0, 1], &block].concat()
}

/// Reads frames up to one of this type and payload.
async fn read_until(stream: &mut TcpStream, is_it: impl Fn(u8, &[u8]) -> bool) {
    let reading = async {
        loop {
            let mut head = [0; 9];
            stream.read_exact(&mut head).await.expect("the connection is open");
            let mut payload = vec![0; usize::from(head[1]) * 256 + usize::from(head[2])];
            stream.read_exact(&mut payload).await.expect("the connection is open");
            if is_it(head[3], &payload) {
                return;
            }
        }
    };
    timeout(PATIENCE, reading).await.expect("the frame comes");
}

#[test]
fn a_trusted_proxy_may_open_more_connections_than_a_client() {
    let options = AppOptions::with("COUNTERSIGN_SERVER__MAX_CONNECTIONS_PER_IP", "2")
        .and("COUNTERSIGN_SERVER__TRUSTED_PROXIES", "127.0.0.2");
    on_sqlite_with(options, async |app| {
        let mut held = Vec::new();
        for _ in 0..6 {
            let mut connection = connect_from("127.0.0.2", app.address).await;
            assert!(is_admitted(&mut connection).await);
            held.push(connection);
        }
        let mut other = connect_from("127.0.0.3", app.address).await;
        assert!(is_admitted(&mut other).await);
    });
}

#[test]
fn a_connection_that_a_stream_keeps_open_ends_at_its_age() {
    // A client that does not react to the end of its connection stays no longer than a call may take.
    let options = AppOptions::with("COUNTERSIGN_SERVER__MAX_CONNECTION_AGE", "1s")
        .and("COUNTERSIGN_SERVER__REQUEST_TIMEOUT", "1s");
    on_sqlite_with(options, async |app| {
        let mut old = TcpStream::connect(app.address).await.unwrap();
        assert!(is_admitted(&mut old).await);
        old.write_all(&watch_request()).await.unwrap();
        assert!(is_closed_by_the_service(&mut old).await);
    });
}

/// HEADERS and DATA of a call of `Health/Watch`, encoded with HPACK (RFC 7541) and gRPC framing.
fn watch_request() -> Vec<u8> {
    let fields = [(":path", "/grpc.health.v1.Health/Watch"), (":authority", "a"), ("content-type", "application/grpc")];
    let (block, length) = block(&[0x83, 0x86], &fields);
    let headers = [&[0, 0, length, HEADERS, 4, 0, 0, 0, 1], &block[..]].concat();
    [&headers[..], &[0, 0, 5, DATA, 1, 0, 0, 0, 1], &[0; 5]].concat()
}

/// A block of fields and its length. The first fields are given by their numbers.
fn block(numbered: &[u8], fields: &[(&str, &str)]) -> (Vec<u8>, u8) {
    let mut block = numbered.to_vec();
    for (name, value) in fields {
        block.push(0);
        for text in [name, value] {
            block.push(u8::try_from(text.len()).unwrap());
            block.extend(text.bytes());
        }
    }
    let length = u8::try_from(block.len()).unwrap();
    (block, length)
}

/// Connects from another address of this machine.
async fn connect_from(source: &str, to: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::new(source.parse().unwrap(), 0)).unwrap();
    socket.connect(to).await.unwrap()
}

async fn a_place_comes_free(address: SocketAddr) -> bool {
    for _ in 0..1_000 {
        let mut next = TcpStream::connect(address).await.unwrap();
        if is_admitted(&mut next).await {
            return true;
        }
    }
    false
}

/// A server with this timeout for the preface of a new connection.
async fn serving(preface: Duration) -> SocketAddr {
    serving_for(preface, PATIENCE).await
}

/// A server that closes each connection after `life`.
async fn serving_for(preface: Duration, life: Duration) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let limits = IncomingLimits {
        listener: "public",
        connections: 10,
        connections_per_ip: 10,
        proxies: TrustedProxies::default(),
        preface,
        life,
    };
    let incoming = Incoming::new(listener, limits);
    let (_, routes) = health_service();
    tokio::spawn(Server::builder().accept_http1(true).add_routes(routes).serve_with_incoming(incoming));
    address
}

#[tokio::test]
async fn a_connection_that_says_nothing_is_closed() {
    let address = serving(Duration::from_millis(50)).await;
    let mut silent = TcpStream::connect(address).await.unwrap();
    assert!(is_closed_by_the_service(&mut silent).await);
}

#[tokio::test]
async fn a_connection_that_stops_within_its_preface_is_closed() {
    let address = serving(Duration::from_millis(50)).await;
    for half in [&PREFACE[..1], &PREFACE[..12], &PREFACE[..23], b"POST /"] {
        let mut stalled = TcpStream::connect(address).await.unwrap();
        stalled.write_all(half).await.unwrap();
        assert!(is_closed_by_the_service(&mut stalled).await, "{} bytes", half.len());
    }
}

#[tokio::test]
async fn a_connection_is_closed_when_its_time_has_passed_whatever_is_in_progress_on_it() {
    let address = serving_for(PATIENCE, Duration::from_millis(50)).await;
    let mut idle = TcpStream::connect(address).await.unwrap();
    let mut watching = TcpStream::connect(address).await.unwrap();
    assert!(is_admitted(&mut idle).await && is_admitted(&mut watching).await);
    watching.write_all(&watch_request()).await.unwrap();
    assert!(is_closed_by_the_service(&mut idle).await && is_closed_by_the_service(&mut watching).await);
}

#[tokio::test]
async fn a_connection_that_has_introduced_itself_may_be_silent_for_longer() {
    let address = serving(Duration::from_millis(50)).await;
    let mut calm = TcpStream::connect(address).await.unwrap();
    assert!(is_admitted(&mut calm).await);
    // Meanwhile others connect and leave; each of them stays longer than a preface may take.
    for _ in 0..3 {
        let mut silent = TcpStream::connect(address).await.unwrap();
        assert!(is_closed_by_the_service(&mut silent).await);
    }
    assert!(answers_ping(&mut calm).await, "the connection was closed");
}

async fn answers_ping(stream: &mut TcpStream) -> bool {
    let ping = [0, 0, 8, 6, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8];
    stream.write_all(&ping).await.unwrap();
    let mut answered = Vec::new();
    while !answered.windows(8).any(|bytes| bytes == [1, 2, 3, 4, 5, 6, 7, 8]) {
        let read = timeout(PATIENCE, stream.read_buf(&mut answered)).await.expect("a ping is answered or refused");
        if !read.is_ok_and(|read| read > 0) {
            return false;
        }
    }
    true
}

#[tokio::test]
async fn a_preface_that_comes_in_time_but_in_pieces_is_read() {
    let address = serving(PATIENCE).await;
    let mut slow = TcpStream::connect(address).await.unwrap();
    slow.set_nodelay(true).unwrap();
    for byte in &PREFACE[..PREFACE.len() - 9] {
        slow.write_all(&[*byte]).await.unwrap();
        tokio::task::yield_now().await;
    }
    slow.write_all(&PREFACE[PREFACE.len() - 9..]).await.unwrap();
    let mut answer = [0; 9];
    timeout(PATIENCE, slow.read_exact(&mut answer)).await.unwrap().unwrap();
}
