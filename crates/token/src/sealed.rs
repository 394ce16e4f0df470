//! PASETO v4.local as all sealed texts use it: read strictly, the key named in the footer, the kind bound into the tag.

use std::fmt;

use pasetors::keys::SymmetricKey;
use pasetors::token::{Local, UntrustedToken};
use pasetors::version4::{LocalToken, V4};
use zeroize::Zeroizing;

use crate::encoding::{decode, encode, segments};
use crate::fault::{IssueFault, KeyFault, Rejected};
use crate::key::{KeyId, distinct};

/// The keys that seal refresh and action tokens: one seals, all open. Zeroized on drop; silent `Debug`.
#[derive(Clone)]
pub struct SealingKeys {
    current: SealingKey,
    others: Vec<SealingKey>,
}

impl SealingKeys {
    /// Takes the key that seals, and others that only open.
    ///
    /// # Errors
    /// [`KeyFault::DuplicateId`] when two keys share an id.
    pub fn new(current: (KeyId, [u8; 32]), others: Vec<(KeyId, [u8; 32])>) -> Result<Self, KeyFault> {
        let current = (current.0, Zeroizing::new(current.1));
        let others: Vec<_> = others.into_iter().map(|(id, key)| (id, Zeroizing::new(key))).collect();
        distinct(others.iter().chain([&current]).map(|(id, _)| id))?;
        let made = |(id, key): &(KeyId, Zeroizing<[u8; 32]>)| SealingKey::new(id.as_str(), key);
        Ok(Self { current: made(&current)?, others: others.iter().map(made).collect::<Result<_, _>>()? })
    }

    /// Seals `message` as a token of the kind that `assertion` names.
    pub(crate) fn seal(&self, message: &[u8], assertion: &[u8]) -> Result<String, IssueFault> {
        self.current.seal(message, assertion)
    }

    /// Opens a token of at most `max` bytes of the kind that `assertion` names.
    pub(crate) fn open(&self, token: &str, max: usize, assertion: &[u8]) -> Result<Zeroizing<Vec<u8>>, Rejected> {
        open_with([&self.current].into_iter().chain(&self.others), token, max, assertion)
    }
}

impl fmt::Debug for SealingKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealingKeys").finish_non_exhaustive()
    }
}

/// One key, and the only footer segment that is accepted for it.
#[derive(Clone)]
pub(crate) struct SealingKey {
    footer: String,
    footer_segment: String,
    key: SymmetricKey<V4>,
}

impl SealingKey {
    pub(crate) fn new(id: &str, key: &[u8; 32]) -> Result<Self, KeyFault> {
        let key = SymmetricKey::from(key).map_err(|_| KeyFault::Unusable)?;
        Ok(Self { footer: id.to_owned(), footer_segment: encode(id), key })
    }

    /// The message is encoded as base64url, because pasetors returns UTF-8 only (the PASETO specification requires
    /// JSON).
    pub(crate) fn seal(&self, message: &[u8], assertion: &[u8]) -> Result<String, IssueFault> {
        let text = Zeroizing::new(encode(message));
        LocalToken::encrypt(&self.key, text.as_bytes(), Some(self.footer.as_bytes()), Some(assertion))
            .map_err(|_| IssueFault::Sealing)
    }

    fn open(&self, token: &str, assertion: &[u8]) -> Result<Zeroizing<Vec<u8>>, Rejected> {
        let untrusted = UntrustedToken::<Local, V4>::try_from(token).map_err(|_| Rejected::Malformed)?;
        let opened = LocalToken::decrypt(&self.key, &untrusted, Some(self.footer.as_bytes()), Some(assertion))
            .map_err(|_| Rejected::Forged)?;
        decode(opened.payload()).map(Zeroizing::new).ok_or(Rejected::BadClaims)
    }
}

/// Opens `token` with the key of `keys` whose footer it has. The length is checked before anything is decoded, and the
/// footer is compared as text before any cryptography runs.
pub(crate) fn open_with<'a>(
    mut keys: impl Iterator<Item = &'a SealingKey>,
    token: &str,
    max: usize,
    assertion: &[u8],
) -> Result<Zeroizing<Vec<u8>>, Rejected> {
    if token.len() > max {
        return Err(Rejected::TooLong);
    }
    if !token.starts_with(LocalToken::HEADER) {
        return Err(Rejected::WrongType);
    }
    let [_, _, _, footer] = segments(token).ok_or(Rejected::Malformed)?;
    let key = keys.find(|key| key.footer_segment == footer).ok_or(Rejected::UnknownKey)?;
    key.open(token, assertion)
}

/// Reads a fixed binary layout from front to back.
pub(crate) struct Fields<'a>(pub(crate) &'a [u8]);

impl<'a> Fields<'a> {
    /// The next `N` bytes.
    pub(crate) fn take<const N: usize>(&mut self) -> Result<[u8; N], Rejected> {
        let (taken, rest) = self.0.split_first_chunk().ok_or(Rejected::BadClaims)?;
        self.0 = rest;
        Ok(*taken)
    }

    /// The remaining bytes.
    pub(crate) fn rest(self) -> &'a [u8] {
        self.0
    }
}
