use super::{
    call::Call,
    status::{Advice, advice},
    wire,
    wire::{Fields, proto::*},
};
use crate::usecase::{
    Failure,
    authentication::{
        CompleteLogin, CompleteLoginForm, LoggedIn, Login, LoginChallenge, LoginForm, LoginOutcome, PresentedProof,
        StartPasskeyLogin,
    },
    gate::PresentedFactor,
    service::IssueServiceToken,
    session::{self, Logout, LogoutCredentials, Reauthenticate, RecogniseSession, Refresh, SessionPasskeys},
};
use countersign_domain::{
    refusal::{Reason, Refusal},
    secret::SecretText,
};
use tonic::{Request, Response, Status};
use tracing::{Instrument as _, debug_span};

/// `countersign.v1.AuthService`
#[derive(Clone, Debug)]
pub struct AuthHandler {
    pub login: Login,
    pub start_passkey_login: StartPasskeyLogin,
    pub complete_login: CompleteLogin,
    pub refresh: Refresh,
    pub reauthenticate: Reauthenticate,
    pub session_passkeys: SessionPasskeys,
    pub logout: Logout,
    pub issue_service_token: IssueServiceToken,
    pub recognise: RecogniseSession,
}

#[tonic::async_trait]
impl auth_service_server::AuthService for AuthHandler {
    async fn login(&self, request: Request<LoginRequest>) -> Result<Response<LoginResponse>, Status> {
        let call = Call::of(&request)?;
        call.answer(async {
            let form = read_login(request.into_inner(), &call)?;
            let logging_in = Box::pin(self.login.log_in(&call.origin, form));
            match logging_in.instrument(debug_span!("authentication.log_in")).await? {
                LoginOutcome::LoggedIn(logged_in) => {
                    let (session, device_token, cancel_token) = self.hand_out(&call, *logged_in)?;
                    let outcome = Some(login_response::Outcome::Session(session));
                    Ok(LoginResponse { outcome, device_token, cancel_token })
                }
                LoginOutcome::Challenged(challenge) => {
                    let (challenge, device_token) = ask(&call, challenge);
                    let outcome = Some(login_response::Outcome::Challenge(challenge));
                    Ok(LoginResponse { outcome, device_token, cancel_token: String::new() })
                }
            }
        })
        .await
    }

    async fn complete_login(
        &self,
        request: Request<CompleteLoginRequest>,
    ) -> Result<Response<CompleteLoginResponse>, Status> {
        let call = Call::of(&request)?;
        call.answer(async {
            let message = request.into_inner();
            let is_by_cookie = message.challenge_token.is_empty();
            let form = read_complete_login(message, &call)?;
            let completing = Box::pin(self.complete_login.complete(&call.origin, form));
            let completed = completing.instrument(debug_span!("authentication.complete_login")).await;
            let is_over = match &completed {
                Ok(outcome) => matches!(outcome, LoginOutcome::LoggedIn(_)),
                Err(failure) => failure.reason() == Reason::ChallengeInvalid,
            };
            if is_over && is_by_cookie {
                call.challenge_is_over();
            }
            match completed? {
                LoginOutcome::LoggedIn(logged_in) => {
                    let (session, device_token, cancel_token) = self.hand_out(&call, *logged_in)?;
                    let outcome = Some(complete_login_response::Outcome::Session(session));
                    Ok(CompleteLoginResponse { outcome, device_token, cancel_token })
                }
                LoginOutcome::Challenged(challenge) => {
                    let (challenge, device_token) = ask(&call, challenge);
                    let outcome = Some(complete_login_response::Outcome::Challenge(challenge));
                    Ok(CompleteLoginResponse { outcome, device_token, cancel_token: String::new() })
                }
            }
        })
        .await
    }

    async fn start_passkey_login(
        &self,
        request: Request<StartPasskeyLoginRequest>,
    ) -> Result<Response<StartPasskeyLoginResponse>, Status> {
        let call = Call::of(&request)?;
        call.answer(async {
            let StartPasskeyLoginRequest { audience, device_name } = request.into_inner();
            let mut fields = Fields::default();
            wire::audience(&mut fields, &audience);
            let device_name = wire::display_name(&mut fields, "device_name", &device_name);
            let device_name = fields.done(device_name)?;
            let client = call.ceremony_client();
            let started = self.start_passkey_login.start(&call.origin, (audience, &device_name), &client).await?;
            call.bind_browser(started.binding);
            Ok(StartPasskeyLoginResponse {
                challenge_token: started.token.reveal().to_owned(),
                passkey_request_json: started.request_json,
                expire_time: Some(wire::timestamp(started.expires_at)),
            })
        })
        .await
    }

    async fn start_passkey_reauthentication(
        &self,
        request: Request<StartPasskeyReauthenticationRequest>,
    ) -> Result<Response<StartPasskeyReauthenticationResponse>, Status> {
        let call = Call::of(&request)?;
        call.answer(async {
            let started = self.session_passkeys.start(call.person()?).await?;
            Ok(StartPasskeyReauthenticationResponse {
                challenge_token: started.token.reveal().to_owned(),
                passkey_request_json: started.request_json,
                expire_time: Some(wire::timestamp(started.expires_at)),
            })
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
            let given = Some(SecretText::new(message.refresh_token)).filter(|token| !token.is_empty());
            let is_given = given.is_some();
            let kept = call.kept_refresh_tokens();
            let token = match given {
                Some(given) => Some(given),
                None => self.recognise.refresh_token(kept).await.cloned(),
            };
            let token = token.ok_or(Reason::TokenMissing)?;
            let refreshing = Box::pin(self.refresh.rotate(&call.origin, &token, call.delivery(), device.as_ref()));
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

    async fn reauthenticate(
        &self,
        request: Request<ReauthenticateRequest>,
    ) -> Result<Response<ReauthenticateResponse>, Status> {
        let call = Call::of(&request)?;
        call.answer(async {
            let form = request.into_inner();
            let mut fields = Fields::default();
            let device = wire::device_token(&mut fields, form.device_token);
            let token = wire::challenge_token(&mut fields, form.challenge_token);
            let proof = read_proof(&mut fields, form.proof);
            let (proof, (device, token)) = fields.done(proof.zip(device.zip(token)))?;
            let proof = match proof {
                ProofField::Password(password) => session::PresentedProof::Password(password),
                ProofField::Factor(factor) => session::PresentedProof::Factor(factor, token),
            };
            let (caller, device) = (call.person()?, device.or_else(|| call.kept_device().cloned()));
            let proving = self.reauthenticate.prove(&call.origin, caller, proof, device.as_ref());
            let opened = Box::pin(proving).await?;
            Ok(ReauthenticateResponse { session: Some(call.hand_out(opened)) })
        })
        .await
    }

    async fn logout(&self, request: Request<LogoutRequest>) -> Result<Response<LogoutResponse>, Status> {
        let call = Call::of(&request)?;
        call.answer(async {
            let message = request.into_inner();
            let given = |text: String| Some(SecretText::new(text)).filter(|token| !token.is_empty());
            let credentials = LogoutCredentials {
                cancel_token: given(message.cancel_token),
                refresh_token: given(message.refresh_token),
                access_token: call.bearer.as_ref(),
                kept_refresh_tokens: call.kept_refresh_tokens(),
                kept_access_token: call.browser.as_ref().and_then(|browser| browser.access.as_ref()),
            };
            let is_by_cookies = credentials.cancel_token.is_none() && credentials.refresh_token.is_none();
            let left = Box::pin(self.logout.log_out(&call.origin, credentials, message.everywhere)).await;
            // Cookies with invalid tokens are useless, so they are cleared. Cookies of a session that could not be
            // ended are kept for another try.
            let is_over = |failure: &Failure| matches!(advice(failure.reason()), Advice::LogIn | Advice::RefreshToken);
            if is_by_cookies && left.as_ref().err().is_none_or(is_over) {
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
            // An invalid client id belongs to no service: the same answer as for a wrong secret.
            let client = message.client_id.parse().map_err(|_| Reason::CredentialsInvalid)?;
            let token = self.issue_service_token.issue(&call.origin, client, secret, &message.audience).await?;
            Ok(wire::service_token(token))
        })
        .await
    }
}

impl AuthHandler {
    /// An opened session as a message, with the device token and the token that cancels it.
    fn hand_out(&self, call: &Call, logged_in: LoggedIn) -> Result<(Session, String, String), Failure> {
        let LoggedIn { session, device_token } = logged_in;
        let cancel_token = call.cancel_token(&self.logout, &session)?;
        Ok((call.hand_out(session), call.hand_out_device(device_token), cancel_token))
    }
}

/// A challenge as a message, with the device token.
fn ask(call: &Call, LoginChallenge { token, device_token, asked }: LoginChallenge) -> (Challenge, String) {
    let token = call.hand_out_challenge(token, asked.expires_at);
    (wire::challenge(token, asked), call.hand_out_device(device_token))
}

/// The proof of a form of Reauthenticate.
enum ProofField {
    Password(SecretText),
    Factor(PresentedFactor),
}

fn read_proof(fields: &mut Fields, proof: Option<reauthenticate_request::Proof>) -> Option<ProofField> {
    use reauthenticate_request::Proof;
    let factor = match proof {
        Some(Proof::Password(password)) => {
            return wire::password(fields, "password", password).map(ProofField::Password);
        }
        Some(Proof::TotpCode(code)) => wire::presented_totp(fields, code),
        Some(Proof::BackupCode(code)) => wire::presented_backup_code(fields, code),
        Some(Proof::PasskeyCredentialJson(json)) => wire::presented_passkey(fields, json),
        None => no_proof(fields),
    };
    factor.map(ProofField::Factor)
}

fn no_proof<T>(fields: &mut Fields) -> Option<T> {
    fields.note("proof", "is missing");
    None
}

fn read_complete_login(message: CompleteLoginRequest, call: &Call) -> Result<CompleteLoginForm, Refusal> {
    let mut fields = Fields::default();
    let challenge_token = wire::challenge_token(&mut fields, message.challenge_token);
    let device_token = wire::device_token(&mut fields, message.device_token);
    let proof = read_login_proof(&mut fields, message.proof);
    let (proof, (challenge_token, device_token)) = fields.done(proof.zip(challenge_token.zip(device_token)))?;
    let challenge_token = challenge_token.or_else(|| call.kept_challenge().cloned()).ok_or(Reason::TokenMissing)?;
    Ok(CompleteLoginForm {
        challenge_token,
        proof,
        device_token: device_token.or_else(|| call.kept_device().cloned()),
        remember_device: message.remember_device,
        client: call.ceremony_client(),
        delivery: call.delivery(),
        former: call.kept_refresh_tokens().to_vec(),
    })
}

fn read_login_proof(fields: &mut Fields, proof: Option<complete_login_request::Proof>) -> Option<PresentedProof> {
    use complete_login_request::Proof;
    let factor = match proof {
        Some(Proof::EmailCode(code)) => return wire::email_code(fields, code).map(PresentedProof::EmailCode),
        Some(Proof::TotpCode(code)) => wire::presented_totp(fields, code),
        Some(Proof::BackupCode(code)) => wire::presented_backup_code(fields, code),
        Some(Proof::PasskeyCredentialJson(json)) => wire::presented_passkey(fields, json),
        None => no_proof(fields),
    };
    factor.map(PresentedProof::Factor)
}

fn read_login(message: LoginRequest, call: &Call) -> Result<LoginForm, Refusal> {
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
        Some(LoginForm {
            identifier: wire::identifier(message.identifier),
            password: password?,
            captcha_token: captcha_token?,
            audience: message.audience,
            device_name: device_name?,
            device_token: device_token?.or_else(|| call.kept_device().cloned()),
            delivery: call.delivery(),
            former: call.kept_refresh_tokens().to_vec(),
        })
    })();
    fields.done(form)
}
