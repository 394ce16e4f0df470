//! The protobuf messages, and their conversion to and from the types of the use cases.

mod audit;
mod factor;
mod read;
mod verification;
mod write;

/// Generated from `proto/countersign/v1`.
#[allow(
    unreachable_pub,
    missing_debug_implementations,
    clippy::all,
    clippy::allow_attributes_without_reason,
    clippy::too_many_lines,
    clippy::large_futures,
    rust_2018_idioms,
    reason = "generated code"
)]
pub mod proto {
    tonic::include_proto!("countersign.v1");
    include!(concat!(env!("OUT_DIR"), "/silent.rs"));
}

/// Generated from `proto/countersign/admin/v1`.
#[allow(
    unreachable_pub,
    missing_debug_implementations,
    clippy::all,
    clippy::allow_attributes_without_reason,
    clippy::too_many_lines,
    clippy::large_futures,
    rust_2018_idioms,
    reason = "generated code"
)]
pub mod admin_proto {
    tonic::include_proto!("countersign.admin.v1");
}

pub(super) use audit::{audit_event, event_cursor, event_filter, event_page, event_page_token, watched};
pub(super) use factor::{
    backup_codes, challenge, device_id, email_code, factor, factor_id, factor_name, factors, passkey_name,
    presented_backup_code, presented_passkey, presented_totp, registration_answer, remembered_device, started_passkey,
    started_totp, totp_code,
};
pub(super) use read::{
    Fields, audience, captcha_token, challenge_token, claim_proof, cursor, device_token, display_name, email,
    identifier, known_email, locale, page_size, password, profile_change, request_id, session_id,
};
pub(super) use verification::{introspected, revocations, verification_keys};
pub(super) use write::{account, service_token, session, session_info, timestamp};

// The names of the services of each listener: `SERVICES` and `ADMIN_SERVICES`.
include!(concat!(env!("OUT_DIR"), "/services.rs"));

/// The descriptors that reflection serves, on the operators' listener.
pub(super) const ADMIN_DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/admin_reflection.bin"));
/// The same with the dev mailbox, when it is enabled.
pub(super) const DEV_DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/dev_reflection.bin"));
/// The descriptors that reflection serves, on the public listener.
pub(super) const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/reflection.bin"));
