use super::{App, bearer};
use countersign::{
    grpc::{
        callers,
        wire::proto::{verification_service_client::VerificationServiceClient, watch_revocations_response::Event, *},
    },
    usecase::{
        Origin,
        service::{NewService, ServiceCreated},
    },
};
use countersign_domain::caller::CallerRule;
use tonic::{Request, Status, Streaming, transport::Channel};

/// A backend with a service account and a token.
#[derive(Clone, Debug)]
pub(crate) struct Backend {
    pub(crate) created: ServiceCreated,
    pub(crate) token: String,
}

impl Backend {
    /// A service of the default audience.
    pub(crate) async fn enrol(app: &App, name: &str) -> Self {
        Self::enrol_for(app, name, "default").await
    }

    pub(crate) async fn enrol_for(app: &App, name: &str, audience: &str) -> Self {
        let new = NewService { name: name.to_owned(), serves: vec![audience.to_owned()], calls: Vec::new() };
        let created = app
            .key_operations
            .create_service
            .create(&Origin::terminal(), new)
            .await
            .unwrap()
            .expect("the name is free");
        let token = Self::draw(app, &created, "").await.unwrap().access_token;
        Self { created, token }
    }

    /// Exchanges the first secret for a token.
    pub(crate) async fn draw(
        app: &App,
        created: &ServiceCreated,
        audience: &str,
    ) -> Result<IssueServiceTokenResponse, Status> {
        let form = IssueServiceTokenRequest {
            client_id: created.id.to_string(),
            client_secret: created.secret.reveal().to_owned(),
            audience: audience.to_owned(),
        };
        Ok(app.auth().issue_service_token(form).await?.into_inner())
    }

    /// A request of this backend.
    pub(crate) fn asks<T>(&self, message: T) -> Request<T> {
        bearer(&self.token, message)
    }

    /// Follows the feed from a cursor.
    pub(crate) async fn follow(&self, app: &App, cursor: &str) -> Result<Following, Status> {
        self.follow_at(app.verification(), cursor).await
    }

    pub(crate) async fn follow_at(
        &self,
        mut at: VerificationServiceClient<Channel>,
        cursor: &str,
    ) -> Result<Following, Status> {
        let request = self.asks(WatchRevocationsRequest { cursor: cursor.to_owned() });
        Ok(Following { stream: at.watch_revocations(request).await?.into_inner(), cursor: String::new() })
    }
}

/// One caller of each kind, so that every RPC has one that may call it.
pub(crate) struct Callers {
    pub(crate) person: String,
    service: String,
}

impl Callers {
    /// A person with a session, and a new service.
    pub(crate) async fn with(app: &App, person: &Session) -> Self {
        Self { person: person.access_token.clone(), service: Backend::enrol(app, "caller").await.token }
    }

    /// The header of a caller who may call this RPC.
    pub(crate) fn authorization(&self, path: &str) -> String {
        let is_for_services = callers::table()
            .iter()
            .any(|method| method.path == path && method.requirement.caller == CallerRule::Service);
        format!("Bearer {}", if is_for_services { &self.service } else { &self.person })
    }
}

/// A stream of revocations, and the position up to which it was read.
pub(crate) struct Following {
    stream: Streaming<WatchRevocationsResponse>,
    pub(crate) cursor: String,
}

impl Following {
    /// The next message; `None` at the end.
    pub(crate) async fn next(&mut self) -> Result<Option<Event>, Status> {
        let Some(message) = self.stream.message().await? else { return Ok(None) };
        if !message.cursor.is_empty() {
            self.cursor = message.cursor;
        }
        Ok(Some(message.event.expect("a message says something")))
    }

    /// All entries of the snapshot that comes now.
    pub(crate) async fn snapshot(&mut self) -> Vec<Revocation> {
        let mut all = Vec::new();
        loop {
            match self.next().await.unwrap() {
                Some(Event::Snapshot(part)) => {
                    all.extend(part.revocations);
                    if part.complete {
                        return all;
                    }
                }
                other => panic!("not a snapshot: {other:?}"),
            }
        }
    }

    /// The next changes, without heartbeats.
    pub(crate) async fn changes(&mut self) -> Vec<Revocation> {
        loop {
            match self.next().await.unwrap() {
                Some(Event::Changes(changes)) => return changes.revocations,
                Some(Event::Heartbeat(_)) => {}
                other => panic!("not a change: {other:?}"),
            }
        }
    }
}
