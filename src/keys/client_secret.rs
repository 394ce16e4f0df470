use crate::runtime::Entropy;
use aws_lc_rs::digest;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use countersign_domain::{id::ServiceId, secret::SecretText};
use subtle::ConstantTimeEq as _;

/// The secret of a service account: 256 random bits as text. Shown once, when it is created.
#[derive(Clone, Debug)]
pub struct ClientSecret(SecretText);

/// The stored digest of a client secret. SHA-256 is enough: unlike a password, 256 random bits withstand offline brute
/// force (NIST SP 800-63B-4 section 3.1.2.2 asks for a salted slow hash of look-up secrets below 112 bits only).
#[derive(Clone, Debug)]
pub struct ClientSecretDigest([u8; 32]);

/// Lets scanners of repositories find leaked secrets.
const PREFIX: &str = "countersign_secret_";
const TEXT_BYTES: usize = PREFIX.len() + 43;

impl ClientSecret {
    pub fn generate(entropy: &Entropy) -> Self {
        let random = zeroize::Zeroizing::new(entropy.bytes::<32>());
        Self(SecretText::new(format!("{PREFIX}{}", BASE64URL.encode(random.as_slice()))))
    }

    /// The secret that a caller presents; `None` when the text does not have the form of a secret, so that no long text
    /// is hashed.
    pub fn presented(text: SecretText) -> Option<Self> {
        let shaped = text.reveal().len() == TEXT_BYTES && text.reveal().starts_with(PREFIX);
        shaped.then_some(Self(text))
    }

    pub fn reveal(&self) -> &str {
        self.0.reveal()
    }

    /// The digest to store, for this service: the same secret of another service has another digest.
    pub fn digest(&self, service: ServiceId) -> ClientSecretDigest {
        let mut context = digest::Context::new(&digest::SHA256);
        context.update(b"countersign/client-secret/1\0");
        context.update(service.as_uuid().as_bytes());
        context.update(self.0.reveal().as_bytes());
        let mut bytes = [0; 32];
        bytes.copy_from_slice(context.finish().as_ref());
        ClientSecretDigest(bytes)
    }
}

impl ClientSecretDigest {
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Whether this is the stored digest. In constant time.
    pub fn is(&self, kept: &[u8]) -> bool {
        self.0.ct_eq(kept).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use countersign_domain::time::Timestamp;

    fn service(n: u8) -> ServiceId {
        ServiceId::new(Timestamp::from_seconds(1), [n; 10])
    }

    #[test]
    fn a_secret_is_recognised_by_the_service_it_was_made_for_only() {
        let secret = ClientSecret::generate(&Entropy::seeded(1));
        let kept = secret.digest(service(1));
        let presented = ClientSecret::presented(SecretText::new(secret.reveal().to_owned())).unwrap();
        assert!(presented.digest(service(1)).is(kept.as_bytes()));
        assert!(!presented.digest(service(2)).is(kept.as_bytes()));
        assert!(!ClientSecret::generate(&Entropy::seeded(2)).digest(service(1)).is(kept.as_bytes()));
        assert!(!presented.digest(service(1)).is(&[]));
    }

    #[test]
    fn what_does_not_look_like_a_secret_is_none() {
        let secret = ClientSecret::generate(&Entropy::seeded(1)).reveal().to_owned();
        for text in [String::new(), "x".repeat(100_000), secret[1..].to_owned(), format!("{secret}x"), "ä".repeat(31)]
        {
            assert!(ClientSecret::presented(SecretText::new(text)).is_none());
        }
    }
}
