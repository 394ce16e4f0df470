//! Keys, tokens, a clock and a fake service.

mod events;
mod fake;
#[rustfmt::skip]
#[allow(
    unreachable_pub,
    dead_code,
    missing_debug_implementations,
    clippy::all,
    clippy::allow_attributes_without_reason,
    clippy::too_many_lines,
    reason = "written by a generator"
)]
#[path = "../../../src/generated.rs"]
pub(crate) mod generated;
#[rustfmt::skip]
#[allow(
    unreachable_pub,
    dead_code,
    missing_debug_implementations,
    clippy::all,
    clippy::allow_attributes_without_reason,
    clippy::too_many_lines,
    reason = "written by a generator"
)]
#[path = "../../../examples/orders/generated.rs"]
pub(crate) mod orders;
mod tokens;
mod warnings;

pub(crate) use events::Events;
pub(crate) use fake::{Connected, Fake, connected, connected_by, revoked};
pub(crate) use tokens::{
    AUDIENCE, ISSUER, LONGEST_WAIT, NOW, TENANT, TestClock, claims, content_key, offline_keys, signing_key, token,
    token_of,
};
pub(crate) use warnings::Warnings;
