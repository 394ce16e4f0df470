#![doc = include_str!("../README.md")]

mod backoff;
mod builder;
mod calls;
mod claims;
mod clock;
mod credentials;
mod details;
#[cfg(feature = "axum")]
mod extract;
mod fault;
mod feed;
mod following;
#[rustfmt::skip]
#[allow(
    unreachable_pub,
    clippy::all,
    clippy::allow_attributes_without_reason,
    clippy::too_many_lines,
    reason = "written by a generator"
)]
mod generated;
mod guard;
mod interceptor;
mod keys;
mod layer;
mod link;
mod observer;
mod offline;
mod policy;
mod presented;
mod pulse;
mod reading;
mod recipient;
mod refetch;
mod refusal;
mod rejected;
mod revocations;
mod shared;
mod status;
mod verifier;
mod wiping;

pub use builder::VerifierBuilder;
pub use claims::Claims;
pub use clock::Clock;
pub use countersign_token::{ContentKey, DecryptionKey, KeyFault, KeyId, RecipientKey, VerifyingKey};
pub use credentials::Credentials;
pub use fault::{ConnectError, Fault};
pub use guard::Guard;
pub use interceptor::VerifierInterceptor;
pub use layer::{Verified, VerifiedFuture, VerifierLayer};
pub use observer::Observer;
pub use offline::OfflineKeys;
pub use policy::StalePolicy;
pub use rejected::{PublicReason, Rejected, StepUp};
pub use status::{FeedState, VerifierStatus};
pub use verifier::Verifier;
