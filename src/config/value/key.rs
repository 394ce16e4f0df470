//! Keys and other secrets.

use super::super::fault::Reason;
use super::super::source::Given;
use super::{REDACTED, Value};
use base64::Engine;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use countersign_domain::secret::{SecretBytes, SecretText};
use zeroize::{Zeroize, Zeroizing};

/// A key-encryption key.
pub(in super::super) struct Kek(pub(in super::super) SecretBytes<32>);

impl Value for Kek {
    const ALLOWED: &'static str = "base64 of exactly 32 random bytes (`openssl rand -base64 32`)";
    const SECRET: bool = true;

    fn parse(given: &Given) -> Result<Self, Reason> {
        // The decoder's own errors are dropped: they contain a byte of the key and its position.
        let malformed = || Reason::new("must be base64 of exactly 32 bytes; \"openssl rand -base64 32\" makes one");
        let text = given.line()?;
        // Both alphabets, with padding or without: a tool may have converted the key.
        let alphabet = if text.contains(['-', '_']) { &URL_SAFE } else { &STANDARD };
        let lenient = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
        let bytes = GeneralPurpose::new(alphabet, lenient).decode(text).map_err(|_| malformed()).map(Zeroizing::new)?;
        let mut key: [u8; 32] = bytes.as_slice().try_into().map_err(|_| malformed())?;
        let weak = key.iter().all(|byte| *byte == key[0]);
        let kek = Self(SecretBytes::new(key));
        key.zeroize();
        if weak { Err(Reason::new("is one byte repeated 32 times, which is no key")) } else { Ok(kek) }
    }

    fn show(&self) -> toml::Value {
        REDACTED.into()
    }
}

/// A secret that another system issued.
pub(in super::super) struct SecretLine(pub(in super::super) SecretText);

impl Value for SecretLine {
    const ALLOWED: &'static str = "one line of text";
    const SECRET: bool = true;

    fn parse(given: &Given) -> Result<Self, Reason> {
        given.line().map(|text| Self(SecretText::new(text.to_owned())))
    }

    fn show(&self) -> toml::Value {
        REDACTED.into()
    }
}

/// A private key in PEM.
pub(in super::super) struct PrivatePem(pub(in super::super) SecretText);

impl Value for PrivatePem {
    const ALLOWED: &'static str = "a private key in PEM";
    const SECRET: bool = true;

    fn parse(given: &Given) -> Result<Self, Reason> {
        let text = given.lines()?.trim();
        let label = text.strip_prefix("-----BEGIN ").and_then(|rest| rest.split_once("-----")).map(|(label, _)| label);
        match label {
            Some(label) if label.contains("ENCRYPTED") => {
                Err(Reason::new("is an encrypted private key; encrypted keys are not supported"))
            }
            Some(label) if label.ends_with("PRIVATE KEY") && text.ends_with(&format!("-----END {label}-----")) => {
                Ok(Self(SecretText::new(text.to_owned())))
            }
            _ => Err(Reason::new("must be one private key in PEM, from \"-----BEGIN …\" to \"-----END …\"")),
        }
    }

    fn show(&self) -> toml::Value {
        REDACTED.into()
    }
}

/// The operators' token.
pub(in super::super) struct OperatorSecret(pub(in super::super) SecretText);

impl Value for OperatorSecret {
    const ALLOWED: &'static str = "32 to 512 visible ASCII characters (`openssl rand -base64 32`)";
    const SECRET: bool = true;

    fn parse(given: &Given) -> Result<Self, Reason> {
        const LENGTHS: std::ops::RangeInclusive<usize> = 32..=512;
        let text = given.line()?;
        if !LENGTHS.contains(&text.len()) || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Reason::new(
                "must be 32 to 512 visible ASCII characters; \"openssl rand -base64 32\" makes such a token",
            ));
        }
        let first = text.as_bytes()[0];
        if text.bytes().all(|byte| byte == first) {
            return Err(Reason::new("is one repeated character, which is no secret"));
        }
        Ok(Self(SecretText::new(text.to_owned())))
    }

    fn show(&self) -> toml::Value {
        REDACTED.into()
    }
}
