//! Access tokens: a JWS (Ed25519) inside a JWE (A256GCM; `dir` or ECDH-ES), read offline by the backends of one
//! audience.

mod claims;
#[cfg(feature = "issue")]
mod issue;
mod outer;
mod read;
mod unlock;

pub use claims::AccessClaims;
#[cfg(feature = "issue")]
pub use issue::AccessIssuer;
pub use outer::{NamedKey, named_key};
pub use read::{AccessReader, ISSUED_AT_LEEWAY_SECONDS, KeysUsed, LONGEST_LIFE_SECONDS};

/// The longest access token, in bytes. Checked before anything is decoded, and when one is made. It fits the header
/// limits that proxies commonly have (8 KiB); a browser keeps at most about 4 KiB in one cookie, which tokens with the
/// usual handful of roles stay far below.
pub const MAX_ACCESS_TOKEN_BYTES: usize = 8 * 1024;
