use super::{PASSWORD, bearer};
use countersign::grpc::wire::proto::{
    account_service_client::AccountServiceClient, auth_service_client::AuthServiceClient,
    dev_mailbox_service_client::DevMailboxServiceClient, *,
};
use std::time::Duration;
use tonic::{
    Status,
    transport::{Channel, Endpoint},
};
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient};

/// Somebody who calls a service in another process.
#[derive(Clone, Debug)]
pub(crate) struct Client(Channel);

const LIMIT: Duration = Duration::from_secs(20);
const LOOK: Duration = Duration::from_millis(50);

/// Asks until there is an answer, for twenty seconds at most.
pub(crate) async fn eventually<T>(what: &str, ask: impl AsyncFn() -> Option<T>) -> T {
    let patience = async {
        loop {
            if let Some(answer) = ask().await {
                return answer;
            }
            tokio::time::sleep(LOOK).await;
        }
    };
    tokio::time::timeout(LIMIT, patience).await.unwrap_or_else(|_| panic!("waited in vain: {what}"))
}

impl Client {
    /// Connects to `127.0.0.1:port`.
    pub(crate) async fn to(address: &str) -> Self {
        let endpoint = Endpoint::from_shared(format!("http://{address}")).unwrap().timeout(LIMIT);
        Self(endpoint.connect().await.unwrap())
    }

    pub(crate) fn channel(&self) -> Channel {
        self.0.clone()
    }

    pub(crate) fn account(&self) -> AccountServiceClient<Channel> {
        AccountServiceClient::new(self.0.clone())
    }

    pub(crate) fn auth(&self) -> AuthServiceClient<Channel> {
        AuthServiceClient::new(self.0.clone())
    }

    pub(crate) fn dev_mailbox(&self) -> DevMailboxServiceClient<Channel> {
        DevMailboxServiceClient::new(self.0.clone())
    }

    /// Registers, verifies and logs in.
    pub(crate) async fn sign_up(&self, email: &str) -> Session {
        self.register(email, "").await.unwrap();
        let token = self.mail(email, "Confirm your e-mail address").await.token;
        self.account().verify(VerifyRequest { token, ..Default::default() }).await.unwrap();
        self.log_in(email, PASSWORD).await.unwrap()
    }

    pub(crate) async fn register(&self, email: &str, request_id: &str) -> Result<(), Status> {
        let form = RegisterRequest {
            email: email.to_owned(),
            password: PASSWORD.to_owned(),
            request_id: request_id.to_owned(),
            ..Default::default()
        };
        self.account().register(form).await.map(drop)
    }

    /// Waits for a mail.
    pub(crate) async fn mail(&self, email: &str, subject: &str) -> DevMail {
        let question =
            WaitForRequest { recipient: email.to_owned(), subject_contains: subject.to_owned(), ..Default::default() };
        self.dev_mailbox().wait_for(question).await.unwrap().into_inner().mail.unwrap()
    }

    pub(crate) async fn log_in(&self, identifier: &str, password: &str) -> Result<Session, Status> {
        let form =
            LoginRequest { identifier: identifier.to_owned(), password: password.to_owned(), ..Default::default() };
        let answer = self.auth().login(form).await?.into_inner();
        let login_response::Outcome::Session(session) = answer.outcome.expect("a login has an outcome");
        Ok(session)
    }

    pub(crate) async fn refresh(&self, refresh_token: &str) -> Result<Session, Status> {
        let answer = self
            .auth()
            .refresh(RefreshRequest { refresh_token: refresh_token.to_owned(), ..Default::default() })
            .await?;
        Ok(answer.into_inner().session.expect("a refresh answers with a session"))
    }

    pub(crate) async fn log_out(&self, refresh_token: &str) -> Result<(), Status> {
        let leaving = LogoutRequest { refresh_token: refresh_token.to_owned(), ..Default::default() };
        self.auth().logout(leaving).await.map(drop)
    }

    pub(crate) async fn me(&self, session: &Session) -> Result<Account, Status> {
        let answer = self.account().get_me(bearer(&session.access_token, GetMeRequest {})).await?;
        Ok(answer.into_inner().account.expect("GetMe answers with an account"))
    }

    /// What the standard health service says of the whole.
    pub(crate) async fn health(&self) -> ServingStatus {
        let answer = HealthClient::new(self.0.clone()).check(HealthCheckRequest::default()).await.unwrap();
        answer.into_inner().status()
    }
}
