use super::{
    call::Call,
    wire::{self, Fields, proto::*},
};
use crate::usecase::{
    account::{
        ChangePassword, ConfirmEmailChange, DeleteMe, ExportMe, MailForm, Profile, Register, RegistrationForm,
        RequestEmailChange, RequestReset, ResendVerification, Reset, ResetForm, UpdateMe, Verified, Verify,
    },
    action::ClaimProof,
};
use countersign_domain::{refusal::Refusal, request_id::RequestId, secret::SecretText};
use tonic::{Request, Response, Status};
use tracing::{Instrument as _, debug_span};

/// `countersign.v1.AccountService`
#[derive(Clone, Debug)]
pub struct AccountHandler {
    pub register: Register,
    pub verify: Verify,
    pub resend_verification: ResendVerification,
    pub request_reset: RequestReset,
    pub reset: Reset,
    pub update_me: UpdateMe,
    pub change_password: ChangePassword,
    pub request_email_change: RequestEmailChange,
    pub confirm_email_change: ConfirmEmailChange,
    pub export_me: ExportMe,
    pub delete_me: DeleteMe,
}

#[tonic::async_trait]
impl account_service_server::AccountService for AccountHandler {
    async fn register(&self, request: Request<RegisterRequest>) -> Result<Response<RegisterResponse>, Status> {
        let call = Call::of(&request)?;
        call.answer(async {
            let form = read_registration(request.into_inner())?;
            self.register.register(&call.origin, form).await?;
            Ok(RegisterResponse {})
        })
        .await
    }

    async fn verify(&self, request: Request<VerifyRequest>) -> Result<Response<VerifyResponse>, Status> {
        let call = Call::of(&request)?;
        call.answer(async {
            let message = request.into_inner();
            let (proof, request_id) = read_proof(message.token, &message.email, message.code, &message.request_id)?;
            let verifying = Box::pin(self.verify.verify(&call.origin, proof, request_id));
            let Verified { password_link_mailed, username } =
                verifying.instrument(debug_span!("account.verify")).await?;
            let username = username.map_or_else(String::new, |name| name.as_str().to_owned());
            Ok(VerifyResponse { password_link_mailed, username })
        })
        .await
    }

    async fn resend_verification(
        &self,
        request: Request<ResendVerificationRequest>,
    ) -> Result<Response<ResendVerificationResponse>, Status> {
        let call = Call::of(&request)?;
        call.answer(async {
            let message = request.into_inner();
            let asking = read_asking(&message.email, message.captcha_token, &message.request_id)?;
            self.resend_verification.resend(&call.origin, asking).await?;
            Ok(ResendVerificationResponse {})
        })
        .await
    }

    async fn request_reset(
        &self,
        request: Request<RequestResetRequest>,
    ) -> Result<Response<RequestResetResponse>, Status> {
        let call = Call::of(&request)?;
        call.answer(async {
            let message = request.into_inner();
            let asking = read_asking(&message.email, message.captcha_token, &message.request_id)?;
            self.request_reset.request(&call.origin, asking).await?;
            Ok(RequestResetResponse {})
        })
        .await
    }

    async fn reset(&self, request: Request<ResetRequest>) -> Result<Response<ResetResponse>, Status> {
        let call = Call::of(&request)?;
        call.answer(async {
            let message = request.into_inner();
            let mut fields = Fields::default();
            let proof = wire::claim_proof(&mut fields, message.token, &message.email, message.code);
            let password = wire::password(&mut fields, "new_password", message.new_password);
            let device_token = wire::device_token(&mut fields, message.device_token);
            let request_id = wire::request_id(&mut fields, &message.request_id);
            let read = proof.zip(password).zip(device_token.zip(request_id));
            let ((proof, new_password), (device_token, request_id)) = fields.done(read)?;
            let device_token = device_token.or_else(|| call.kept_device().cloned());
            let form = ResetForm { new_password, device_token, request_id };
            let device = self.reset.reset(&call.origin, proof, form).await?;
            let device_token = device.map(|token| call.hand_out_device(token)).unwrap_or_default();
            Ok(ResetResponse { device_token })
        })
        .await
    }

    async fn get_me(&self, request: Request<GetMeRequest>) -> Result<Response<GetMeResponse>, Status> {
        let call = Call::of(&request)?;
        call.answer(async {
            let profile = Profile::of(call.person()?);
            Ok(GetMeResponse { account: Some(wire::account(profile)) })
        })
        .await
    }

    async fn update_me(&self, request: Request<UpdateMeRequest>) -> Result<Response<UpdateMeResponse>, Status> {
        let call = Call::of(&request)?;
        call.answer(async {
            let message = request.into_inner();
            let mut fields = Fields::default();
            let (account, mask) = (message.account.unwrap_or_default(), message.update_mask.unwrap_or_default());
            let change = wire::profile_change(&mut fields, &account, &mask);
            let (change, current) = (fields.done(change)?, SecretText::new(message.current_password));
            let profile = self.update_me.update(&call.origin, call.person()?, change, &current).await?;
            Ok(UpdateMeResponse { account: Some(wire::account(profile)) })
        })
        .await
    }

    async fn change_password(
        &self,
        request: Request<ChangePasswordRequest>,
    ) -> Result<Response<ChangePasswordResponse>, Status> {
        let call = Call::of(&request)?;
        call.answer(async {
            let message = request.into_inner();
            let mut fields = Fields::default();
            let current = SecretText::new(message.current_password);
            let new = wire::password(&mut fields, "new_password", message.new_password);
            let request_id = wire::request_id(&mut fields, &message.request_id);
            let (new, request_id) = fields.done(new.zip(request_id))?;
            self.change_password.change(&call.origin, call.person()?, &current, &new, request_id).await?;
            Ok(ChangePasswordResponse {})
        })
        .await
    }

    async fn request_email_change(
        &self,
        request: Request<RequestEmailChangeRequest>,
    ) -> Result<Response<RequestEmailChangeResponse>, Status> {
        let call = Call::of(&request)?;
        call.answer(async {
            let message = request.into_inner();
            let mut fields = Fields::default();
            let new_email = wire::email(&mut fields, "new_email", &message.new_email);
            let current = SecretText::new(message.current_password);
            let request_id = wire::request_id(&mut fields, &message.request_id);
            let (new_email, request_id) = fields.done(new_email.zip(request_id))?;
            self.request_email_change.request(&call.origin, call.person()?, new_email, &current, request_id).await?;
            Ok(RequestEmailChangeResponse {})
        })
        .await
    }

    async fn confirm_email_change(
        &self,
        request: Request<ConfirmEmailChangeRequest>,
    ) -> Result<Response<ConfirmEmailChangeResponse>, Status> {
        let call = Call::of(&request)?;
        call.answer(async {
            let message = request.into_inner();
            let (proof, request_id) = read_proof(message.token, &message.email, message.code, &message.request_id)?;
            self.confirm_email_change.confirm(&call.origin, proof, request_id).await?;
            Ok(ConfirmEmailChangeResponse {})
        })
        .await
    }

    async fn export_me(&self, request: Request<ExportMeRequest>) -> Result<Response<ExportMeResponse>, Status> {
        let call = Call::of(&request)?;
        call.answer(async {
            let content = self.export_me.export(&call.origin, call.person()?).await?;
            Ok(ExportMeResponse { content_type: "application/json".to_owned(), content })
        })
        .await
    }

    async fn delete_me(&self, request: Request<DeleteMeRequest>) -> Result<Response<DeleteMeResponse>, Status> {
        let call = Call::of(&request)?;
        call.answer(async {
            let current = SecretText::new(request.into_inner().current_password);
            self.delete_me.delete(&call.origin, call.person()?, &current).await?;
            call.session_is_over();
            Ok(DeleteMeResponse {})
        })
        .await
    }
}

fn read_registration(message: RegisterRequest) -> Result<RegistrationForm, Refusal> {
    let mut fields = Fields::default();
    let email = wire::email(&mut fields, "email", &message.email);
    let password = wire::password(&mut fields, "password", message.password);
    let username = match message.username.as_str() {
        "" => Some(None),
        name => fields.username("username", name).map(Some),
    };
    let display_name = wire::display_name(&mut fields, "display_name", &message.display_name);
    let locale = wire::locale(&mut fields, "locale", &message.locale);
    let captcha_token = wire::captcha_token(&mut fields, message.captcha_token);
    let request_id = wire::request_id(&mut fields, &message.request_id);
    let read = (|| {
        Some(RegistrationForm {
            email: email?,
            password: password?,
            username: username?,
            display_name: display_name?,
            locale: locale?,
            captcha_token: captcha_token?,
            request_id: request_id?,
        })
    })();
    fields.done(read)
}

fn read_asking(email: &str, captcha_token: String, request_id: &str) -> Result<MailForm, Refusal> {
    let mut fields = Fields::default();
    let email = wire::known_email(&mut fields, "email", email);
    let captcha_token = wire::captcha_token(&mut fields, captcha_token);
    let request_id = wire::request_id(&mut fields, request_id);
    let read = (|| Some(MailForm { email: email?, captcha_token: captcha_token?, request_id: request_id? }))();
    fields.done(read)
}

fn read_proof(
    token: String,
    email: &str,
    code: String,
    request_id: &str,
) -> Result<(ClaimProof, Option<RequestId>), Refusal> {
    let mut fields = Fields::default();
    let proof = wire::claim_proof(&mut fields, token, email, code);
    let request_id = wire::request_id(&mut fields, request_id);
    fields.done(proof.zip(request_id))
}
