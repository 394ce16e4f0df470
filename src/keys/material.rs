use super::KeyEncryptionKeys;
use crate::runtime::Entropy;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use countersign_domain::{
    key::{KeyAlgorithm, KeySlot},
    secret::SecretBytes,
    tenant::DEFAULT_TENANT,
};
use countersign_token::{IssueFault, KeyId, RecipientPublicKey, Rejected};
use std::fmt;

/// A plaintext key, in memory only.
#[derive(Clone, Debug)]
pub struct KeyMaterial {
    /// The `kid` in tokens: 96 random bits, so that it reveals neither order nor date.
    pub id: String,
    pub slot: KeySlot,
    /// The X25519 public key that the audience registered. With it, `secret` is the input from which ephemeral keys are
    /// derived; without it, `secret` is the key itself.
    pub recipient: Option<[u8; 32]>,
    pub secret: SecretBytes<32>,
}

/// A key in the form in which a database stores it.
#[derive(Clone, Debug)]
pub struct SealedSecret {
    pub sealed: String,
    /// The id of the key-encryption key that opens it.
    pub kek_id: String,
}

/// A key could not be sealed or opened.
#[derive(Debug)]
pub enum MaterialFault {
    /// The key was sealed under another key-encryption key, or the row was changed.
    WrongKek(Rejected),
    Unsealable(IssueFault),
    /// The row contains a value that no key has.
    Unreadable(&'static str),
}

impl fmt::Display for MaterialFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WrongKek(_) => {
                f.write_str("a stored key cannot be decrypted: this is not the key-encryption key that encrypted it")
            }
            Self::Unsealable(fault) => write!(f, "a key cannot be encrypted: {fault}"),
            Self::Unreadable(what) => write!(f, "a stored key cannot be read: its {what} is invalid"),
        }
    }
}

impl std::error::Error for MaterialFault {}

/// Whether tokens may be encrypted to this X25519 public key: with a point of small order the shared secret would be
/// the same for everybody (RFC 7748 section 6.1).
pub fn is_strong_recipient(public: [u8; 32]) -> bool {
    KeyId::new("trial").is_ok_and(|id| RecipientPublicKey::new(id, public).is_ok())
}

impl KeyMaterial {
    /// Generates a key.
    pub fn generate(slot: KeySlot, recipient: Option<[u8; 32]>, entropy: &Entropy) -> Self {
        let id = BASE64URL.encode(entropy.bytes::<12>());
        Self { id, slot, recipient, secret: SecretBytes::new(entropy.bytes()) }
    }

    pub fn algorithm(&self) -> KeyAlgorithm {
        if self.recipient.is_some() { KeyAlgorithm::Agreed } else { KeyAlgorithm::Direct }
    }

    /// The registered public key as its row stores it.
    pub fn written_recipient(&self) -> Option<String> {
        self.recipient.map(|key| BASE64URL.encode(key))
    }

    /// Reads a registered public key from its row.
    ///
    /// # Errors
    /// When the algorithm is unknown, or does not match the key.
    pub fn read_recipient(algorithm: &str, public_key: Option<&str>) -> Result<Option<[u8; 32]>, MaterialFault> {
        match (KeyAlgorithm::from_name(algorithm), public_key) {
            (Some(KeyAlgorithm::Direct), None) => Ok(None),
            (Some(KeyAlgorithm::Agreed), Some(text)) => {
                let bytes = BASE64URL.decode(text).ok().and_then(|bytes| bytes.try_into().ok());
                bytes.map(Some).ok_or(MaterialFault::Unreadable("public key"))
            }
            (None, _) => Err(MaterialFault::Unreadable("algorithm")),
            _ => Err(MaterialFault::Unreadable("public key")),
        }
    }

    /// The key, sealed for a database. The ciphertext is bound to id, slot and registered key.
    ///
    /// # Errors
    /// When the cipher fails.
    pub fn seal(&self, keks: &KeyEncryptionKeys) -> Result<SealedSecret, MaterialFault> {
        let kek = keks.present();
        let sealed = kek.seal(self.secret.reveal(), &self.context()).map_err(MaterialFault::Unsealable)?;
        Ok(SealedSecret { sealed, kek_id: kek.id() })
    }

    /// Opens the result of [`KeyMaterial::seal`].
    ///
    /// # Errors
    /// When it was sealed under another key-encryption key, or as another key.
    pub fn open(
        id: String,
        slot: KeySlot,
        recipient: Option<[u8; 32]>,
        sealed: &str,
        keks: &KeyEncryptionKeys,
    ) -> Result<Self, MaterialFault> {
        if !slot.is_sound() {
            return Err(MaterialFault::Unreadable("audience"));
        }
        let mut key = Self { id, slot, recipient, secret: SecretBytes::new([0; 32]) };
        let opened = keks.open(sealed, &key.context()).map_err(MaterialFault::WrongKek)?;
        let bytes = opened.as_slice().try_into().map_err(|_| MaterialFault::WrongKek(Rejected::Malformed))?;
        key.secret = SecretBytes::new(bytes);
        Ok(key)
    }

    /// The additional data of the sealed secret. It includes the registered key: an attacker who can only write to the
    /// database must not be able to have tokens encrypted to their own key. Neither an id nor the name of an audience
    /// contains a space, so different lists of parts never give the same text.
    fn context(&self) -> String {
        let KeySlot { tenant, purpose, audience } = &self.slot;
        let mut context = format!("countersign key {} {} {audience}", self.id, purpose.name());
        if *tenant != DEFAULT_TENANT {
            context.push_str(&format!(" tenant {tenant}"));
        }
        if let Some(recipient) = self.written_recipient() {
            context.push_str(&format!(" recipient {recipient}"));
        }
        context
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use countersign_domain::{id::TenantId, key::KeyPurpose};
    use countersign_token::KeyEncryptionKey;

    fn keks(byte: u8) -> KeyEncryptionKeys {
        KeyEncryptionKeys::new(KeyEncryptionKey::new([byte; 32]), None)
    }

    #[test]
    fn a_sealed_key_opens_only_as_the_key_it_is() {
        let slot = KeySlot::shared(KeyPurpose::Refresh);
        let key = KeyMaterial::generate(slot.clone(), None, &Entropy::seeded(1));
        let sealed = key.seal(&keks(1)).unwrap().sealed;
        let open = |id: &str, slot: KeySlot, kek: u8| KeyMaterial::open(id.to_owned(), slot, None, &sealed, &keks(kek));
        assert_eq!(open(&key.id, slot.clone(), 1).unwrap().secret, key.secret);
        assert!(open("other", slot.clone(), 1).is_err());
        assert!(open(&key.id, KeySlot::shared(KeyPurpose::Action), 1).is_err());
        assert!(open(&key.id, KeySlot { audience: "orders".to_owned(), ..slot.clone() }, 1).is_err());
        assert!(open(&key.id, slot, 2).is_err());
    }

    #[test]
    fn a_key_of_an_audience_opens_for_its_tenant_and_its_registered_key_only() {
        let other_tenant = TenantId::from_uuid(uuid::Uuid::from_u128(7));
        let (ours, theirs) =
            (KeySlot::of_audience(DEFAULT_TENANT, "orders"), KeySlot::of_audience(other_tenant, "orders"));
        for (slot, recipient) in [(&ours, None), (&ours, Some([9; 32])), (&theirs, None), (&theirs, Some([9; 32]))] {
            let key = KeyMaterial::generate(slot.clone(), recipient, &Entropy::seeded(1));
            let sealed = key.seal(&keks(1)).unwrap().sealed;
            for (as_slot, as_recipient) in [
                (&ours, None),
                (&ours, Some([9; 32])),
                (&ours, Some([8; 32])),
                (&theirs, None),
                (&theirs, Some([9; 32])),
            ] {
                let opened = KeyMaterial::open(key.id.clone(), as_slot.clone(), as_recipient, &sealed, &keks(1));
                assert_eq!(
                    opened.is_ok(),
                    (as_slot, as_recipient) == (slot, recipient),
                    "{as_slot:?} {as_recipient:?}"
                );
            }
        }
    }

    #[test]
    fn rows_that_say_what_no_key_can_be_are_refused() {
        let good = BASE64URL.encode([9; 32]);
        assert_eq!(KeyMaterial::read_recipient("", None).unwrap(), None);
        assert_eq!(KeyMaterial::read_recipient("dir", None).unwrap(), None);
        assert_eq!(KeyMaterial::read_recipient("ECDH-ES", Some(&good)).unwrap(), Some([9; 32]));
        let (short, padded) = (BASE64URL.encode([9; 31]), format!("{good}="));
        for (algorithm, public_key) in [
            ("ECDH-ES", None),
            ("dir", Some(good.as_str())),
            ("none", None),
            ("ECDH-ES", Some("")),
            ("ECDH-ES", Some(&short)),
            ("ECDH-ES", Some(&padded)),
            ("ECDH-ES+A256KW", Some(&good)),
        ] {
            assert!(KeyMaterial::read_recipient(algorithm, public_key).is_err(), "{algorithm} {public_key:?}");
        }
        let nowhere = KeySlot { audience: "Orders\n".to_owned(), ..KeySlot::of_audience(DEFAULT_TENANT, "orders") };
        assert!(matches!(
            KeyMaterial::open("k".to_owned(), nowhere, None, "", &keks(1)),
            Err(MaterialFault::Unreadable("audience"))
        ));
    }

    #[test]
    fn the_previous_key_encryption_key_opens_and_only_the_present_one_seals() {
        let key = KeyMaterial::generate(KeySlot::shared(KeyPurpose::Mac), None, &Entropy::seeded(1));
        let old = key.seal(&keks(1)).unwrap();
        let both = KeyEncryptionKeys::new(KeyEncryptionKey::new([2; 32]), Some(KeyEncryptionKey::new([1; 32])));
        let open = |sealed: &str, keks: &KeyEncryptionKeys| {
            KeyMaterial::open(key.id.clone(), key.slot.clone(), None, sealed, keks).is_ok()
        };
        assert!(open(&old.sealed, &both));
        let new = key.seal(&both).unwrap();
        assert_ne!(new.kek_id, old.kek_id);
        assert!(open(&new.sealed, &both) && open(&new.sealed, &keks(2)) && !open(&new.sealed, &keks(1)));
    }
}
