//! The outer layer: a JWE in compact serialization (RFC 7516 section 3.1), encrypted with AES-256-GCM.
//!
//! Our own implementation, on the cipher of aws-lc: josekit brings OpenSSL, and generates the ephemeral key of ECDH-ES
//! itself, so the service could not read its own tokens.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::rand::fill;

use crate::access::outer;
use crate::encoding::{encode, encode_onto};
use crate::fault::IssueFault;
use crate::key::{ContentKey, EncryptionKey, EphemeralDeriver};

/// Characters of a nonce and of a tag, and the four dots.
const AROUND: usize = 16 + 22 + 4;

/// Encrypts tokens for an audience.
pub(super) enum Sealer {
    /// Under a shared key (`dir`). The header is encoded.
    Direct { cipher: LessSafeKey, header: Box<str> },
    /// To the public key of the audience (`ECDH-ES`).
    Agreed(EphemeralDeriver),
}

impl Sealer {
    pub(super) fn new(key: EncryptionKey) -> Result<Self, IssueFault> {
        match key {
            EncryptionKey::Direct(key) => Self::direct(&key).ok_or(IssueFault::BadKey),
            EncryptionKey::Agreed(key) => Ok(Self::Agreed(key)),
        }
    }

    fn direct(key: &ContentKey) -> Option<Self> {
        Some(Self::Direct { cipher: cipher(key.reveal())?, header: encode(outer::direct(key.id())).into() })
    }

    pub(super) fn seal(&self, signed: String) -> Result<String, IssueFault> {
        let mut nonce = [0; NONCE_LEN];
        fill(&mut nonce).map_err(|_| IssueFault::Sealing)?;
        self.seal_with(nonce, signed).ok_or(IssueFault::Sealing)
    }

    /// RFC 7516 section 5.1.
    fn seal_with(&self, nonce: [u8; NONCE_LEN], signed: String) -> Option<String> {
        match self {
            Self::Direct { cipher, header } => serialize(cipher, header, nonce, signed),
            Self::Agreed(deriver) => {
                // The key of the cipher is derived from the nonce and used once.
                let (ephemeral, epk) = deriver.ephemeral(&nonce)?;
                let key = deriver.content_key(&ephemeral)?;
                serialize(&cipher(&key)?, &encode(outer::agreed(deriver.id(), &epk)), nonce, signed)
            }
        }
    }
}

fn cipher(key: &[u8; 32]) -> Option<LessSafeKey> {
    UnboundKey::new(&AES_256_GCM, key).ok().map(LessSafeKey::new)
}

/// The five segments. The second is empty: neither `dir` nor direct agreement has an encrypted key (RFC 7518 sections
/// 4.5 and 4.6).
fn serialize(cipher: &LessSafeKey, header: &str, nonce: [u8; NONCE_LEN], signed: String) -> Option<String> {
    let mut text = signed.into_bytes();
    let once = Nonce::assume_unique_for_key(nonce);
    let tag = cipher.seal_in_place_separate_tag(once, Aad::from(header.as_bytes()), &mut text).ok()?;
    let mut token = String::with_capacity(header.len() + text.len() * 4 / 3 + 2 + AROUND);
    token.push_str(header);
    token.push_str("..");
    encode_onto(nonce, &mut token);
    token.push('.');
    encode_onto(text, &mut token);
    token.push('.');
    encode_onto(tag, &mut token);
    Some(token)
}
