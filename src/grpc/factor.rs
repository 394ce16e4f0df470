use super::{
    call::Call,
    wire::{self, Fields, proto::*},
};
use crate::usecase::{
    Failure,
    authentication::{FindWaitingLogin, WaitingLogin},
    factor::{
        ConfirmTotp, FactorAdder, FinishPasskey, ForgetDevice, ListOwnFactors, ListRememberedDevices,
        RegenerateBackupCodes, RemoveFactor, RenameFactor, StartPasskey, StartTotp,
    },
    session::{Logout, OpenedSession},
};
use countersign_domain::{login::Awaited, refusal::Reason, secret::SecretText};
use tonic::{Request, Response, Status};

/// `countersign.v1.FactorService`
#[derive(Clone, Debug)]
pub struct FactorHandler {
    pub list: ListOwnFactors,
    pub waiting: FindWaitingLogin,
    pub logout: Logout,
    pub start_totp: StartTotp,
    pub confirm_totp: ConfirmTotp,
    pub start_passkey: StartPasskey,
    pub finish_passkey: FinishPasskey,
    pub rename: RenameFactor,
    pub remove: RemoveFactor,
    pub regenerate: RegenerateBackupCodes,
    pub list_remembered: ListRememberedDevices,
    pub forget_device: ForgetDevice,
}

#[tonic::async_trait]
impl factor_service_server::FactorService for FactorHandler {
    async fn list_factors(
        &self,
        request: Request<ListFactorsRequest>,
    ) -> Result<Response<ListFactorsResponse>, Status> {
        let call = Call::of(&request)?;
        call.answer(async {
            let (list, required) = self.list.list(call.person()?).await?;
            Ok(wire::factors(list, required))
        })
        .await
    }

    async fn start_totp(&self, request: Request<StartTotpRequest>) -> Result<Response<StartTotpResponse>, Status> {
        let call = Call::of(&request)?;
        call.answer(async {
            let StartTotpRequest { name, challenge_token, device_token } = request.into_inner();
            let login = self.waiting_login(&call, challenge_token, device_token).await?;
            let adder = adder(&call, login.as_ref())?;
            let mut fields = Fields::default();
            let name = wire::factor_name(&mut fields, &name);
            let name = fields.done(name)?;
            let started = self.start_totp.start(&call.origin, adder, &name).await?;
            Ok(wire::started_totp(started))
        })
        .await
    }

    async fn confirm_totp(
        &self,
        request: Request<ConfirmTotpRequest>,
    ) -> Result<Response<ConfirmTotpResponse>, Status> {
        let call = Call::of(&request)?;
        call.answer(async {
            let ConfirmTotpRequest { factor_id, code, challenge_token, device_token } = request.into_inner();
            let is_by_cookie = is_by_cookie(challenge_token.as_ref());
            let login = self.waiting_login(&call, challenge_token, device_token).await?;
            let adder = adder(&call, login.as_ref())?;
            let mut fields = Fields::default();
            let id = wire::factor_id(&mut fields, &factor_id);
            let code = wire::totp_code(&mut fields, "code", code);
            let (id, code) = fields.done(id.zip(code))?;
            let confirming = Box::pin(self.confirm_totp.confirm(&call.origin, adder, (id, &code)));
            let added = confirming.await.inspect_err(|failure| forget_ended(&call, is_by_cookie, failure))?;
            let (session, cancel_token) = self.hand_out(&call, is_by_cookie, added.opened)?;
            Ok(ConfirmTotpResponse { backup_codes: wire::backup_codes(&added.backup_codes), session, cancel_token })
        })
        .await
    }

    async fn start_passkey(
        &self,
        request: Request<StartPasskeyRequest>,
    ) -> Result<Response<StartPasskeyResponse>, Status> {
        let call = Call::of(&request)?;
        call.answer(async {
            let StartPasskeyRequest { name, challenge_token, device_token } = request.into_inner();
            let login = self.waiting_login(&call, challenge_token, device_token).await?;
            let adder = adder(&call, login.as_ref())?;
            let mut fields = Fields::default();
            let name = wire::passkey_name(&mut fields, &name);
            let name = fields.done(name)?;
            let started = self.start_passkey.start(&call.origin, adder, name.as_ref()).await?;
            Ok(wire::started_passkey(started))
        })
        .await
    }

    async fn finish_passkey(
        &self,
        request: Request<FinishPasskeyRequest>,
    ) -> Result<Response<FinishPasskeyResponse>, Status> {
        let call = Call::of(&request)?;
        call.answer(async {
            let FinishPasskeyRequest { factor_id, passkey_credential_json, challenge_token, device_token } =
                request.into_inner();
            let is_by_cookie = is_by_cookie(challenge_token.as_ref());
            let login = self.waiting_login(&call, challenge_token, device_token).await?;
            let adder = adder(&call, login.as_ref())?;
            let mut fields = Fields::default();
            let id = wire::factor_id(&mut fields, &factor_id);
            let answer = wire::registration_answer(&mut fields, passkey_credential_json);
            let (id, answer) = fields.done(id.zip(answer))?;
            let finishing = Box::pin(self.finish_passkey.finish(&call.origin, adder, (id, &answer)));
            let (factor, added) = finishing.await.inspect_err(|failure| forget_ended(&call, is_by_cookie, failure))?;
            let (session, cancel_token) = self.hand_out(&call, is_by_cookie, added.opened)?;
            Ok(FinishPasskeyResponse {
                factor: Some(wire::factor(factor)),
                backup_codes: wire::backup_codes(&added.backup_codes),
                session,
                cancel_token,
            })
        })
        .await
    }

    async fn rename_factor(
        &self,
        request: Request<RenameFactorRequest>,
    ) -> Result<Response<RenameFactorResponse>, Status> {
        let call = Call::of(&request)?;
        call.answer(async {
            let message = request.into_inner();
            let mut fields = Fields::default();
            let id = wire::factor_id(&mut fields, &message.factor_id);
            let name = wire::factor_name(&mut fields, &message.name);
            let (id, name) = fields.done(id.zip(name))?;
            self.rename.rename(&call.origin, call.person()?, id, &name).await?;
            Ok(RenameFactorResponse {})
        })
        .await
    }

    async fn remove_factor(
        &self,
        request: Request<RemoveFactorRequest>,
    ) -> Result<Response<RemoveFactorResponse>, Status> {
        let call = Call::of(&request)?;
        call.answer(async {
            let RemoveFactorRequest { factor_id, new_password } = request.into_inner();
            let mut fields = Fields::default();
            let id = wire::factor_id(&mut fields, &factor_id);
            let id = fields.done(id)?;
            let new_password = Some(SecretText::new(new_password)).filter(|password| !password.is_empty());
            Box::pin(self.remove.remove(&call.origin, call.person()?, id, new_password)).await?;
            Ok(RemoveFactorResponse {})
        })
        .await
    }

    async fn regenerate_backup_codes(
        &self,
        request: Request<RegenerateBackupCodesRequest>,
    ) -> Result<Response<RegenerateBackupCodesResponse>, Status> {
        let call = Call::of(&request)?;
        call.answer(async {
            let codes = self.regenerate.regenerate(&call.origin, call.person()?).await?;
            Ok(RegenerateBackupCodesResponse { backup_codes: wire::backup_codes(&codes) })
        })
        .await
    }

    async fn list_remembered_devices(
        &self,
        request: Request<ListRememberedDevicesRequest>,
    ) -> Result<Response<ListRememberedDevicesResponse>, Status> {
        let call = Call::of(&request)?;
        call.answer(async {
            let caller = call.person()?;
            let devices = self.list_remembered.list(caller.tenant(), caller.account().id).await?;
            let current = caller.session().device;
            let devices = devices.into_iter().map(|device| wire::remembered_device(device, current)).collect();
            Ok(ListRememberedDevicesResponse { devices })
        })
        .await
    }

    async fn forget_device(
        &self,
        request: Request<ForgetDeviceRequest>,
    ) -> Result<Response<ForgetDeviceResponse>, Status> {
        let call = Call::of(&request)?;
        call.answer(async {
            let mut fields = Fields::default();
            let id = wire::device_id(&mut fields, &request.into_inner().device_id);
            let id = fields.done(id)?;
            self.forget_device.forget(&call.origin, call.person()?, id).await?;
            Ok(ForgetDeviceResponse {})
        })
        .await
    }
}

impl FactorHandler {
    /// The login that a request is made for, if it is made for one.
    async fn waiting_login(
        &self,
        call: &Call,
        challenge_token: Option<String>,
        device_token: String,
    ) -> Result<Option<WaitingLogin>, Failure> {
        let Some(challenge_token) = challenge_token else { return Ok(None) };
        let is_by_cookie = is_by_cookie(Some(&challenge_token));
        let mut fields = Fields::default();
        let token = wire::challenge_token(&mut fields, challenge_token);
        let device = wire::device_token(&mut fields, device_token);
        let (token, device) = fields.done(token.zip(device))?;
        let token = token.or_else(|| call.kept_challenge().cloned()).ok_or(Reason::TokenMissing)?;
        let device = device.or_else(|| call.kept_device().cloned());
        let found = self.waiting.find(&call.origin, &token, device.as_ref(), Awaited::Enrolment).await;
        found.inspect_err(|failure| forget_ended(call, is_by_cookie, failure)).map(Some)
    }

    /// The session of a login that waited as a message, with the token that cancels it.
    fn hand_out(
        &self,
        call: &Call,
        is_by_cookie: bool,
        opened: Option<OpenedSession>,
    ) -> Result<(Option<Session>, String), Failure> {
        let Some(opened) = opened else { return Ok((None, String::new())) };
        if is_by_cookie {
            call.challenge_is_over();
        }
        let cancel_token = call.cancel_token(&self.logout, &opened)?;
        Ok((Some(call.hand_out(opened)), cancel_token))
    }
}

/// Who adds a factor: the login that the request is made for, or the caller.
fn adder<'a>(call: &'a Call, login: Option<&'a WaitingLogin>) -> Result<FactorAdder<'a>, Failure> {
    Ok(match login {
        Some(login) => FactorAdder::LoggingIn { login, delivery: call.delivery(), former: call.kept_refresh_tokens() },
        None => FactorAdder::SignedIn { caller: call.person()?, device: call.kept_device() },
    })
}

/// Whether the challenge of a request is in the cookie of its browser.
fn is_by_cookie(challenge_token: Option<&String>) -> bool {
    challenge_token.is_some_and(String::is_empty)
}

/// A browser forgets a challenge that has ended.
fn forget_ended(call: &Call, is_by_cookie: bool, failure: &Failure) {
    if is_by_cookie && failure.reason() == Reason::ChallengeInvalid {
        call.challenge_is_over();
    }
}
