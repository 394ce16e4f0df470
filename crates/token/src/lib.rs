//! The wire formats of Countersign.
//!
//! - [`AccessReader`] opens access tokens offline: an Ed25519 JWS inside an A256GCM JWE. This is all that other
//!   backends need, and all that is built without the feature `issue`. [`named_key`] returns the key id of a token.
//! - [`VerifyingKey`] and [`DecryptionKey`] are the keys of a reader, each under a [`KeyId`]; [`jwk_set`] prints the
//!   public ones. A [`ContentKey`] is shared with the service, a [`RecipientKey`] belongs to the audience alone.
//! - With the feature `issue`: `AccessIssuer` issues access tokens, `RefreshSealer`, `ActionSealer` and
//!   `CeremonySealer` seal and open the tokens that only the service itself reads (PASETO v4.local),
//!   `KeyEncryptionKey` seals keys at rest, and `FactorSealer` the secrets of factors.
//!
//! - With the feature `cache`: `TokenCache` keeps opened tokens, for readers that see a token often.
//!
//! The crate has no clock and does no I/O: the time is an argument. Everything that reads untrusted text limits its
//! length first, never panics, and returns one small [`Rejected`]. The README describes the token profile.
//!
//! **Architecture invariant:** nothing that reads an access token calls josekit or jsonwebtoken. Both are second
//! opinions: jsonwebtoken on the signature, whenever an issuer is made, and both in the tests.

mod access;
#[cfg(feature = "cache")]
mod cache;
mod encoding;
mod fault;
mod jwks;
mod key;

#[cfg(feature = "issue")]
mod action;
#[cfg(feature = "issue")]
mod at_rest;
#[cfg(feature = "issue")]
mod ceremony;
#[cfg(feature = "issue")]
mod refresh;
#[cfg(feature = "issue")]
mod sealed;

pub use access::{
    AccessClaims, AccessReader, ISSUED_AT_LEEWAY_SECONDS, KeysUsed, LONGEST_LIFE_SECONDS, MAX_ACCESS_TOKEN_BYTES,
    NamedKey, named_key,
};
#[cfg(feature = "cache")]
pub use cache::{CacheSlot, OpenedToken, TokenCache};
pub use fault::{KeyFault, Rejected};
pub use jwks::jwk_set;
pub use key::{ContentKey, DecryptionKey, KeyId, MAX_KEY_ID_BYTES, RecipientKey, RecipientPublicKey, VerifyingKey};

#[cfg(feature = "issue")]
pub use {
    access::AccessIssuer,
    action::{ActionPurpose, ActionSealer, ActionToken, MAX_ACTION_TOKEN_BYTES},
    at_rest::{FactorSealer, KeyEncryptionKey, MAX_SEALED_BYTES, MAX_SECRET_BYTES},
    ceremony::{CeremonyPurpose, CeremonySealer, CeremonyToken, MAX_CEREMONY_BYTES, MAX_CEREMONY_TOKEN_BYTES},
    fault::IssueFault,
    key::{EncryptionKey, EphemeralDeriver, SigningKey},
    refresh::{MAX_REFRESH_TOKEN_BYTES, RefreshSealer, RefreshToken},
    sealed::SealingKeys,
};
