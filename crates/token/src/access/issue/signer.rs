//! The inner layer: a JWS in compact serialization (RFC 7515 section 3.1), signed with Ed25519.

use aws_lc_rs::signature::Ed25519KeyPair;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde::Serialize;

use crate::encoding::encode_onto;
use crate::fault::IssueFault;
use crate::key::SigningKey;

/// Bytes of an Ed25519 signature in base64url.
const SIGNATURE: usize = 86;

/// A signing key, ready for use. jsonwebtoken would build its key pair from the seed at every token, a third of the
/// cost of the token.
pub(super) struct Signer {
    pair: Ed25519KeyPair,
    /// The encoded header and a dot.
    prefix: Box<str>,
}

impl Signer {
    /// Signs once as jsonwebtoken does and compares: signatures of Ed25519 are deterministic.
    pub(super) fn new(key: &SigningKey) -> Result<Self, IssueFault> {
        let public = key.verifying_key();
        let pair =
            Ed25519KeyPair::from_seed_and_public_key(key.seed(), public.bytes()).map_err(|_| IssueFault::BadKey)?;
        let made = Self { pair, prefix: format!("{}.", public.header_segment()).into() };
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some("at+jwt".to_owned());
        header.kid = Some(key.id().to_string());
        let trial = [0; 0];
        let expected = jsonwebtoken::encode(&header, &trial, &EncodingKey::from_ed_der(key.pkcs8().as_slice()));
        if made.sign(&trial)? == expected.map_err(|_| IssueFault::BadKey)? {
            Ok(made)
        } else {
            Err(IssueFault::HeaderDrift)
        }
    }

    pub(super) fn sign(&self, payload: &impl Serialize) -> Result<String, IssueFault> {
        let payload = serde_json::to_vec(payload).map_err(|_| IssueFault::Signing)?;
        let mut token = String::with_capacity(self.prefix.len() + payload.len() * 4 / 3 + 2 + SIGNATURE);
        token.push_str(&self.prefix);
        encode_onto(payload, &mut token);
        let signature = self.pair.try_sign(token.as_bytes()).map_err(|_| IssueFault::Signing)?;
        token.push('.');
        encode_onto(signature, &mut token);
        Ok(token)
    }
}
