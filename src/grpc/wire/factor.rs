//! Factors: reading and writing.

use super::{Fields, proto, timestamp};
use crate::{
    passkeys::{AuthenticationResponse, RegistrationResponse},
    usecase::{
        authentication::AskedProof,
        factor::{FactorList, StartedPasskey, StartedTotp},
        gate::PresentedFactor,
    },
};
use countersign_domain::{
    action::ActionCode,
    backup_code::BackupCode,
    device::RememberedDevice,
    factor::{Factor, FactorKind, FactorName, InvalidFactorName},
    id::{DeviceId, FactorId},
    login::ChallengeMethod,
    secret::SecretText,
    totp::TotpCode,
};

pub(in crate::grpc) fn factor_id(fields: &mut Fields, text: &str) -> Option<FactorId> {
    let id = text.parse().ok();
    if id.is_none() {
        fields.note("factor_id", "is not the id of a factor");
    }
    id
}

pub(in crate::grpc) fn device_id(fields: &mut Fields, text: &str) -> Option<DeviceId> {
    let id = text.parse().ok();
    if id.is_none() {
        fields.note("device_id", "is not the id of a device");
    }
    id
}

pub(in crate::grpc) fn factor_name(fields: &mut Fields, text: &str) -> Option<FactorName> {
    fields.0.check("name", FactorName::parse(text), InvalidFactorName::describe)
}

/// A code that cannot be one is a bad field and uses nothing up.
pub(in crate::grpc) fn totp_code(fields: &mut Fields, field: &'static str, text: String) -> Option<TotpCode> {
    let code = TotpCode::parse(SecretText::new(text).reveal());
    if code.is_none() {
        fields.note(field, "must have six digits");
    }
    code
}

fn backup_code(fields: &mut Fields, text: String) -> Option<BackupCode> {
    let code = BackupCode::parse(SecretText::new(text).reveal());
    if code.is_none() {
        fields.note("backup_code", "must have 16 letters and digits");
    }
    code
}

/// A code that cannot be one is a bad field and uses nothing up.
pub(in crate::grpc) fn email_code(fields: &mut Fields, text: String) -> Option<ActionCode> {
    let code = ActionCode::parse(SecretText::new(text).reveal());
    if code.is_none() {
        fields.note("email_code", "must have eight digits");
    }
    code
}

pub(in crate::grpc) fn presented_totp(fields: &mut Fields, text: String) -> Option<PresentedFactor> {
    totp_code(fields, "totp_code", text).map(PresentedFactor::Totp)
}

pub(in crate::grpc) fn presented_backup_code(fields: &mut Fields, text: String) -> Option<PresentedFactor> {
    backup_code(fields, text).map(PresentedFactor::BackupCode)
}

/// A passkey that cannot be one is a bad field and uses nothing up.
pub(in crate::grpc) fn presented_passkey(fields: &mut Fields, json: String) -> Option<PresentedFactor> {
    let passkey = AuthenticationResponse::parse(SecretText::new(json).reveal());
    if passkey.is_none() {
        fields.note("passkey_credential_json", "is not an AuthenticationResponseJSON");
    }
    passkey.map(PresentedFactor::Passkey)
}

pub(in crate::grpc) fn registration_answer(fields: &mut Fields, json: String) -> Option<RegistrationResponse> {
    let answer = RegistrationResponse::parse(SecretText::new(json).reveal());
    if answer.is_none() {
        fields.note("passkey_credential_json", "is not a RegistrationResponseJSON");
    }
    answer
}

/// `Some(None)` for an empty one.
pub(in crate::grpc) fn passkey_name(fields: &mut Fields, text: &str) -> Option<Option<FactorName>> {
    if text.is_empty() { Some(None) } else { factor_name(fields, text).map(Some) }
}

pub(in crate::grpc) fn backup_codes(codes: &[BackupCode]) -> Vec<String> {
    codes.iter().map(|code| code.shown().reveal().to_owned()).collect()
}

/// `token` is empty over grpc-web.
pub(in crate::grpc) fn challenge(token: String, asked: AskedProof) -> proto::Challenge {
    let method = |method: &ChallengeMethod| match method {
        ChallengeMethod::Totp => proto::LoginMethod::Totp,
        ChallengeMethod::BackupCode => proto::LoginMethod::BackupCode,
        ChallengeMethod::Passkey => proto::LoginMethod::Passkey,
        ChallengeMethod::EmailCode => proto::LoginMethod::EmailCode,
        ChallengeMethod::Enrol => proto::LoginMethod::Enrol,
    };
    proto::Challenge {
        challenge_token: token,
        methods: asked.methods.iter().map(|found| method(found).into()).collect(),
        expire_time: Some(timestamp(asked.expires_at)),
        passkey_request_json: asked.passkey_request_json,
        remember_duration: asked.remember.and_then(|life| life.try_into().ok()),
    }
}

/// `required`: whether policy requires a factor of the account.
pub(in crate::grpc) fn factors(list: FactorList, required: bool) -> proto::ListFactorsResponse {
    proto::ListFactorsResponse {
        required,
        factors: list.factors.into_iter().map(factor).collect(),
        backup_codes_left: i32::try_from(list.backup_codes_left).unwrap_or(i32::MAX),
    }
}

pub(in crate::grpc) fn factor(factor: Factor) -> proto::Factor {
    let kind = match factor.kind {
        FactorKind::Totp => proto::FactorKind::Totp,
        FactorKind::Passkey => proto::FactorKind::Passkey,
        FactorKind::BackupCodes => proto::FactorKind::Unspecified,
    };
    let authenticator = factor.passkey.and_then(|facts| facts.authenticator()).unwrap_or_default();
    proto::Factor {
        factor_id: factor.id.to_string(),
        kind: kind.into(),
        name: factor.name,
        create_time: Some(timestamp(factor.created_at)),
        last_use_time: factor.used_at.map(timestamp),
        backup_eligible: factor.passkey.is_some_and(|facts| facts.is_backup_eligible),
        authenticator: authenticator.to_owned(),
    }
}

/// `current`: the device of the calling session.
pub(in crate::grpc) fn remembered_device(
    device: RememberedDevice,
    current: Option<DeviceId>,
) -> proto::RememberedDevice {
    proto::RememberedDevice {
        device_id: device.id.to_string(),
        device_name: device.device_name,
        user_agent: device.user_agent,
        create_time: Some(timestamp(device.created_at)),
        expire_time: Some(timestamp(device.expires_at)),
        current: current == Some(device.id),
    }
}

pub(in crate::grpc) fn started_totp(started: StartedTotp) -> proto::StartTotpResponse {
    let StartedTotp { id, secret, otpauth_uri, qr_svg, expires_at } = started;
    proto::StartTotpResponse {
        factor_id: id.to_string(),
        secret: secret.reveal().to_owned(),
        otpauth_uri: otpauth_uri.reveal().to_owned(),
        qr_svg: qr_svg.reveal().to_owned(),
        expire_time: Some(timestamp(expires_at)),
    }
}

pub(in crate::grpc) fn started_passkey(started: StartedPasskey) -> proto::StartPasskeyResponse {
    let StartedPasskey { id, creation_json, expires_at } = started;
    proto::StartPasskeyResponse {
        factor_id: id.to_string(),
        passkey_creation_json: creation_json,
        expire_time: Some(timestamp(expires_at)),
    }
}
