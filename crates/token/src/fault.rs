//! Why a token, a key or a request to make a token was refused.
//!
//! The reasons are for logs, metrics and tests. A caller over the network learns no more than "not authenticated": only
//! a forger would benefit from knowing which check failed.

use std::error::Error;
use std::fmt;

/// Why a token was not accepted. Contains nothing of the token itself, so it can be logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Rejected {
    /// Longer than tokens of this kind can be. Nothing was decoded.
    TooLong,
    /// Another form than such a token: the number of segments, the base64url, the length of a nonce, tag or signature.
    Malformed,
    /// No held key has, byte for byte, the header or footer of this token. Also the answer to an outer header with
    /// another algorithm, another member order or an extra member (`zip`, `crit`): such headers are never parsed. For
    /// an honest caller it means that the key set is out of date or the key was retired.
    UnknownKey,
    /// The tag or the signature does not hold under the named key. For PASETO this includes a token of another kind,
    /// purpose or context, because those are bound into the tag.
    Forged,
    /// A token of another kind: a PASETO in place of a JWE or the reverse, or a JWE whose content is not a JWS with the
    /// inner header of this profile, for any key id (RFC 7519 section 11.2 requires sign, then encrypt; RFC 8725
    /// section 3.11 requires that kinds of tokens can be distinguished).
    WrongType,
    /// Authentic, but issued by another issuer (`iss`, RFC 7519 section 4.1.1).
    WrongIssuer,
    /// Authentic, but meant for another audience (`aud`, RFC 7519 section 4.1.3).
    WrongAudience,
    /// Authentic, but no longer valid: the time is at or after the expiry (`exp`, RFC 7519 section 4.1.4).
    Expired,
    /// Authentic, but issued (`iat`) or valid (`nbf`, RFC 7519 section 4.1.5) further in the future than the leeway for
    /// clocks allows.
    NotYetValid,
    /// Authentic, but with a longer life than the reader accepts. The service issues no such token: somebody else has
    /// its signing key.
    LivesTooLong,
    /// Authentic, but the content violates this profile: a missing, repeated, mistyped or oversized claim, JSON other
    /// than an object, or an expiry that is not after the issue time.
    BadClaims,
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLong => "the token is too long",
            Self::Malformed => "the token is malformed",
            Self::UnknownKey => "the token names no key that is held",
            Self::Forged => "the token is not authentic",
            Self::WrongType => "the token is of another kind",
            Self::WrongIssuer => "the token is from another issuer",
            Self::WrongAudience => "the token is for another audience",
            Self::Expired => "the token has expired",
            Self::NotYetValid => "the token is from the future",
            Self::LivesTooLong => "the token lives too long",
            Self::BadClaims => "the token holds claims outside its profile",
        })
    }
}

impl Error for Rejected {}

/// Why a key, a key id or a set of keys was not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyFault {
    /// The id is empty, longer than [`MAX_KEY_ID_BYTES`](crate::MAX_KEY_ID_BYTES), or uses a character outside the
    /// base64url alphabet.
    BadId,
    /// Not a usable public key. For Ed25519: not a canonical point, or one of small order, under which one signature is
    /// valid for many messages. For X25519: a point of small order, with which everybody derives the same secret.
    WeakKey,
    /// Two keys of one set share an id.
    DuplicateId,
    /// The cryptographic library refused the key.
    Unusable,
}

impl fmt::Display for KeyFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BadId => "the key id is not 1 to 32 characters of the base64url alphabet",
            Self::WeakKey => "the public key is not a strong one",
            Self::DuplicateId => "two keys share an id",
            Self::Unusable => "the key cannot be used",
        })
    }
}

impl Error for KeyFault {}

/// Why a token could not be issued. Each is a fault of the program or its keys, never of a caller.
#[cfg(feature = "issue")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum IssueFault {
    /// The content violates the profile: a reader would answer [`Rejected::BadClaims`].
    BadClaims,
    /// The result would be longer than readers accept.
    TooLong,
    /// A library refused the key.
    BadKey,
    /// jsonwebtoken signs another text with this key than the issuer does.
    HeaderDrift,
    /// Signing failed.
    Signing,
    /// Encryption failed.
    Sealing,
}

#[cfg(feature = "issue")]
impl fmt::Display for IssueFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BadClaims => "the content is outside the token profile",
            Self::TooLong => "the token would be too long",
            Self::BadKey => "the key cannot be used for issuing",
            Self::HeaderDrift => "jsonwebtoken signs another text than the issuer",
            Self::Signing => "signing failed",
            Self::Sealing => "encryption failed",
        })
    }
}

#[cfg(feature = "issue")]
impl Error for IssueFault {}
