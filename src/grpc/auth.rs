use super::{
    call::Call,
    wire::{self, Fields, proto::*},
};
use crate::usecase::{
    gate::Authenticate,
    service::IssueServiceToken,
    session::{Leaving, Logout, Refresh},
    sign_in::{LoggingIn, Login},
};
use countersign_domain::{
    refusal::{Reason, Refusal},
    secret::SecretText,
};
use tonic::{Request, Response, Status};

/// `countersign.v1.AuthService`
#[derive(Clone, Debug)]
pub struct AuthDoor {
    pub login: Login,
    pub refresh: Refresh,
    pub logout: Logout,
    pub issue_service_token: IssueServiceToken,
    pub authenticate: Authenticate,
}

#[tonic::async_trait]
impl auth_service_server::AuthService for AuthDoor {
    async fn login(&self, request: Request<LoginRequest>) -> Result<Response<LoginResponse>, Status> {
        let call = Call::of(&request)?;
        call.answer(async {
            let form = read_login(request.into_inner())?;
            let opened = self.login.run(&call.origin, form).await?;
            let outcome = login_response::Outcome::Session(wire::session(opened));
            Ok(LoginResponse { outcome: Some(outcome) })
        })
        .await
    }

    async fn refresh(&self, request: Request<RefreshRequest>) -> Result<Response<RefreshResponse>, Status> {
        let call = Call::of(&request)?;
        call.answer(async {
            let token = SecretText::new(request.into_inner().refresh_token);
            if token.is_empty() {
                return Err(Reason::TokenMissing.into());
            }
            let opened = self.refresh.run(&call.origin, &token).await?;
            Ok(RefreshResponse { session: Some(wire::session(opened)) })
        })
        .await
    }

    async fn logout(&self, request: Request<LogoutRequest>) -> Result<Response<LogoutResponse>, Status> {
        let call = Call::of(&request)?;
        call.answer(async {
            let message = request.into_inner();
            let token = SecretText::new(message.refresh_token);
            let leaving = match (&call.bearer, token.is_empty()) {
                (_, false) => Leaving::RefreshToken(token),
                (Some(bearer), true) => match self.authenticate.run(&call.origin, bearer).await {
                    Ok(caller) => Leaving::AccessToken(Box::new(caller)),
                    // Over already: that is what was asked for.
                    Err(failure) if matches!(failure.reason(), Reason::SessionEnded | Reason::SessionExpired) => {
                        return Ok(LogoutResponse {});
                    }
                    Err(failure) => return Err(failure),
                },
                (None, true) => return Err(Reason::TokenMissing.into()),
            };
            self.logout.run(&call.origin, &leaving, message.everywhere).await?;
            Ok(LogoutResponse {})
        })
        .await
    }

    async fn issue_service_token(
        &self,
        request: Request<IssueServiceTokenRequest>,
    ) -> Result<Response<IssueServiceTokenResponse>, Status> {
        let call = Call::of(&request)?;
        call.answer(async {
            let message = request.into_inner();
            let secret = SecretText::new(message.client_secret);
            let mut fields = Fields::default();
            wire::audience(&mut fields, &message.audience);
            fields.done(Some(()))?;
            // An id that is none belongs to nobody: the same answer as a wrong secret.
            let client = message.client_id.parse().map_err(|_| Reason::CredentialsInvalid)?;
            let token = self.issue_service_token.run(&call.origin, client, secret, &message.audience).await?;
            Ok(wire::service_token(token))
        })
        .await
    }
}

fn read_login(message: LoginRequest) -> Result<LoggingIn, Refusal> {
    let mut fields = Fields::default();
    if message.identifier.is_empty() {
        fields.note("identifier", "is missing");
    }
    let password = wire::password(&mut fields, "password", message.password);
    let device_name = wire::display_name(&mut fields, "device_name", &message.device_name);
    wire::audience(&mut fields, &message.audience);
    let (password, device_name) = fields.done(password.zip(device_name))?;
    let identifier = wire::identifier(&message.identifier);
    Ok(LoggingIn { identifier, password, audience: message.audience, device_name })
}
