//! Backends and the service: how soon a hundred backends learn of a logout, and whether any answer is wrong while keys
//! rotate.
//!
//! `cargo bench --bench backends`. Everything runs in this process: the service on SQLite, or on the database of
//! `COUNTERSIGN_BENCH_DATABASE_URL`, and each backend with a connection of its own. Prints the results; stops at the
//! first wrong answer.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a bench stops at the first surprise, and prints what it finds"
)]

use countersign::{
    config,
    grpc::wire::proto::{
        account_service_client::AccountServiceClient, auth_service_client::AuthServiceClient,
        dev_mailbox_service_client::DevMailboxServiceClient, *,
    },
    runtime::Shutdown,
    usecase::{Origin, service::NewService},
    wiring::{Listeners, Service, World},
};
use countersign_domain::key::{KeyPurpose, KeySlot};
use countersign_verifier::{Credentials, Rejected, Verifier};
use std::{
    hint::black_box,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};
use tokio::{net::TcpListener, task::JoinSet};
use tonic::transport::{Channel, Endpoint};

const BACKENDS: usize = 100;
const LOGOUTS: usize = 200;
/// How often each backend checks whether a token is refused. Measured times are too long by up to this time.
const LOOK: Duration = Duration::from_millis(1);
const CHECKS: u64 = 1_000_000;
const EMAIL: &str = "ada@example.org";
const PASSWORD: &str = "seven quiet herons at dusk";

/// A person who calls the service.
struct Client(Channel);

impl Client {
    async fn sign_up(&self) {
        let mut account = AccountServiceClient::new(self.0.clone());
        let form = RegisterRequest { email: EMAIL.to_owned(), password: PASSWORD.to_owned(), ..Default::default() };
        account.register(form).await.unwrap();
        let question = WaitForRequest { recipient: EMAIL.to_owned(), ..Default::default() };
        let mail = DevMailboxServiceClient::new(self.0.clone()).wait_for(question).await.unwrap().into_inner();
        let proof = VerifyRequest { token: mail.mail.unwrap().token, ..Default::default() };
        account.verify(proof).await.unwrap();
    }

    async fn log_in(&self) -> Session {
        let form = LoginRequest { identifier: EMAIL.to_owned(), password: PASSWORD.to_owned(), ..Default::default() };
        match AuthServiceClient::new(self.0.clone()).login(form).await.unwrap().into_inner().outcome {
            Some(login_response::Outcome::Session(session)) => session,
            _ => panic!("a login without an outcome"),
        }
    }

    async fn log_out(&self, session: &Session) {
        let leaving = LogoutRequest { refresh_token: session.refresh_token.clone(), ..Default::default() };
        AuthServiceClient::new(self.0.clone()).logout(leaving).await.unwrap();
    }
}

fn configuration(folder: &Path) -> config::Config {
    let mut environment = vec![
        ("COUNTERSIGN_DATA_DIR".to_owned(), folder.display().to_string()),
        // The cost of a login is not measured here.
        ("COUNTERSIGN_PASSWORDS__ARGON2_MEMORY_KIB".to_owned(), "8192".to_owned()),
        ("COUNTERSIGN_PASSWORDS__ARGON2_ITERATIONS".to_owned(), "1".to_owned()),
        ("COUNTERSIGN_LIMITS__PERCENT".to_owned(), "1000000".to_owned()),
        ("COUNTERSIGN_SERVER__MAX_CONNECTIONS_PER_IP".to_owned(), "1000".to_owned()),
    ];
    if let Ok(url) = std::env::var("COUNTERSIGN_BENCH_DATABASE_URL") {
        environment.push(("COUNTERSIGN_DATABASE_URL".to_owned(), url));
    }
    config::load(None, environment).unwrap().config
}

async fn connect(address: &str, credentials: (String, String)) -> Verifier {
    Verifier::connect(address, Credentials::new(credentials.0, credentials.1), "default").await.unwrap()
}

fn share(sorted: &[Duration], per_mille: usize) -> Duration {
    sorted[(sorted.len() * per_mille / 1000).min(sorted.len() - 1)]
}

/// Measures the time from a call of Logout until each backend refuses the token.
async fn logouts(client: &Client, verifiers: &[Verifier]) {
    let (mut answered, mut refused) = (Vec::new(), Vec::new());
    for _ in 0..LOGOUTS {
        let session = client.log_in().await;
        let token: Arc<str> = session.access_token.as_str().into();
        for verifier in verifiers {
            verifier.verify(&token).expect("a good token");
        }
        let begun = Instant::now();
        let mut waiting = JoinSet::new();
        for verifier in verifiers {
            let (verifier, token) = (verifier.clone(), token.clone());
            waiting.spawn(async move {
                loop {
                    match verifier.verify(&token) {
                        Ok(_) => tokio::time::sleep(LOOK).await,
                        Err(Rejected::Revoked) => return begun.elapsed(),
                        Err(why) => panic!("a wrong answer: {why:?}"),
                    }
                }
            });
        }
        client.log_out(&session).await;
        answered.push(begun.elapsed());
        refused.extend(waiting.join_all().await);
    }
    answered.sort();
    refused.sort();
    println!(
        "logout, {BACKENDS} backends, {LOGOUTS} times: answered after {:?} (p50), {:?} (p99)",
        share(&answered, 500),
        share(&answered, 990)
    );
    println!(
        "logout to refusal, each of {} times: {:?} (p50), {:?} (p99), {:?} (longest)",
        refused.len(),
        share(&refused, 500),
        share(&refused, 990),
        share(&refused, 1000)
    );
}

/// Threads that check tokens while keys rotate: valid tokens must be accepted, an expired one refused.
struct Checking {
    verifier: Verifier,
    good: Vec<String>,
    over: String,
    done: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
}

impl Checking {
    fn run(&self) {
        while !self.stop.load(Ordering::Relaxed) {
            for token in &self.good {
                black_box(self.verifier.verify(black_box(token))).expect("a good token");
            }
            let refusal = self.verifier.verify(black_box(&self.over)).expect_err("a token that is over");
            assert_eq!(refusal, Rejected::Revoked);
            self.done.fetch_add(self.good.len() as u64 + 1, Ordering::Relaxed);
        }
    }
}

async fn rotation(client: &Client, verifier: &Verifier, rotate: impl AsyncFn()) {
    let ended = client.log_in().await;
    client.log_out(&ended).await;
    while verifier.verify(&ended.access_token).is_ok() {
        tokio::time::sleep(LOOK).await;
    }
    let mut good = Vec::new();
    for _ in 0..8 {
        good.push(client.log_in().await.access_token);
    }
    let (done, stop) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
    let threads: Vec<_> = (0..thread::available_parallelism().unwrap().get())
        .map(|_| {
            let checking = Checking {
                verifier: verifier.clone(),
                good: good.clone(),
                over: ended.access_token.clone(),
                done: done.clone(),
                stop: stop.clone(),
            };
            thread::spawn(move || checking.run())
        })
        .collect();
    let checked = |least: u64| {
        let done = done.clone();
        async move {
            while done.load(Ordering::Relaxed) < least {
                tokio::time::sleep(LOOK).await;
            }
        }
    };
    let begun = Instant::now();
    checked(CHECKS / 4).await;
    rotate().await;
    // Signed with new keys, and checked at once.
    for _ in 0..8 {
        verifier.verify(&client.log_in().await.access_token).expect("a token of the new keys");
    }
    checked(CHECKS).await;
    stop.store(true, Ordering::Relaxed);
    for thread in threads {
        thread.join().expect("no wrong answer");
    }
    println!(
        "rotation of both keys: {} checks by {} threads in {:?}, no wrong answer",
        done.load(Ordering::Relaxed),
        thread::available_parallelism().unwrap(),
        begun.elapsed()
    );
}

async fn run() {
    let folder = tempfile::tempdir().unwrap();
    let service = Box::pin(Service::assemble(&configuration(folder.path()), World::real(), None)).await.unwrap();
    let (operations, keys) = (service.key_operations.clone(), service.keys.clone());
    let calls = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", calls.local_addr().unwrap());
    let (stop, shutdown) = Shutdown::new();
    let running = tokio::spawn(Box::pin(service.serve(Listeners { calls, operators: None }, shutdown)));

    let operator = Origin::terminal();
    let new = NewService { name: "orders".to_owned(), serves: vec!["default".to_owned()], calls: Vec::new() };
    let created = operations.create_service.create(&operator, new).await.unwrap().expect("the name is free");
    let client = Client(Endpoint::from_shared(address.clone()).unwrap().connect().await.unwrap());
    client.sign_up().await;
    let mut verifiers = Vec::new();
    for _ in 0..BACKENDS {
        let credentials = (created.id.to_string(), created.secret.reveal().to_owned());
        verifiers.push(connect(&address, credentials).await);
    }

    logouts(&client, &verifiers).await;
    let rotate = async || {
        let slots = [KeySlot::shared(KeyPurpose::AccessSigning), KeySlot::of_audience(operator.tenant(), "default")];
        for slot in &slots {
            operations.rotate.now(&operator, slot).await.unwrap().expect("a key to rotate");
            keys.reload.reload().await.unwrap();
        }
    };
    rotation(&client, &verifiers[0], rotate).await;

    drop(verifiers);
    stop.request();
    running.await.unwrap().unwrap();
}

fn main() {
    tokio::runtime::Runtime::new().unwrap().block_on(run());
}
