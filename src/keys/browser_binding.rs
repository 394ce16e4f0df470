use crate::runtime::Entropy;
use aws_lc_rs::digest;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use countersign_domain::secret::SecretText;
use zeroize::Zeroizing;

/// What a browser keeps in a cookie so that a ceremony that began in it ends in it: 256 random bits as text. It
/// authorizes nothing.
#[derive(Clone, Debug)]
pub struct BrowserBinding(SecretText);

/// Lets scanners of repositories find leaked values.
const PREFIX: &str = "countersign_browser_";
const TEXT_BYTES: usize = PREFIX.len() + 43;

impl BrowserBinding {
    pub fn generate(entropy: &Entropy) -> Self {
        let random = Zeroizing::new(entropy.bytes::<32>());
        Self(SecretText::new(format!("{PREFIX}{}", BASE64URL.encode(random.as_slice()))))
    }

    /// What the cookie of a caller says; `None` when it does not have the form of a binding.
    pub fn kept(text: &SecretText) -> Option<Self> {
        let shaped = text.reveal().len() == TEXT_BYTES && text.reveal().starts_with(PREFIX);
        shaped.then(|| Self(text.clone()))
    }

    /// What a token says of the browser in which it works.
    pub fn digest(&self) -> String {
        let mut context = digest::Context::new(&digest::SHA256);
        context.update(b"countersign/browser/1\0");
        context.update(self.0.reveal().as_bytes());
        BASE64URL.encode(context.finish())
    }

    pub fn into_secret(self) -> SecretText {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::DeviceToken;

    #[test]
    fn a_binding_is_known_by_its_digest_and_by_no_other() {
        let binding = BrowserBinding::generate(&Entropy::seeded(1));
        let kept = BrowserBinding::kept(&binding.clone().into_secret()).unwrap();
        assert_eq!(kept.digest(), binding.digest());
        assert_ne!(BrowserBinding::generate(&Entropy::seeded(2)).digest(), binding.digest());
    }

    #[test]
    fn what_does_not_look_like_a_binding_is_none() {
        let device = DeviceToken::generate(&Entropy::seeded(1)).into_secret();
        assert!(BrowserBinding::kept(&device).is_none());
        for text in [String::new(), "x".repeat(TEXT_BYTES), "x".repeat(100_000), "ä".repeat(31)] {
            assert!(BrowserBinding::kept(&SecretText::new(text)).is_none());
        }
    }
}
