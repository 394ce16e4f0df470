//! What an unauthenticated caller can cost the service: for every RPC, the processor time of a call without
//! credentials, and of each byte of it.
//!
//! `cargo bench --bench unauthenticated`. The service runs in threads of this process, on SQLite. The limits are as
//! wide as possible, so that the cost of a call is measured and not that of a refusal. Waiting, for the disk too, is
//! not counted. Prints a table, the most expensive byte first.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a bench stops at the first surprise, and prints what it finds"
)]

use bytes::{Buf as _, BufMut as _, Bytes};
use countersign::{
    config,
    grpc::{callers::table, wire::proto::*},
    runtime::Shutdown,
    wiring::{Service, World},
};
use prost::Message;
use std::{fs, path::Path, sync::mpsc, thread};
use tokio::net::TcpListener;
use tonic::{
    Request, Status,
    client::Grpc,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    transport::{Channel, Endpoint},
};

/// Calls of each kind.
const CALLS: u32 = 200;
const FILLER: usize = 60_000;

/// Sends bytes as they are: not every call here contains a valid message.
#[derive(Clone, Copy, Default)]
struct Raw;

impl Codec for Raw {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, to: &mut EncodeBuf<'_>) -> Result<(), Status> {
        to.put(item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(from.copy_to_bytes(from.remaining())))
    }
}

/// A kind of call. Each call is a little different, so that caches do not help.
struct Kind {
    what: &'static str,
    rpc: &'static str,
    make: Box<dyn Fn(u32) -> Vec<u8>>,
}

fn kind<M: Message>(what: &'static str, rpc: &'static str, make: impl Fn(u32) -> M + 'static) -> Kind {
    Kind { what, rpc, make: Box::new(move |number| make(number).encode_to_vec()) }
}

fn email(number: u32) -> String {
    format!("stranger-{number}@example.org")
}

/// A password that is long, cheap to make and expensive to check: nothing in it is common, and much of it might be.
fn hostile(unit: &str, length: usize, number: u32) -> String {
    let end = format!("x7#kQ9!vB2$mW8z-tqzvkwpm{number}");
    unit.chars().cycle().take(length - end.len()).chain(end.chars()).collect()
}

fn register(number: u32, password: String) -> RegisterRequest {
    RegisterRequest { email: email(number), password, ..Default::default() }
}

const ACCOUNT: &str = "/countersign.v1.AccountService/";
const AUTH: &str = "/countersign.v1.AuthService/";

fn rpc(service: &str, method: &str) -> &'static str {
    format!("{service}{method}").leak()
}

/// A text as long as a token, and not a token.
fn token(number: u32) -> String {
    format!("v4.local.{}{number}", "A".repeat(400))
}

fn code() -> String {
    "12345678".to_owned()
}

fn reset(number: u32, new_password: String) -> ResetRequest {
    ResetRequest { token: token(number), new_password, ..Default::default() }
}

/// Passwords that are expensive to check.
fn passwords() -> Vec<Kind> {
    let (register_rpc, reset_rpc) = (rpc(ACCOUNT, "Register"), rpc(ACCOUNT, "Reset"));
    let marks = |n: u32| format!("{n}a\u{301}\u{327}\u{323}").chars().cycle().take(1_200).collect::<String>();
    let mut kinds = vec![
        kind("a good password", register_rpc, |n| register(n, format!("seven quiet herons {n}"))),
        kind("marks to normalise", register_rpc, move |n| register(n, marks(n))),
    ];
    for (what, unit, length) in [
        ("128 characters: 1q", "1q", 128),
        ("128 characters: a.", "a.", 128),
        ("128 characters: 1!|il", "1!|il", 128),
        ("128 characters: pass0rd", "pass0rd", 128),
        ("1024 characters: 1q", "1q", 1_024),
        ("1024 characters: 1!|il", "1!|il", 1_024),
    ] {
        kinds.push(kind(what, register_rpc, move |n| register(n, hostile(unit, length, n))));
        kinds.push(kind(what, reset_rpc, move |n| reset(n, hostile(unit, length, n))));
    }
    kinds
}

/// The other calls without credentials.
fn proofs() -> Vec<Kind> {
    let account = |method| rpc(ACCOUNT, method);
    let auth = |method| rpc(AUTH, method);
    vec![
        kind("a made-up link", account("Verify"), |n| VerifyRequest { token: token(n), ..Default::default() }),
        kind("a wrong code", account("Verify"), |n| VerifyRequest {
            email: email(n),
            code: code(),
            ..Default::default()
        }),
        kind("an address", account("ResendVerification"), |n| ResendVerificationRequest {
            email: email(n),
            ..Default::default()
        }),
        kind("an address", account("RequestReset"), |n| RequestResetRequest { email: email(n), ..Default::default() }),
        kind("a made-up link", account("ConfirmEmailChange"), |n| ConfirmEmailChangeRequest {
            token: token(n),
            ..Default::default()
        }),
        kind("a wrong code", account("Reset"), |n| ResetRequest {
            email: email(n),
            code: code(),
            new_password: format!("seven quiet herons {n}"),
            ..Default::default()
        }),
        kind("a wrong password", auth("Login"), |n| LoginRequest {
            identifier: email(n),
            password: "wrong".to_owned(),
            ..Default::default()
        }),
        kind("a made-up token", auth("Refresh"), |n| RefreshRequest { refresh_token: token(n), ..Default::default() }),
        kind("a made-up token", auth("Logout"), |n| LogoutRequest {
            refresh_token: token(n),
            everywhere: false,
            ..Default::default()
        }),
        kind("a made-up secret", auth("IssueServiceToken"), |n| IssueServiceTokenRequest {
            client_id: format!("0197a000-0000-7000-8000-{n:012}"),
            client_secret: "countersign_secret_x".to_owned(),
            ..Default::default()
        }),
    ]
}

/// Every RPC, with an empty message, and with as many bytes as it accepts in a field that no message has.
fn all() -> Vec<Kind> {
    let filler = || {
        let mut filler = Vec::new();
        // A field of bytes with a number that no message has.
        prost::encoding::encode_key(2_000, prost::encoding::WireType::LengthDelimited, &mut filler);
        prost::encoding::encode_varint(FILLER as u64, &mut filler);
        filler.resize(filler.len() + FILLER, b'x');
        filler
    };
    let of = |rpc| {
        [
            Kind { what: "nothing", rpc, make: Box::new(|_| Vec::new()) },
            Kind { what: "60 kB of what it does not know", rpc, make: Box::new(move |_| filler()) },
        ]
    };
    table().iter().map(|method| method.path).filter(|rpc| rpc.starts_with("/countersign.v1.")).flat_map(of).collect()
}

fn configuration(folder: &Path) -> config::Config {
    let environment = [("COUNTERSIGN_DATA_DIR", folder.to_str().unwrap()), ("COUNTERSIGN_LIMITS__PERCENT", "1000000")];
    let environment = environment.map(|(key, value)| (key.to_owned(), value.to_owned()));
    config::load(None, environment.to_vec()).unwrap().config
}

/// Processor time in nanoseconds, of all threads but the measuring one.
fn spent() -> u64 {
    let own = std::process::id().to_string();
    let threads = fs::read_dir("/proc/self/task").expect("Linux").flatten();
    let others = threads.filter(|thread| thread.file_name().to_str() != Some(&own));
    let times = others.filter_map(|thread| fs::read_to_string(thread.path().join("schedstat")).ok());
    times.filter_map(|times| times.split_whitespace().next()?.parse::<u64>().ok()).sum()
}

async fn call(channel: &Channel, rpc: &'static str, body: Vec<u8>) -> Result<(), Status> {
    let mut client = Grpc::new(channel.clone());
    client.ready().await.map_err(|error| Status::unavailable(error.to_string()))?;
    client.unary(Request::new(Bytes::from(body)), rpc.parse().unwrap(), Raw).await.map(drop)
}

struct Line {
    kind: Kind,
    bytes: usize,
    micros: f64,
    outcome: String,
}

async fn measure(channel: &Channel, kind: Kind) -> Line {
    let mut outcome = String::new();
    for number in 0..5 {
        let answer = call(channel, kind.rpc, (kind.make)(1_000_000 + number)).await;
        outcome = answer.map_or_else(|refused| format!("{:?}", refused.code()), |()| "Ok".to_owned());
    }
    let (before, mut bytes) = (spent(), 0);
    for number in 0..CALLS {
        let body = (kind.make)(number);
        bytes += body.len();
        let _ = call(channel, kind.rpc, body).await;
    }
    let micros = (spent() - before) as f64 / 1_000.0 / f64::from(CALLS);
    Line { kind, bytes: bytes / CALLS as usize, micros, outcome }
}

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let (settings, (say, hear)) = (configuration(folder.path()), mpsc::channel());
    let (stop, shutdown) = Shutdown::new();
    let service = thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        runtime.block_on(async {
            let service = Box::pin(Service::assemble(&settings, World::real(), None)).await.unwrap();
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            say.send(listener.local_addr().unwrap()).unwrap();
            Box::pin(service.answer_calls(listener, shutdown)).await.unwrap();
        });
    });
    let address = hear.recv().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut lines = runtime.block_on(async {
        let channel = Endpoint::from_shared(format!("http://{address}")).unwrap().connect().await.unwrap();
        let mut lines = Vec::new();
        for kind in passwords().into_iter().chain(proofs()).chain(all()) {
            lines.push(measure(&channel, kind).await);
        }
        lines
    });
    // A call without content still has some bytes of frames and headers.
    let dear = |line: &Line| line.micros / (line.bytes.max(100) as f64);
    lines.sort_by(|a, b| dear(b).total_cmp(&dear(a)));
    println!("| RPC | what is sent | answer | bytes | microseconds a call | microseconds a byte |");
    println!("| --- | --- | --- | --- | --- | --- |");
    for line in lines {
        let rpc = line.kind.rpc.rsplit('/').next().unwrap_or_default();
        let a_byte = dear(&line);
        println!(
            "| {rpc} | {} | {} | {} | {:.0} | {a_byte:.2} |",
            line.kind.what, line.outcome, line.bytes, line.micros
        );
    }
    stop.request();
    service.join().unwrap();
}
