//! The protobuf messages, and how they meet the types of the stories.

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

pub(super) use read::{
    Fields, audience, captcha_token, claim_proof, cursor, device_token, display_name, email, identifier, locale,
    page_size, password, profile_change, request_id, session_id,
};
pub(super) use verification::{introspected, revocations, verification_keys};
pub(super) use write::{account, service_token, session, session_info, timestamp};

/// The descriptors that reflection serves.
pub(super) const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/reflection.bin"));
