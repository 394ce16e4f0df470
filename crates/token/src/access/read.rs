//! The offline reader. Everything here reads untrusted text.

use std::fmt;

use super::unlock::Lock;
use super::{AccessClaims, MAX_ACCESS_TOKEN_BYTES};
use crate::encoding::{decode, decode_exact, decode_with_room, segments};
use crate::fault::{KeyFault, Rejected};
use crate::key::{DecryptionKey, KeyId, VerifyingKey, distinct, is_header_of_a_key};

/// How far `iat` and `nbf` may lie ahead of the reader's clock, in seconds. The expiry has no leeway: a token is
/// refused from the second it names, because revocation entries are kept exactly that long.
pub const ISSUED_AT_LEEWAY_SECONDS: i64 = 5;

/// The default for the longest accepted life of a token, from `iat` to `exp` in seconds: the longest that Countersign
/// issues. Revocations are kept for hardly longer, so a token with a longer life would outlive its own revocation.
pub const LONGEST_LIFE_SECONDS: i64 = 60 * 60;

/// Opens access tokens of one issuer for one audience. Holds its keys and nothing else; new keys need a new reader.
pub struct AccessReader {
    issuer: Box<str>,
    audience: Box<str>,
    verifying: Vec<PinnedVerifying>,
    locks: Vec<Lock>,
    longest_life: i64,
}

/// The keys under which a token was found to be authentic. A cache must drop its entry for the token when one of them
/// is retired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeysUsed<'reader> {
    /// The `kid` of the outer header.
    pub encryption: &'reader KeyId,
    /// The `kid` of the inner header.
    pub signing: &'reader KeyId,
}

/// A verifying key, and the only inner header segment that is accepted for it.
struct PinnedVerifying {
    header: Box<str>,
    key: VerifyingKey,
}

impl AccessReader {
    /// Takes the issuer and the audience that tokens must name, and the keys that they may use. The order of the keys
    /// does not matter; during a rotation, give both keys.
    ///
    /// # Errors
    /// [`KeyFault::DuplicateId`] when two signature keys or two decryption keys share an id, [`KeyFault::Unusable`]
    /// when the cryptographic library refuses a key.
    pub fn new(
        issuer: &str,
        audience: &str,
        verifying: Vec<VerifyingKey>,
        decryption: Vec<DecryptionKey>,
    ) -> Result<Self, KeyFault> {
        distinct(verifying.iter().map(VerifyingKey::id))?;
        distinct(decryption.iter().map(DecryptionKey::id))?;
        let pin = |key: VerifyingKey| PinnedVerifying { header: key.header_segment().into(), key };
        Ok(Self {
            issuer: issuer.into(),
            audience: audience.into(),
            verifying: verifying.into_iter().map(pin).collect(),
            locks: decryption.into_iter().map(Lock::new).collect::<Result<_, _>>()?,
            longest_life: LONGEST_LIFE_SECONDS,
        })
    }

    /// Refuses every token that lives longer than this, from `iat` to `exp` in seconds.
    #[must_use]
    pub fn with_longest_life(mut self, seconds: i64) -> Self {
        self.longest_life = seconds;
        self
    }

    /// Reads a token at the time `now_seconds` (since the Unix epoch). Does not check whether its session has been
    /// revoked.
    ///
    /// # Errors
    /// A [`Rejected`] for everything that is not an authentic, current token of this profile. Claims are looked at only
    /// after both the encryption and the signature have held.
    pub fn read(&self, token: &str, now_seconds: i64) -> Result<AccessClaims, Rejected> {
        self.read_with_keys(token, now_seconds).map(|(claims, _)| claims)
    }

    /// Reads a token as [`read`](Self::read) does, and also returns the keys under which it is authentic.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn read_with_keys(&self, token: &str, now_seconds: i64) -> Result<(AccessClaims, KeysUsed<'_>), Rejected> {
        if token.len() > MAX_ACCESS_TOKEN_BYTES {
            return Err(Rejected::TooLong);
        }
        if token.starts_with("v4.") {
            return Err(Rejected::WrongType);
        }
        let (signed, encryption) = self.open(token)?;
        let (payload, signing) = self.verify(&signed)?;
        let (claims, not_before) = AccessClaims::from_json(&payload)?;
        self.check(&claims, not_before, now_seconds)?;
        Ok((claims, KeysUsed { encryption, signing }))
    }

    /// Whether the token can be decrypted and its signature holds, whatever it says.
    #[cfg(feature = "issue")]
    pub(super) fn is_authentic(&self, token: &str) -> bool {
        self.open(token).is_ok_and(|(signed, _)| self.verify(&signed).is_ok())
    }

    /// Decrypts the token (RFC 7516 section 5.2), for the two kinds of JWE of this profile only.
    fn open(&self, token: &str) -> Result<(Vec<u8>, &KeyId), Rejected> {
        let [header, encrypted_key, nonce, ciphertext, tag] = segments(token).ok_or(Rejected::Malformed)?;
        // The header is never parsed: it is refused unless it is, byte for byte, the header of a held key. That
        // excludes other algorithms, compression bombs (`zip`), `crit`, and keys in the token itself (`jwk`).
        let named = Lock::named(header, &self.locks).ok_or(Rejected::UnknownKey)?;
        // RFC 7518 sections 4.5 and 4.6: with `dir` and with direct agreement this segment is empty.
        if !encrypted_key.is_empty() {
            return Err(Rejected::Malformed);
        }
        // RFC 7518 section 5.3: 96 bits of nonce, 128 bits of tag. A shorter tag is open to brute force.
        let nonce: [u8; 12] = decode_exact(nonce).ok_or(Rejected::Malformed)?;
        let tag: [u8; 16] = decode_exact(tag).ok_or(Rejected::Malformed)?;
        let mut text = decode_with_room(ciphertext, tag.len()).ok_or(Rejected::Malformed)?;
        text.extend_from_slice(&tag);
        // RFC 7516 section 5.1, step 14: the encoded header, as ASCII, is the associated data.
        let length = named.open(nonce, header.as_bytes(), &mut text).ok_or(Rejected::Forged)?;
        text.truncate(length);
        Ok((text, named.id()))
    }

    /// Checks the signature (RFC 7515 section 5.2) and returns the payload. Nothing skips this check: every backend of
    /// an audience can encrypt for it, and still cannot make a token.
    fn verify(&self, signed: &[u8]) -> Result<(Vec<u8>, &KeyId), Rejected> {
        let signed = str::from_utf8(signed).map_err(|_| Rejected::WrongType)?;
        let [header, payload, signature] = segments(signed).ok_or(Rejected::WrongType)?;
        let pinned = self.verifying.iter().find(|key| *key.header == *header);
        // Claims may have two dots as well (an `iss` that is a host), and anybody who can encrypt may write any header.
        // Only a header that some key could have is reported as an unknown key.
        let pinned = pinned.ok_or_else(|| match is_header_of_a_key(header) {
            true => Rejected::UnknownKey,
            false => Rejected::WrongType,
        })?;
        let signature = decode_exact(signature).ok_or(Rejected::Malformed)?;
        let message = &signed.as_bytes()[..header.len() + 1 + payload.len()];
        if !pinned.key.holds(message, &signature) {
            return Err(Rejected::Forged);
        }
        Ok((decode(payload).ok_or(Rejected::Malformed)?, pinned.key.id()))
    }

    /// Whether the claims say that the token is for this reader, and valid now.
    fn check(&self, claims: &AccessClaims, not_before: Option<i64>, now_seconds: i64) -> Result<(), Rejected> {
        if *claims.issuer != *self.issuer {
            return Err(Rejected::WrongIssuer);
        }
        if *claims.audience != *self.audience {
            return Err(Rejected::WrongAudience);
        }
        if claims.expires_at <= now_seconds {
            return Err(Rejected::Expired);
        }
        let soon = now_seconds.saturating_add(ISSUED_AT_LEEWAY_SECONDS);
        if claims.issued_at > soon || not_before.is_some_and(|time| time > soon) {
            return Err(Rejected::NotYetValid);
        }
        // Both are between 0 and 2^53, and `exp` is the later one.
        if claims.expires_at - claims.issued_at > self.longest_life {
            return Err(Rejected::LivesTooLong);
        }
        Ok(())
    }
}

impl fmt::Debug for AccessReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessReader")
            .field("issuer", &self.issuer)
            .field("audience", &self.audience)
            .finish_non_exhaustive()
    }
}
