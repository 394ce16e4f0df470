use crate::support::{AppOptions, Refused as _, on_each_database_with};
use countersign::grpc::{Incoming, IncomingLimits, health_service, wire::proto::GetMeRequest};
use std::{net::SocketAddr, time::Duration};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    time::timeout,
};
use tonic::transport::Server;

/// The preface of HTTP/2 and an empty SETTINGS frame.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
const PATIENCE: Duration = Duration::from_secs(20);

/// Whether the service answers the preface with its own, rather than with the end of the connection.
async fn is_admitted(stream: &mut TcpStream) -> bool {
    let mut answer = [0; 9];
    if stream.write_all(PREFACE).await.is_err() {
        return false;
    }
    timeout(PATIENCE, stream.read_exact(&mut answer)).await.expect("the service says something").is_ok()
}

/// Whether the service ends the connection by itself.
async fn is_closed_by_the_service(stream: &mut TcpStream) -> bool {
    let mut rest = Vec::new();
    // What is reset is closed too.
    timeout(PATIENCE, stream.read_to_end(&mut rest)).await.is_ok()
}

#[test]
fn connections_over_the_limit_of_an_address_are_refused_and_the_others_go_on() {
    let options = AppOptions::with("COUNTERSIGN_SERVER__MAX_CONNECTIONS_PER_ADDRESS", "3");
    on_each_database_with(options, async |app| {
        // The client of the test is the first.
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
    on_each_database_with(options, async |app| {
        let mut second = TcpStream::connect(app.address).await.unwrap();
        assert!(is_admitted(&mut second).await);
        let mut third = TcpStream::connect(app.address).await.unwrap();
        assert!(!is_admitted(&mut third).await);
        assert_eq!(app.account().get_me(GetMeRequest {}).await.reason(), "TOKEN_MISSING");
        drop(second);
        assert!(a_place_comes_free(app.address).await);
    });
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

/// A server that gives a new connection this long for its preface.
async fn serving(preface: Duration) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let limits = IncomingLimits { connections: 10, connections_per_address: 10, preface };
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
async fn a_connection_that_has_introduced_itself_may_be_silent_for_longer() {
    let address = serving(Duration::from_millis(50)).await;
    let mut calm = TcpStream::connect(address).await.unwrap();
    assert!(is_admitted(&mut calm).await);
    // Others come and go in the meantime; each of them lives longer than a preface may take.
    for _ in 0..3 {
        let mut silent = TcpStream::connect(address).await.unwrap();
        assert!(is_closed_by_the_service(&mut silent).await);
    }
    let ping = [0, 0, 8, 6, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8];
    calm.write_all(&ping).await.unwrap();
    let mut answered = Vec::new();
    while !answered.windows(8).any(|bytes| bytes == [1, 2, 3, 4, 5, 6, 7, 8]) {
        let read = timeout(PATIENCE, calm.read_buf(&mut answered)).await.expect("a ping is answered").unwrap();
        assert_ne!(read, 0, "the connection was closed");
    }
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
