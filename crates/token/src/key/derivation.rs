//! How the service reads tokens that it encrypted to a public key.

use std::fmt;

use aws_lc_rs::agreement::PrivateKey;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac;
use zeroize::Zeroizing;

use super::agreement::{private_key, public_of};
use super::{KeyId, RecipientPublicKey, derive_content_key};

/// The public key of an audience, and the secret from which the ephemeral private key of each token is derived.
///
/// With a random ephemeral key only the audience could read a token. The service has RPCs of its own that take access
/// tokens, so it must read them too, without storing anything for each token: the ephemeral key is derived from this
/// secret and the nonce of the token. Without the secret it cannot be distinguished from a random key.
///
/// Zeroized on drop; `Debug` shows the id only.
#[derive(Clone)]
pub struct EphemeralDeriver {
    recipient: RecipientPublicKey,
    derivation: Zeroizing<[u8; 32]>,
}

impl EphemeralDeriver {
    /// Takes the key of the audience and 32 random bytes that only the service knows.
    #[must_use]
    pub fn new(recipient: RecipientPublicKey, derivation: [u8; 32]) -> Self {
        Self { recipient, derivation: Zeroizing::new(derivation) }
    }

    /// The `kid` of the outer header: that of the audience's key.
    #[must_use]
    pub fn id(&self) -> &KeyId {
        self.recipient.id()
    }

    /// The ephemeral key pair of the token with this nonce.
    pub(crate) fn ephemeral(&self, nonce: &[u8; 12]) -> Option<(PrivateKey, [u8; 32])> {
        let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, self.derivation.as_slice()));
        // The label and the id end in a zero byte, which neither contains; the rest has a fixed length.
        let parts: [&[u8]; 6] =
            [b"countersign/ecdh-es/1", &[0], self.id().as_str().as_bytes(), &[0], self.recipient.bytes(), nonce];
        for part in parts {
            context.update(part);
        }
        // X25519 itself clamps the scalar (RFC 7748 section 5), so any 32 bytes are a private key.
        let seed = Zeroizing::new(<[u8; 32]>::try_from(context.sign().as_ref()).ok()?);
        let private = private_key(&seed)?;
        let public = public_of(&private)?;
        Some((private, public))
    }

    /// The content key of the token whose ephemeral private key is `ephemeral`.
    pub(crate) fn content_key(&self, ephemeral: &PrivateKey) -> Option<Zeroizing<[u8; 32]>> {
        derive_content_key(ephemeral, self.recipient.bytes())
    }

    /// The content key of a token with `nonce` and `epk`. `None` when `epk` does not belong to `nonce`, as in every
    /// token that was not made with this secret.
    pub(crate) fn content_key_of(&self, nonce: &[u8; 12], epk: &[u8; 32]) -> Option<Zeroizing<[u8; 32]>> {
        let (ephemeral, expected) = self.ephemeral(nonce)?;
        // In constant time: the response time must not reveal how much of the ephemeral key for a nonce is right.
        verify_slices_are_equal(epk, &expected).ok()?;
        self.content_key(&ephemeral)
    }
}

impl fmt::Debug for EphemeralDeriver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EphemeralDeriver").field("recipient", &self.recipient).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

    use super::*;
    use crate::key::RecipientKey;

    fn id() -> KeyId {
        KeyId::new("k").unwrap()
    }

    #[test]
    fn both_sides_arrive_at_one_key_and_a_third_at_another() {
        let recipient = RecipientKey::new(id(), [7; 32]).unwrap();
        let deriver = EphemeralDeriver::new(recipient.public_key(), [8; 32]);
        let (ephemeral, epk) = deriver.ephemeral(&[9; 12]).unwrap();
        let ours = deriver.content_key(&ephemeral).unwrap();
        assert_eq!(ours, derive_content_key(&recipient.private_key().unwrap(), &epk).unwrap());
        let third = RecipientKey::new(id(), [6; 32]).unwrap();
        assert_ne!(ours, derive_content_key(&third.private_key().unwrap(), &epk).unwrap());
    }

    #[test]
    fn the_service_knows_its_own_ephemeral_keys_from_all_others() {
        let deriver = EphemeralDeriver::new(RecipientKey::new(id(), [7; 32]).unwrap().public_key(), [8; 32]);
        let (ephemeral, epk) = deriver.ephemeral(&[9; 12]).unwrap();
        assert_eq!(deriver.content_key_of(&[9; 12], &epk), deriver.content_key(&ephemeral));
        assert!(deriver.content_key_of(&[1; 12], &epk).is_none());
        for bit in 0..256 {
            let mut other = epk;
            other[bit / 8] ^= 1 << (bit % 8);
            assert!(deriver.content_key_of(&[9; 12], &other).is_none(), "bit {bit}");
        }
    }

    #[test]
    fn an_ephemeral_key_follows_from_everything_it_is_derived_from() {
        let recipient = |kid: &str, private| RecipientKey::new(KeyId::new(kid).unwrap(), private).unwrap().public_key();
        let epk = |recipient, secret, nonce| EphemeralDeriver::new(recipient, secret).ephemeral(nonce).unwrap().1;
        let first = epk(recipient("k", [1; 32]), [2; 32], &[3; 12]);
        assert_eq!(first, epk(recipient("k", [1; 32]), [2; 32], &[3; 12]));
        assert_ne!(first, epk(recipient("l", [1; 32]), [2; 32], &[3; 12]));
        assert_ne!(first, epk(recipient("k", [4; 32]), [2; 32], &[3; 12]));
        assert_ne!(first, epk(recipient("k", [1; 32]), [4; 32], &[3; 12]));
        assert_ne!(first, epk(recipient("k", [1; 32]), [2; 32], &[4; 12]));
    }

    #[test]
    fn a_deriver_does_not_show_its_secret() {
        let recipient = RecipientKey::new(id(), [1; 32]).unwrap().public_key();
        let shown = format!("{:?}", EphemeralDeriver::new(recipient, [0xCD; 32]));
        assert!(!shown.contains("205, 205"), "{shown}");
    }
}
