use super::{App, PASSWORD, bearer};
use countersign::grpc::wire::proto::{
    account_service_client::AccountServiceClient, auth_service_client::AuthServiceClient,
    dev_mailbox_service_client::DevMailboxServiceClient, factor_service_client::FactorServiceClient,
    session_service_client::SessionServiceClient, verification_service_client::VerificationServiceClient, *,
};
use std::{fmt, time::Duration};
use tonic::{
    Request, Status,
    transport::{Channel, Endpoint},
};
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient};

/// Calls a service by gRPC. Every test that does so calls through one of these.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    channel: Channel,
    /// The address that a trusted proxy names as that of the caller.
    forwarded_for: Option<&'static str>,
}

/// A login that waits for a second factor, and the device token that continues it.
#[derive(Clone, Debug)]
pub(crate) struct Challenged {
    pub(crate) challenge: Challenge,
    pub(crate) device_token: String,
}

const LIMIT: Duration = Duration::from_secs(20);
const LOOK: Duration = Duration::from_millis(50);

/// Calls `ask` until it returns a value, for twenty seconds at most.
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
    pub(crate) async fn to(address: impl fmt::Display) -> Self {
        let endpoint = Endpoint::from_shared(format!("http://{address}")).unwrap().timeout(LIMIT);
        Self::over(endpoint.connect().await.unwrap())
    }

    pub(crate) fn over(channel: Channel) -> Self {
        Self { channel, forwarded_for: None }
    }

    /// A program in a network of its own. The service has to trust the proxy on this machine to accept its address.
    pub(crate) async fn in_network(app: &App, program: &str, network: &'static str) -> Self {
        let endpoint = Endpoint::from_shared(format!("http://{}", app.address)).unwrap().user_agent(program).unwrap();
        Self { channel: endpoint.connect().await.unwrap(), forwarded_for: Some(network) }
    }

    pub(crate) fn channel(&self) -> Channel {
        self.channel.clone()
    }

    pub(crate) fn account(&self) -> AccountServiceClient<Channel> {
        AccountServiceClient::new(self.channel())
    }

    pub(crate) fn auth(&self) -> AuthServiceClient<Channel> {
        AuthServiceClient::new(self.channel())
    }

    pub(crate) fn sessions(&self) -> SessionServiceClient<Channel> {
        SessionServiceClient::new(self.channel())
    }

    pub(crate) fn factors(&self) -> FactorServiceClient<Channel> {
        FactorServiceClient::new(self.channel())
    }

    pub(crate) fn verification(&self) -> VerificationServiceClient<Channel> {
        VerificationServiceClient::new(self.channel())
    }

    pub(crate) fn dev_mailbox(&self) -> DevMailboxServiceClient<Channel> {
        DevMailboxServiceClient::new(self.channel())
    }

    pub(crate) fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        if let Some(address) = self.forwarded_for {
            request.metadata_mut().insert("x-forwarded-for", address.parse().unwrap());
        }
        request
    }

    /// Registers, verifies and logs in, with the mail that the mailbox of the `dev` profile shows.
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
        self.open_session(form).await.map(|(session, _)| session)
    }

    /// Opens a session whose access tokens are for `audience`.
    pub(crate) async fn log_in_for(&self, identifier: &str, audience: &str) -> Session {
        let form = LoginRequest {
            identifier: identifier.to_owned(),
            password: PASSWORD.to_owned(),
            audience: audience.to_owned(),
            ..Default::default()
        };
        self.open_session(form).await.unwrap().0
    }

    /// Shows a device, and returns the token by which it is recognized the next time.
    pub(crate) async fn log_in_on(&self, identifier: &str, password: &str, device_token: &str) -> (Session, String) {
        let form = LoginRequest {
            identifier: identifier.to_owned(),
            password: password.to_owned(),
            device_token: device_token.to_owned(),
            ..Default::default()
        };
        self.open_session(form).await.unwrap()
    }

    async fn open_session(&self, form: LoginRequest) -> Result<(Session, String), Status> {
        let answer = self.auth().login(self.request(form)).await?.into_inner();
        match answer.outcome.expect("a login has an outcome") {
            login_response::Outcome::Session(session) => Ok((session, answer.device_token)),
            login_response::Outcome::Challenge(_) => panic!("the login asked for a second factor"),
        }
    }

    /// The right password of an account with a factor.
    pub(crate) async fn challenge_on(&self, identifier: &str, password: &str, device_token: &str) -> Challenged {
        let form = LoginRequest {
            identifier: identifier.to_owned(),
            password: password.to_owned(),
            device_token: device_token.to_owned(),
            ..Default::default()
        };
        let answer = self.auth().login(self.request(form)).await.unwrap().into_inner();
        match answer.outcome {
            Some(login_response::Outcome::Challenge(challenge)) => {
                Challenged { challenge, device_token: answer.device_token }
            }
            _ => panic!("the login asked for no second factor"),
        }
    }

    pub(crate) async fn challenge(&self, identifier: &str) -> Challenged {
        self.challenge_on(identifier, PASSWORD, "").await
    }

    /// Completes a login with a code of an authenticator app.
    pub(crate) async fn complete(&self, challenged: &Challenged, code: &str) -> Result<Session, Status> {
        self.complete_with(challenged, complete_login_request::Proof::TotpCode(code.to_owned())).await
    }

    pub(crate) async fn complete_with(
        &self,
        challenged: &Challenged,
        proof: complete_login_request::Proof,
    ) -> Result<Session, Status> {
        self.complete_on(challenged, proof, false).await
    }

    /// Completes a login, and asks that its device be remembered, or not.
    pub(crate) async fn complete_on(
        &self,
        challenged: &Challenged,
        proof: complete_login_request::Proof,
        remember_device: bool,
    ) -> Result<Session, Status> {
        let message = CompleteLoginRequest {
            challenge_token: challenged.challenge.challenge_token.clone(),
            device_token: challenged.device_token.clone(),
            proof: Some(proof),
            remember_device,
        };
        let answer = self.auth().complete_login(self.request(message)).await?.into_inner();
        Ok(opened(answer))
    }

    /// Continues a login with the code that was mailed.
    pub(crate) async fn prove_email_code(&self, challenged: &Challenged, code: &str) -> Result<Challenged, Status> {
        let message = CompleteLoginRequest {
            challenge_token: challenged.challenge.challenge_token.clone(),
            device_token: challenged.device_token.clone(),
            proof: Some(complete_login_request::Proof::EmailCode(code.to_owned())),
            ..Default::default()
        };
        let answer = self.auth().complete_login(self.request(message)).await?.into_inner();
        match answer.outcome {
            Some(complete_login_response::Outcome::Challenge(challenge)) => {
                assert_eq!(answer.device_token, challenged.device_token);
                Ok(Challenged { challenge, device_token: answer.device_token })
            }
            _ => panic!("a mailed code opened a session"),
        }
    }

    pub(crate) async fn refresh(&self, refresh_token: &str) -> Result<Session, Status> {
        self.refresh_on(refresh_token, "").await
    }

    /// Shows a device, as a client does that keeps the token of its login.
    pub(crate) async fn refresh_on(&self, refresh_token: &str, device_token: &str) -> Result<Session, Status> {
        let message = RefreshRequest { refresh_token: refresh_token.to_owned(), device_token: device_token.to_owned() };
        let answer = self.auth().refresh(self.request(message)).await?.into_inner();
        Ok(answer.session.expect("a refresh answers with a session"))
    }

    pub(crate) async fn reauthenticate(&self, session: &Session, password: &str) -> Result<Session, Status> {
        self.prove(session, reauthenticate_request::Proof::Password(password.to_owned())).await
    }

    pub(crate) async fn prove(
        &self,
        session: &Session,
        proof: reauthenticate_request::Proof,
    ) -> Result<Session, Status> {
        let mut request = self.request(ReauthenticateRequest { proof: Some(proof), ..Default::default() });
        let authorization = format!("Bearer {}", session.access_token).parse().unwrap();
        request.metadata_mut().insert("authorization", authorization);
        let answer = self.auth().reauthenticate(request).await?.into_inner();
        Ok(answer.session.expect("a proof is answered with a session"))
    }

    pub(crate) async fn log_out(&self, refresh_token: &str) -> Result<(), Status> {
        let leaving = LogoutRequest { refresh_token: refresh_token.to_owned(), ..Default::default() };
        self.auth().logout(leaving).await.map(drop)
    }

    pub(crate) async fn me(&self, session: &Session) -> Result<Account, Status> {
        let answer = self.account().get_me(bearer(&session.access_token, GetMeRequest {})).await?;
        Ok(answer.into_inner().account.expect("GetMe answers with an account"))
    }

    /// The status of the whole service, from the standard health service.
    pub(crate) async fn health(&self) -> ServingStatus {
        let answer = HealthClient::new(self.channel()).check(HealthCheckRequest::default()).await.unwrap();
        answer.into_inner().status()
    }
}

/// The session that completes a login.
pub(crate) fn opened(answer: CompleteLoginResponse) -> Session {
    match answer.outcome.expect("CompleteLogin has an outcome") {
        complete_login_response::Outcome::Session(session) => session,
        complete_login_response::Outcome::Challenge(_) => panic!("the login asked for more"),
    }
}
