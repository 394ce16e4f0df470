use crate::runtime::Entropy;
use aws_lc_rs::digest;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use countersign_domain::{id::DeviceId, secret::SecretText};
use uuid::Uuid;

/// The token that makes a device recognized: 256 random bits as text. It authorizes nothing; it only separates the
/// device from unrecognized ones while an attacker tries passwords.
#[derive(Clone, Debug)]
pub struct DeviceToken(SecretText);

/// Lets scanners of repositories find leaked tokens.
const PREFIX: &str = "countersign_device_";
const TEXT_BYTES: usize = PREFIX.len() + 43;

impl DeviceToken {
    pub fn generate(entropy: &Entropy) -> Self {
        let random = zeroize::Zeroizing::new(entropy.bytes::<32>());
        Self(SecretText::new(format!("{PREFIX}{}", BASE64URL.encode(random.as_slice()))))
    }

    /// The token that a caller presents; `None` when the text does not have the form of a token, so that no long text
    /// is hashed.
    pub fn presented(text: &SecretText) -> Option<Self> {
        let shaped = text.reveal().len() == TEXT_BYTES && text.reveal().starts_with(PREFIX);
        shaped.then(|| Self(text.clone()))
    }

    /// Half of the token's SHA-256. The id may be stored and shown: it reveals neither the token nor another token with
    /// the same id.
    pub fn id(&self) -> DeviceId {
        let mut context = digest::Context::new(&digest::SHA256);
        context.update(b"countersign/device/1\0");
        context.update(self.0.reveal().as_bytes());
        let mut id = [0; 16];
        id.copy_from_slice(&context.finish().as_ref()[..16]);
        DeviceId::from_uuid(Uuid::from_bytes(id))
    }

    pub fn into_secret(self) -> SecretText {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_known_by_its_id_and_by_no_other() {
        let token = DeviceToken::generate(&Entropy::seeded(1));
        let presented = DeviceToken::presented(&token.clone().into_secret()).unwrap();
        assert_eq!(presented.id(), token.id());
        assert_ne!(DeviceToken::generate(&Entropy::seeded(2)).id(), token.id());
    }

    #[test]
    fn what_does_not_look_like_a_token_is_none() {
        let token = DeviceToken::generate(&Entropy::seeded(1)).into_secret().reveal().to_owned();
        for text in [String::new(), "x".repeat(100_000), token[1..].to_owned(), format!("{token}x"), "ä".repeat(31)] {
            assert!(DeviceToken::presented(&SecretText::new(text)).is_none());
        }
    }
}
