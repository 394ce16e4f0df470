//! A fake service with the same protos, controlled by a test.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard},
};

use countersign_verifier::{Credentials, Verifier, VerifierBuilder};
use hyper_util::rt::TokioIo;
use prost_types::Timestamp;
use tokio::{
    io::DuplexStream,
    sync::{Mutex as AsyncMutex, mpsc},
    time::timeout,
};
use tokio_stream::{Stream, StreamExt as _, wrappers::UnboundedReceiverStream};
use tonic::{
    Request, Response, Status,
    body::Body,
    codegen::{BoxFuture, Service, http},
    server::{Grpc, NamedService},
    transport::{Channel, Endpoint, Server, Uri},
};
use tonic_prost::ProstCodec;
use tower::service_fn;

use super::{
    AUDIENCE, Events, ISSUER, LONGEST_WAIT, NOW, TENANT, TestClock, content_key,
    generated::{
        EncryptionKey, GetVerificationKeysRequest, GetVerificationKeysResponse, IntrospectRequest, IntrospectResponse,
        IssueServiceTokenRequest, IssueServiceTokenResponse, KeyAlgorithm, KeyState, Revocation, RevocationChanges,
        RevocationHeartbeat, RevocationSnapshot, SigningKey, WatchRevocationsRequest, WatchRevocationsResponse,
        revocation::Target, watch_revocations_response::Event,
    },
    signing_key,
};

/// The answers of the service, and the calls that it received.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) keys: GetVerificationKeysResponse,
    pub(crate) keys_fault: Option<Status>,
    pub(crate) token_fault: Option<Status>,
    pub(crate) token_life: i64,
    /// How many service tokens were issued; all of them are accepted.
    pub(crate) tokens: u64,
    pub(crate) refuse_tokens_up_to: u64,
    /// Whether streams with a cursor are refused.
    pub(crate) refuse_cursors: bool,
    pub(crate) cursors_refused: u64,
    pub(crate) keys_fetched: u64,
    pub(crate) introspected: Vec<String>,
    pub(crate) active: bool,
    pub(crate) introspect_fault: Option<Status>,
}

/// A service in this process.
#[derive(Clone)]
pub(crate) struct Fake {
    state: Arc<Mutex<State>>,
    opened: mpsc::UnboundedSender<Watcher>,
    watchers: Arc<AsyncMutex<mpsc::UnboundedReceiver<Watcher>>>,
}

type Message = Result<WatchRevocationsResponse, Status>;

/// The service's side of one stream.
pub(crate) struct Watcher {
    /// The cursor that the stream was opened with.
    pub(crate) cursor: String,
    /// The number of the service token that it was opened with.
    pub(crate) token: u64,
    sender: mpsc::UnboundedSender<Message>,
}

impl Watcher {
    pub(crate) fn send(&self, cursor: &str, event: Event) {
        self.send_raw(Some(event), cursor);
    }

    pub(crate) fn send_raw(&self, event: Option<Event>, cursor: &str) {
        let server_time = Some(Timestamp { seconds: NOW, nanos: 0 });
        let message = WatchRevocationsResponse { server_time, cursor: cursor.to_owned(), event };
        // Fails when the verifier was dropped, as in some tests.
        let _ = self.sender.send(Ok(message));
    }

    pub(crate) fn snapshot(&self, cursor: &str, revocations: Vec<Revocation>) {
        self.send(cursor, Event::Snapshot(RevocationSnapshot { revocations, complete: true }));
    }

    pub(crate) fn changes(&self, cursor: &str, revocations: Vec<Revocation>) {
        self.send(cursor, Event::Changes(RevocationChanges { revocations }));
    }

    pub(crate) fn heartbeat(&self, interval_seconds: i64) {
        self.send("", Event::Heartbeat(RevocationHeartbeat { interval_seconds }));
    }

    pub(crate) fn fail(&self, status: Status) {
        let _ = self.sender.send(Err(status));
    }

    /// Waits until the verifier has closed the stream.
    pub(crate) async fn closed(&self) {
        self.sender.closed().await;
    }
}

/// A revocation that expires in an hour.
pub(crate) fn revoked(target: Target) -> Revocation {
    let at = |seconds| Some(Timestamp { seconds, nanos: 0 });
    Revocation { target: Some(target), not_after_time: at(NOW), expire_time: at(NOW + 3600) }
}

impl Fake {
    pub(crate) fn new() -> Self {
        let (opened, watchers) = mpsc::unbounded_channel();
        let fake = Self { state: Arc::default(), opened, watchers: Arc::new(AsyncMutex::new(watchers)) };
        fake.state().token_life = 600;
        fake.hold(&[1], &[1]);
        fake
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Publishes the keys of these numbers.
    pub(crate) fn hold(&self, signing: &[u8], encryption: &[u8]) {
        let signing_keys = signing.iter().map(|number| {
            let key = signing_key(*number).verifying_key();
            let public_key = key.bytes().to_vec();
            SigningKey { key_id: key.id().to_string(), public_key, state: KeyState::Active.into() }
        });
        let encryption_keys = encryption.iter().map(|number| {
            let key = content_key(*number);
            EncryptionKey {
                key_id: key.id().to_string(),
                algorithm: KeyAlgorithm::Direct.into(),
                secret_key: key.reveal().to_vec(),
                public_key: Vec::new(),
                state: KeyState::Active.into(),
            }
        });
        self.state().keys = GetVerificationKeysResponse {
            issuer: ISSUER.to_owned(),
            audience: AUDIENCE.to_owned(),
            signing_keys: signing_keys.collect(),
            encryption_keys: encryption_keys.collect(),
            longest_token_life_seconds: 600,
            tenant_id: TENANT.to_owned(),
        };
    }

    /// Waits for the next stream of the verifier.
    pub(crate) async fn watcher(&self) -> Watcher {
        let next = async { self.watchers.lock().await.recv().await };
        timeout(LONGEST_WAIT, next).await.unwrap().unwrap()
    }

    /// A connection to the fake, in memory.
    pub(crate) fn channel(&self) -> Channel {
        let (connections, incoming) = mpsc::unbounded_channel::<DuplexStream>();
        let incoming = UnboundedReceiverStream::new(incoming).map(Ok::<_, Infallible>);
        tokio::spawn(Server::builder().add_service(Api(self.clone())).serve_with_incoming(incoming));
        let connect = service_fn(move |_: Uri| {
            let (here, there) = tokio::io::duplex(1 << 16);
            let sent = connections.send(there).map_err(|_| std::io::ErrorKind::ConnectionRefused);
            async move { sent.map(|()| TokioIo::new(here)).map_err(std::io::Error::from) }
        });
        Endpoint::from_static("http://fake.test").connect_with_connector_lazy(connect)
    }

    /// Begins to connect a verifier; the test has to answer on its stream.
    pub(crate) async fn connect(
        &self,
        builder: VerifierBuilder,
    ) -> Result<Verifier, countersign_verifier::ConnectError> {
        self.connect_with_its_clock(builder.clock(TestClock::new())).await
    }

    /// The same with the clock of the builder.
    pub(crate) async fn connect_with_its_clock(
        &self,
        builder: VerifierBuilder,
    ) -> Result<Verifier, countersign_verifier::ConnectError> {
        builder.connect_over(self.channel(), Credentials::new("orders", "secret"), AUDIENCE).await
    }

    fn issue(&self, request: &IssueServiceTokenRequest) -> Result<IssueServiceTokenResponse, Status> {
        assert_eq!((request.client_id.as_str(), request.client_secret.as_str()), ("orders", "secret"));
        let mut state = self.state();
        if let Some(fault) = &state.token_fault {
            return Err(fault.clone());
        }
        state.tokens += 1;
        let seconds = NOW + state.token_life;
        Ok(IssueServiceTokenResponse {
            access_token: format!("service-token-{}", state.tokens),
            access_expire_time: Some(Timestamp { seconds, nanos: 0 }),
        })
    }

    /// The number of the service token in the request.
    fn admit<T>(&self, request: &Request<T>) -> Result<u64, Status> {
        let bearer = request.metadata().get("authorization").and_then(|value| value.to_str().ok());
        let number = bearer.and_then(|text| text.strip_prefix("Bearer service-token-")?.parse::<u64>().ok());
        match number {
            Some(number) if number > self.state().refuse_tokens_up_to => Ok(number),
            _ => Err(Status::unauthenticated("no service token")),
        }
    }

    fn admit_cursor(&self, cursor: &str) -> Result<(), Status> {
        let mut state = self.state();
        if cursor.is_empty() || !state.refuse_cursors {
            return Ok(());
        }
        state.cursors_refused += 1;
        Err(Status::invalid_argument("cursor"))
    }

    fn keys(&self, request: &GetVerificationKeysRequest) -> Result<GetVerificationKeysResponse, Status> {
        assert_eq!(request.audience, AUDIENCE);
        let mut state = self.state();
        state.keys_fetched += 1;
        state.keys_fault.clone().map_or_else(|| Ok(state.keys.clone()), Err)
    }

    fn watch(&self, request: WatchRevocationsRequest, token: u64) -> Pin<Box<dyn Stream<Item = Message> + Send>> {
        let (sender, receiver) = mpsc::unbounded_channel();
        let _ = self.opened.send(Watcher { cursor: request.cursor, token, sender });
        Box::pin(UnboundedReceiverStream::new(receiver))
    }

    fn introspect(&self, request: IntrospectRequest) -> Result<IntrospectResponse, Status> {
        let mut state = self.state();
        state.introspected.push(request.token);
        let answer = IntrospectResponse { active: state.active, ..IntrospectResponse::default() };
        state.introspect_fault.clone().map_or(Ok(answer), Err)
    }
}

/// The gRPC services of the fake.
#[derive(Clone)]
struct Api(Fake);

impl NamedService for Api {
    const NAME: &'static str = "{service}";
}

impl Service<http::Request<Body>> for Api {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Self::Error>;

    fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), Infallible>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let fake = self.0.clone();
        Box::pin(async move {
            let rpc = request.uri().path().rsplit('/').next().unwrap_or_default().to_owned();
            Ok(match rpc.as_str() {
                "IssueServiceToken" => {
                    let answer = service_fn(move |request: Request<IssueServiceTokenRequest>| {
                        let fake = fake.clone();
                        async move { fake.issue(request.get_ref()).map(Response::new) }
                    });
                    Grpc::new(ProstCodec::default()).unary(answer, request).await
                }
                "GetVerificationKeys" => {
                    let answer = service_fn(move |request: Request<GetVerificationKeysRequest>| {
                        let fake = fake.clone();
                        async move {
                            fake.admit(&request)?;
                            fake.keys(request.get_ref()).map(Response::new)
                        }
                    });
                    Grpc::new(ProstCodec::default()).unary(answer, request).await
                }
                "Introspect" => {
                    let answer = service_fn(move |request: Request<IntrospectRequest>| {
                        let fake = fake.clone();
                        async move {
                            fake.admit(&request)?;
                            fake.introspect(request.into_inner()).map(Response::new)
                        }
                    });
                    Grpc::new(ProstCodec::default()).unary(answer, request).await
                }
                _ => {
                    let answer = service_fn(move |request: Request<WatchRevocationsRequest>| {
                        let fake = fake.clone();
                        async move {
                            let token = fake.admit(&request)?;
                            fake.admit_cursor(&request.get_ref().cursor)?;
                            Ok(Response::new(fake.watch(request.into_inner(), token)))
                        }
                    });
                    Grpc::new(ProstCodec::default()).server_streaming(answer, request).await
                }
            })
        })
    }
}

/// A verifier that received an empty snapshot, with its fake.
pub(crate) struct Connected {
    pub(crate) verifier: Verifier,
    pub(crate) fake: Fake,
    pub(crate) watcher: Watcher,
    pub(crate) events: Events,
}

pub(crate) async fn connected(builder: VerifierBuilder) -> Connected {
    connected_by(TestClock::new(), builder).await
}

/// The same with this clock.
pub(crate) async fn connected_by(clock: TestClock, builder: VerifierBuilder) -> Connected {
    let builder = builder.clock(clock);
    let fake = Fake::new();
    let (observer, mut events) = Events::new();
    let (verifier, watcher) = tokio::join!(fake.connect_with_its_clock(builder.observer(observer)), async {
        let watcher = fake.watcher().await;
        watcher.snapshot("1", Vec::new());
        watcher
    });
    events.until("connected").await;
    Connected { verifier: verifier.unwrap(), fake, watcher, events }
}
