use super::{
    call::Call,
    wire::{self, Fields, proto::*},
};
use crate::usecase::factor::{
    ConfirmTotp, FinishPasskey, ForgetDevice, ListFactors, ListRememberedDevices, RegenerateBackupCodes, RemoveFactor,
    RenameFactor, StartPasskey, StartTotp,
};
use countersign_domain::secret::SecretText;
use tonic::{Request, Response, Status};

/// `countersign.v1.FactorService`
#[derive(Clone, Debug)]
pub struct FactorHandler {
    pub list: ListFactors,
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
            let caller = call.person()?;
            let list = self.list.list(caller.tenant(), caller.account().id).await?;
            Ok(wire::factors(list))
        })
        .await
    }

    async fn start_totp(&self, request: Request<StartTotpRequest>) -> Result<Response<StartTotpResponse>, Status> {
        let call = Call::of(&request)?;
        call.answer(async {
            let mut fields = Fields::default();
            let name = wire::factor_name(&mut fields, &request.into_inner().name);
            let name = fields.done(name)?;
            let started = self.start_totp.start(&call.origin, call.person()?, &name).await?;
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
            let message = request.into_inner();
            let mut fields = Fields::default();
            let id = wire::factor_id(&mut fields, &message.factor_id);
            let code = wire::totp_code(&mut fields, "code", message.code);
            let (id, code) = fields.done(id.zip(code))?;
            let codes =
                self.confirm_totp.confirm(&call.origin, call.person()?, (id, &code), call.kept_device()).await?;
            Ok(ConfirmTotpResponse { backup_codes: wire::backup_codes(&codes) })
        })
        .await
    }

    async fn start_passkey(
        &self,
        request: Request<StartPasskeyRequest>,
    ) -> Result<Response<StartPasskeyResponse>, Status> {
        let call = Call::of(&request)?;
        call.answer(async {
            let mut fields = Fields::default();
            let name = wire::passkey_name(&mut fields, &request.into_inner().name);
            let name = fields.done(name)?;
            let started = self.start_passkey.start(&call.origin, call.person()?, name.as_ref()).await?;
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
            let message = request.into_inner();
            let mut fields = Fields::default();
            let id = wire::factor_id(&mut fields, &message.factor_id);
            let answer = wire::registration_answer(&mut fields, message.passkey_credential_json);
            let (id, answer) = fields.done(id.zip(answer))?;
            let finishing = self.finish_passkey.finish(&call.origin, call.person()?, (id, &answer), call.kept_device());
            let (factor, codes) = Box::pin(finishing).await?;
            Ok(FinishPasskeyResponse { factor: Some(wire::factor(factor)), backup_codes: wire::backup_codes(&codes) })
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
