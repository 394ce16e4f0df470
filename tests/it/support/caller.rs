use super::App;
use countersign::grpc::wire::proto::{auth_service_client::AuthServiceClient, *};
use tonic::{
    Request, Status,
    transport::{Channel, Endpoint},
};

/// A program in a network of its own. The service has to trust the proxy on this machine to believe where it calls
/// from.
pub(crate) struct Caller {
    auth: AuthServiceClient<Channel>,
    address: &'static str,
}

impl Caller {
    pub(crate) async fn new(app: &App, program: &str, address: &'static str) -> Self {
        let endpoint = Endpoint::from_shared(format!("http://{}", app.address)).unwrap().user_agent(program).unwrap();
        Self { auth: AuthServiceClient::new(endpoint.connect().await.unwrap()), address }
    }

    fn from<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        request.metadata_mut().insert("x-forwarded-for", self.address.parse().unwrap());
        request
    }

    pub(crate) async fn log_in(&self, email: &str, password: &str, device_token: &str) -> (Session, String) {
        let form = LoginRequest {
            identifier: email.to_owned(),
            password: password.to_owned(),
            device_token: device_token.to_owned(),
            ..Default::default()
        };
        let LoginResponse { outcome, device_token, .. } =
            self.auth.clone().login(self.from(form)).await.unwrap().into_inner();
        let Some(login_response::Outcome::Session(session)) = outcome else { panic!("a login without a session") };
        (session, device_token)
    }

    pub(crate) async fn refresh(&self, session: &Session) -> Result<Session, Status> {
        self.refresh_with(session, "").await
    }

    /// Shows a device, as a client does that keeps the token of its login.
    pub(crate) async fn refresh_with(&self, session: &Session, device_token: &str) -> Result<Session, Status> {
        let request =
            RefreshRequest { refresh_token: session.refresh_token.clone(), device_token: device_token.to_owned() };
        Ok(self.auth.clone().refresh(self.from(request)).await?.into_inner().session.unwrap())
    }
}
