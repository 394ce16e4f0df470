use super::{
    call::Call,
    status::{Advice, advice},
    wire::{self, Fields, proto::*},
};
use crate::usecase::{
    Failure, Origin,
    gate::Authenticate,
    service::IssueServiceToken,
    session::{Logout, LogoutProof, RecogniseSession, Refresh, left_here_only},
    sign_in::{LoggedIn, LoggingIn, Login},
};
use countersign_domain::{
    refusal::{Reason, Refusal},
    secret::SecretText,
    session::TokenDelivery,
};
use tonic::{Request, Response, Status};
use tracing::{Instrument as _, debug_span};

/// `countersign.v1.AuthService`
#[derive(Clone, Debug)]
pub struct AuthHandler {
    pub login: Login,
    pub refresh: Refresh,
    pub logout: Logout,
    pub issue_service_token: IssueServiceToken,
    pub authenticate: Authenticate,
    pub recognise: RecogniseSession,
}

#[tonic::async_trait]
impl auth_service_server::AuthService for AuthHandler {
    async fn login(&self, request: Request<LoginRequest>) -> Result<Response<LoginResponse>, Status> {
        let call = Call::of(&request)?;
        call.answer(async {
            let mut form = read_login(request.into_inner(), call.delivery())?;
            form.device_token = form.device_token.or_else(|| call.kept_device().cloned());
            let LoggedIn { session, device_token } =
                Box::pin(self.login.run(&call.origin, form)).instrument(debug_span!("sign_in.login")).await?;
            Box::pin(self.leave_former(&call)).await;
            let cancel_token = match call.delivery() {
                TokenDelivery::Cookies => {
                    self.logout.cancel_token(session.profile.account.tenant, session.id)?.reveal().to_owned()
                }
                TokenDelivery::Client => String::new(),
            };
            let outcome = login_response::Outcome::Session(call.hand_out(session));
            let device_token = call.hand_out_device(device_token);
            Ok(LoginResponse { outcome: Some(outcome), device_token, cancel_token })
        })
        .await
    }

    async fn refresh(&self, request: Request<RefreshRequest>) -> Result<Response<RefreshResponse>, Status> {
        let call = Call::of(&request)?;
        call.answer(async {
            let message = request.into_inner();
            let mut fields = Fields::default();
            let device = wire::device_token(&mut fields, message.device_token);
            let device = fields.done(device)?.or_else(|| call.kept_device().cloned());
            let token = SecretText::new(message.refresh_token);
            let is_given = !token.is_empty();
            let token = if is_given { Some(token) } else { self.kept(&call).await };
            let token = token.ok_or(Reason::TokenMissing)?;
            let refreshing = Box::pin(self.refresh.run(&call.origin, &token, call.delivery(), device.as_ref()));
            let refreshed = refreshing.instrument(debug_span!("session.refresh")).await;
            let opened = refreshed.inspect_err(|failure| {
                if !is_given && failure.reason().ends_session() {
                    call.session_is_over();
                }
            })?;
            Ok(RefreshResponse { session: Some(call.hand_out(opened)) })
        })
        .await
    }

    async fn logout(&self, request: Request<LogoutRequest>) -> Result<Response<LogoutResponse>, Status> {
        let call = Call::of(&request)?;
        call.answer(async {
            let message = request.into_inner();
            let (token, cancel) = (SecretText::new(message.refresh_token), SecretText::new(message.cancel_token));
            if !cancel.is_empty() {
                self.logout.run(&call.origin, &LogoutProof::CancelToken(cancel), false).await?;
                return Ok(LogoutResponse {});
            }
            let is_given = !token.is_empty();
            let left = self.leave(&call, token, message.everywhere).await;
            // Cookies that cannot be read are of no use to anybody. Those of a session that could not be ended are needed to try again.
            let is_over = |failure: &Failure| matches!(advice(failure.reason()), Advice::LogIn | Advice::RefreshToken);
            if !is_given && left.as_ref().err().is_none_or(is_over) {
                call.session_is_over();
            }
            left.map(|()| LogoutResponse {})
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

impl AuthHandler {
    /// The refresh token in the caller's cookies.
    async fn kept(&self, call: &Call) -> Option<SecretText> {
        let tokens = &call.browser.as_ref()?.refresh;
        let newest = self.recognise.run(tokens).await.map(|newest| newest.token);
        newest.or_else(|| tokens.first()).cloned()
    }

    async fn leave(&self, call: &Call, token: SecretText, everywhere: bool) -> Result<(), Failure> {
        match self.leaving(call, token).await? {
            Some(leaving) => self.logout.run(&call.origin, &leaving, everywhere).await,
            None if everywhere => Err(left_here_only()),
            None => Ok(()),
        }
    }

    /// By what the caller is recognised. `None` when its session is over already.
    async fn leaving(&self, call: &Call, token: SecretText) -> Result<Option<LogoutProof>, Failure> {
        if !token.is_empty() {
            return Ok(Some(LogoutProof::RefreshToken(token)));
        }
        if call.bearer.is_none()
            && let Some(kept) = self.kept(call).await
        {
            return Ok(Some(LogoutProof::RefreshToken(kept)));
        }
        let access = call.bearer.as_ref().or_else(|| call.browser.as_ref()?.access.as_ref());
        match self.authenticate.run(&call.origin, access.ok_or(Reason::TokenMissing)?, None).await {
            Ok(caller) => Ok(Some(LogoutProof::AccessToken(Box::new(caller)))),
            Err(failure) if matches!(failure.reason(), Reason::SessionEnded | Reason::SessionExpired) => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// A browser is in one session: a login ends the one it was in, of whichever tenant.
    async fn leave_former(&self, call: &Call) {
        let Some(former) = self.kept(call).await else { return };
        let origin = Origin { named_tenant: None, ..call.origin.clone() };
        if let Err(failure) = self.logout.run(&origin, &LogoutProof::RefreshToken(former), false).await {
            // The login has succeeded; what it replaced will expire.
            tracing::warn!(%failure, "the session that a login replaced was not ended");
        }
    }
}

fn read_login(message: LoginRequest, delivery: TokenDelivery) -> Result<LoggingIn, Refusal> {
    let mut fields = Fields::default();
    if message.identifier.is_empty() {
        fields.note("identifier", "is missing");
    }
    let password = wire::password(&mut fields, "password", message.password);
    let device_name = wire::display_name(&mut fields, "device_name", &message.device_name);
    wire::audience(&mut fields, &message.audience);
    let captcha_token = wire::captcha_token(&mut fields, message.captcha_token);
    let device_token = wire::device_token(&mut fields, message.device_token);
    let form = (|| {
        Some(LoggingIn {
            identifier: wire::identifier(message.identifier),
            password: password?,
            captcha_token: captcha_token?,
            audience: message.audience,
            device_name: device_name?,
            device_token: device_token?,
            delivery,
        })
    })();
    fields.done(form)
}
