use crate::support::{Client, PASSWORD, ProcessOptions, ServiceProcess, Wire, damaged, eventually};
use countersign::grpc::wire::proto::Session;
use countersign_token::named_key;
use http::uri::PathAndQuery;
use std::{
    fs::{self, File},
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};
use tonic::{
    Code, Request, Status,
    client::Grpc,
    transport::{Channel, Endpoint},
};
use tonic_prost::ProstCodec;

const ADA: &str = "ada@example.org";
const BOB: &str = "bob@example.org";
/// Longer than any call takes that ends at all.
const LIMIT: Duration = Duration::from_secs(20);
/// For a logout to reach the backend; far longer than that takes.
const SOON: Duration = Duration::from_secs(5);

/// The fields of `orders.v1.ListResponse` that the tests need.
#[derive(Clone, PartialEq, prost::Message)]
struct Listed {
    #[prost(string, tag = "1")]
    subject: String,
    #[prost(string, tag = "3")]
    session_id: String,
    #[prost(string, repeated, tag = "6")]
    orders: Vec<String>,
}

/// The running example of the verifier: a backend that knows only the address of the service.
struct Orders {
    channel: Channel,
    _running: Running,
}

/// Killed at the end of the test, however the test ends.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Orders {
    /// Starts it with a service account from the command line, and waits until it listens.
    async fn start(options: &ProcessOptions, service: &str) -> Self {
        let program = Path::new(env!("CARGO_BIN_EXE_countersign")).with_file_name("examples").join("orders");
        assert!(program.is_file(), "the example orders is not built: `cargo test --workspace` builds it");
        let made = options.succeed(&["service", "create", "orders", "--audience", "default"]);
        let log = options.data_dir.with_file_name("orders.log");
        let mut command = Command::new(program);
        command.env_clear().env("IDENTITY_ADDRESS", format!("http://{service}")).env("LISTEN", "127.0.0.1:0");
        command.env("ORDERS_CLIENT_ID", printed(&made, "client id"));
        command.env("ORDERS_CLIENT_SECRET", printed(&made, "client secret"));
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(File::create(&log).unwrap()).spawn().unwrap();
        let mut said = BufReader::new(child.stdout.take().unwrap());
        let running = Running(child);
        let mut line = String::new();
        said.read_line(&mut line).unwrap();
        let complaint = || panic!("orders did not start: {line}{}", fs::read_to_string(&log).unwrap());
        let address = line.trim().strip_prefix("listening on ").unwrap_or_else(complaint);
        let endpoint = Endpoint::from_shared(format!("http://{address}")).unwrap().timeout(LIMIT);
        Self { channel: endpoint.connect().await.unwrap(), _running: running }
    }

    async fn list(&self, token: Option<&str>) -> Result<Listed, Status> {
        let mut client = Grpc::new(self.channel.clone());
        client.ready().await.unwrap();
        let mut request = Request::new(());
        if let Some(token) = token {
            request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
        }
        let path = PathAndQuery::from_static("/orders.v1.Orders/List");
        Ok(client.unary(request, path, ProstCodec::<(), Listed>::default()).await?.into_inner())
    }

    async fn serves(&self, session: &Session) {
        let listed = self.list(Some(&session.access_token)).await.unwrap();
        let subject = session.account.as_ref().unwrap().account_id.clone();
        let orders = vec!["three lemons".to_owned()];
        assert_eq!(listed, Listed { subject, session_id: session.session_id.clone(), orders });
    }

    async fn refuses(&self, token: Option<&str>) {
        let refused = self.list(token).await.unwrap_err();
        assert_eq!(refused.code(), Code::Unauthenticated, "{refused:?}");
    }

    /// Waits until the example refuses an ended session.
    async fn hears_of_the_end_of(&self, session: &Session) {
        let refused = eventually("orders to refuse what was logged out", async || {
            self.list(Some(&session.access_token)).await.err()
        })
        .await;
        assert_eq!(refused.code(), Code::Unauthenticated, "{refused:?}");
    }
}

/// The text after a name in the output of a command.
fn printed<'a>(said: &'a str, name: &str) -> &'a str {
    let line = said.lines().find_map(|line| line.strip_prefix(name));
    line.unwrap_or_else(|| panic!("no {name}")).trim()
}

fn kid(session: &Session) -> String {
    named_key(&session.access_token).unwrap().to_string()
}

/// Rotates both keys of access tokens, and logs in until both are used. The encryption key comes last, so the first
/// token with its successor also has the new signature.
async fn log_in_with_the_next_keys(options: &ProcessOptions, client: &Client, before: &str) -> Session {
    for purpose in ["signing", "encryption"] {
        // The example follows the keys, so the next ones reach it in less than five minutes.
        let said = options.succeed(&["keys", "rotate", purpose, "--now"]);
        assert!(said.contains("is the active key now"), "{said}");
    }
    eventually("the service to use its next keys", async || {
        let session = client.log_in(ADA, PASSWORD).await.unwrap();
        (kid(&session) != before).then_some(session)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backend_lets_in_whoever_is_signed_in_and_nobody_who_left() {
    let folder = tempfile::tempdir().unwrap();
    // The name of the issuer must not follow from the port, which changes at a restart.
    let options = ProcessOptions::in_folder(folder.path()).and("COUNTERSIGN_PUBLIC_URL", "https://id.example.org");
    let service = ServiceProcess::start(&options);
    let wire = Wire::to(&service.address).await;
    let orders = Orders::start(&options, &wire.address).await;
    let client = Client::to(&service.address).await;
    let (ada, bob) = (client.sign_up(ADA).await, client.sign_up(BOB).await);

    orders.serves(&ada).await;
    orders.serves(&bob).await;
    orders.refuses(None).await;
    orders.refuses(Some(&damaged(&ada.access_token))).await;
    orders.refuses(Some(&ada.refresh_token)).await;

    client.log_out(&ada.refresh_token).await.unwrap();
    tokio::time::timeout(SOON, orders.hears_of_the_end_of(&ada)).await.expect("the news takes less");
    orders.serves(&bob).await;

    service.stop();
    orders.serves(&bob).await;
    orders.refuses(Some(&ada.access_token)).await;
    let service = ServiceProcess::start(&options);
    wire.lead_to(&service.address);
    let client = Client::to(&service.address).await;
    orders.serves(&bob).await;
    orders.refuses(Some(&ada.access_token)).await;
    client.log_out(&bob.refresh_token).await.unwrap();
    orders.hears_of_the_end_of(&bob).await;

    // The first keys were published long before; the keys of the second round only after the first round.
    let mut session = client.log_in(ADA, PASSWORD).await.unwrap();
    for _ in 0..2 {
        session = log_in_with_the_next_keys(&options, &client, &kid(&session)).await;
        orders.serves(&session).await;
        orders.refuses(Some(&ada.access_token)).await;
    }
    drop(orders);
    service.stop();
}
