//! The wire formats of Countersign.
//!
//! - [`AccessReader`] opens access tokens offline: an Ed25519 JWS inside an A256GCM JWE. This is all that other
//!   backends need, and all that is built without the feature `issue`. [`named_key`] tells which key a token asks for.
//! - [`VerifyingKey`] and [`DecryptionKey`] are the keys such a reader holds, each under a [`KeyId`]; [`jwk_set`] prints
//!   the public ones. A [`ContentKey`] is shared with the service, a [`RecipientKey`] is the audience's alone.
//! - With the feature `issue`: `AccessIssuer` makes access tokens, `RefreshSealer` and `ActionSealer` make and open
//!   the tokens that only the service itself reads (PASETO v4.local), and `KeyEncryptionKey` seals keys at rest.
//!
//! The crate has no clock and does no I/O: the time is an argument. Everything that reads foreign text caps its length
//! first, never panics, and answers with one small [`Rejected`]. The README holds the token profile in plain words.
//!
//! **Architecture invariant:** nothing that reads an access token calls josekit or jsonwebtoken. They are built with
//! `issue` only, to make tokens, and serve as oracles in the tests.

mod access;
mod encoding;
mod fault;
mod jwks;
mod key;

#[cfg(feature = "issue")]
mod action;
#[cfg(feature = "issue")]
mod at_rest;
#[cfg(feature = "issue")]
mod refresh;
#[cfg(feature = "issue")]
mod sealed;

pub use access::{
    AccessClaims, AccessReader, ISSUED_AT_LEEWAY_SECONDS, KeysUsed, LONGEST_LIFE_SECONDS, MAX_ACCESS_TOKEN_BYTES,
    NamedKey, named_key,
};
pub use fault::{KeyFault, Rejected};
pub use jwks::jwk_set;
pub use key::{ContentKey, DecryptionKey, KeyId, MAX_KEY_ID_BYTES, RecipientKey, RecipientPublicKey, VerifyingKey};

#[cfg(feature = "issue")]
pub use {
    access::AccessIssuer,
    action::{ActionPurpose, ActionSealer, ActionToken, MAX_ACTION_TOKEN_BYTES},
    at_rest::{KeyEncryptionKey, MAX_SEALED_BYTES, MAX_SECRET_BYTES},
    fault::IssueFault,
    key::{EncryptionKey, EphemeralDeriver, SigningKey},
    refresh::{MAX_REFRESH_TOKEN_BYTES, RefreshSealer, RefreshToken},
    sealed::SealingKeys,
};
