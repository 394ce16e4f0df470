//! The offline reader. Everything here looks at text from strangers.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ed25519_dalek::Signature;

use super::{AccessClaims, MAX_ACCESS_TOKEN_BYTES};
use crate::encoding::{decode, decode_exact, segments};
use crate::fault::{KeyFault, Rejected};
use crate::key::{ContentKey, VerifyingKey, distinct};

/// How far `iat` may lie ahead of the reader's clock, in seconds. The expiry has no leeway: a token is refused from the
/// second it names, because revocation entries are kept exactly that long.
pub const ISSUED_AT_LEEWAY_SECONDS: i64 = 5;

/// Opens access tokens of one issuer for one audience. Holds its keys and nothing else; a new key set is a new reader.
pub struct AccessReader {
    issuer: Box<str>,
    audience: Box<str>,
    verifying: Vec<PinnedVerifying>,
    content: Vec<PinnedContent>,
}

/// A signature key and the one inner header segment it answers to.
struct PinnedVerifying {
    header: Box<str>,
    key: VerifyingKey,
}

/// A content key and the one outer header segment it answers to.
struct PinnedContent {
    header: Box<str>,
    cipher: LessSafeKey,
}

impl AccessReader {
    /// Takes the issuer and the audience that tokens must name, and the keys they may use. The order of the keys does
    /// not matter; while a key is being rotated, both are given.
    ///
    /// # Errors
    /// [`KeyFault::DuplicateId`] when two signature keys or two content keys share an id.
    pub fn new(
        issuer: &str,
        audience: &str,
        verifying: Vec<VerifyingKey>,
        content: Vec<ContentKey>,
    ) -> Result<Self, KeyFault> {
        distinct(verifying.iter().map(VerifyingKey::id))?;
        distinct(content.iter().map(ContentKey::id))?;
        let pin = |key: VerifyingKey| PinnedVerifying { header: key.header_segment().into(), key };
        Ok(Self {
            issuer: issuer.into(),
            audience: audience.into(),
            verifying: verifying.into_iter().map(pin).collect(),
            content: content.iter().map(PinnedContent::new).collect::<Result<_, _>>()?,
        })
    }

    /// Reads a token at the time `now_seconds` (since the Unix epoch). Whether its session has been revoked since is
    /// another question, which this does not answer.
    ///
    /// # Errors
    /// A [`Rejected`] for everything that is not an authentic, current token of this profile. Claims are looked at only
    /// after both the encryption and the signature have held.
    pub fn read(&self, token: &str, now_seconds: i64) -> Result<AccessClaims, Rejected> {
        if token.len() > MAX_ACCESS_TOKEN_BYTES {
            return Err(Rejected::TooLong);
        }
        if token.starts_with("v4.") {
            return Err(Rejected::WrongType);
        }
        let signed = self.open(token)?;
        let claims = AccessClaims::from_json(&self.verify(&signed)?)?;
        self.check(&claims, now_seconds)?;
        Ok(claims)
    }

    /// Takes the encryption off (RFC 7516 section 5.2), for the only kind of JWE there is here.
    fn open(&self, token: &str) -> Result<Vec<u8>, Rejected> {
        let [header, encrypted_key, nonce, ciphertext, tag] = segments(token).ok_or(Rejected::Malformed)?;
        // The header is never parsed: what is not, byte for byte, the header of a held key is refused. That leaves no
        // room for another algorithm, for compression bombs (`zip`), for `crit`, or for a key brought along (`jwk`).
        let key = self.content.iter().find(|key| *key.header == *header).ok_or(Rejected::UnknownKey)?;
        // RFC 7518 section 4.5: with `dir` this segment is empty.
        if !encrypted_key.is_empty() {
            return Err(Rejected::Malformed);
        }
        // RFC 7518 section 5.3: 96 bits of nonce, 128 bits of tag. A shorter tag can be guessed byte by byte.
        let nonce: [u8; 12] = decode_exact(nonce).ok_or(Rejected::Malformed)?;
        let tag: [u8; 16] = decode_exact(tag).ok_or(Rejected::Malformed)?;
        let mut text = decode(ciphertext).ok_or(Rejected::Malformed)?;
        text.extend_from_slice(&tag);
        // RFC 7516 section 5.1, step 14: the encoded header, as ASCII, is the associated data.
        let length = key
            .cipher
            .open_in_place(Nonce::assume_unique_for_key(nonce), Aad::from(header.as_bytes()), &mut text)
            .map_err(|_| Rejected::Forged)?
            .len();
        text.truncate(length);
        Ok(text)
    }

    /// Checks the signature (RFC 7515 section 5.2) and returns the payload. There is no way around it: whoever can
    /// encrypt for an audience, which is each of its backends, still cannot make a token.
    fn verify(&self, signed: &[u8]) -> Result<Vec<u8>, Rejected> {
        let signed = str::from_utf8(signed).map_err(|_| Rejected::WrongType)?;
        let [header, payload, signature] = segments(signed).ok_or(Rejected::WrongType)?;
        let pinned = self.verifying.iter().find(|key| *key.header == *header).ok_or(Rejected::UnknownKey)?;
        let signature = Signature::from_bytes(&decode_exact(signature).ok_or(Rejected::Malformed)?);
        let message = &signed.as_bytes()[..header.len() + 1 + payload.len()];
        // Strict: also refuses points of small order in the signature, so that a signature fits one message only.
        pinned.key.point().verify_strict(message, &signature).map_err(|_| Rejected::Forged)?;
        decode(payload).ok_or(Rejected::Malformed)
    }

    /// What the token must say about itself to be meant for this reader, now.
    fn check(&self, claims: &AccessClaims, now_seconds: i64) -> Result<(), Rejected> {
        if *claims.issuer != *self.issuer {
            return Err(Rejected::WrongIssuer);
        }
        if *claims.audience != *self.audience {
            return Err(Rejected::WrongAudience);
        }
        if claims.expires_at <= now_seconds {
            return Err(Rejected::Expired);
        }
        if claims.issued_at > now_seconds.saturating_add(ISSUED_AT_LEEWAY_SECONDS) {
            return Err(Rejected::NotYetValid);
        }
        Ok(())
    }
}

impl PinnedContent {
    fn new(key: &ContentKey) -> Result<Self, KeyFault> {
        let unbound = UnboundKey::new(&AES_256_GCM, key.reveal()).map_err(|_| KeyFault::Unusable)?;
        Ok(Self { header: key.header_segment().into(), cipher: LessSafeKey::new(unbound) })
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
