//! Encryption to the public key of an audience (ECDH-ES). Our own implementation, because josekit generates the
//! ephemeral key itself, so the service could not read its own tokens.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::rand::fill;

use crate::access::outer;
use crate::encoding::encode;
use crate::fault::IssueFault;
use crate::key::EphemeralDeriver;

pub(super) struct AgreedEncrypter {
    deriver: EphemeralDeriver,
}

impl AgreedEncrypter {
    /// Encrypts once as a test.
    pub(super) fn new(deriver: EphemeralDeriver) -> Result<Self, IssueFault> {
        let made = Self { deriver };
        made.encrypt("").map_err(|_| IssueFault::BadKey)?;
        Ok(made)
    }

    pub(super) fn encrypt(&self, signed: &str) -> Result<String, IssueFault> {
        let mut nonce = [0; 12];
        fill(&mut nonce).map_err(|_| IssueFault::Sealing)?;
        self.encrypt_with(nonce, signed).ok_or(IssueFault::Sealing)
    }

    /// RFC 7516 section 5.1. The key of the cipher is derived from the nonce and used once.
    fn encrypt_with(&self, nonce: [u8; 12], signed: &str) -> Option<String> {
        let (ephemeral, epk) = self.deriver.ephemeral(&nonce)?;
        let key = self.deriver.content_key(&ephemeral)?;
        let cipher = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key.as_slice()).ok()?);
        let header = encode(outer::agreed(self.deriver.id(), &epk));
        let mut text = signed.as_bytes().to_vec();
        let tag = cipher
            .seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), Aad::from(header.as_bytes()), &mut text)
            .ok()?;
        // RFC 7518 section 4.6: with direct agreement there is no encrypted key.
        Some(format!("{header}..{}.{}.{}", encode(nonce), encode(text), encode(tag)))
    }
}
