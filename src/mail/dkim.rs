//! DKIM signatures (RFC 6376), relaxed/relaxed, with RSA (RFC 8301) or Ed25519 (RFC 8463).

use aws_lc_rs::{
    digest::{SHA256, digest},
    rand::SystemRandom,
    rsa::KeyPair as RsaKeyPair,
    signature::{Ed25519KeyPair, RSA_PKCS1_SHA256},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use countersign_domain::{secret::SecretText, time::Timestamp};
use rustls::pki_types::{PrivatePkcs8KeyDer, pem::PemObject};
use std::fmt;
use zeroize::{Zeroize, Zeroizing};

/// The headers that a signature covers. Each is named once more than it occurs (RFC 6376 section 5.4.2 and 8.15), so
/// that nobody in between can add a second From, Subject or Content-Type and keep the signature valid.
const SIGNED_HEADERS: [&str; 9] =
    ["from", "to", "subject", "date", "message-id", "mime-version", "content-type", "reply-to", "auto-submitted"];

/// RFC 8301 section 3.2 requires at least 2048 bits from a signer.
const MIN_RSA_BYTES: usize = 2048 / 8;

/// Why mails cannot be signed. Contains nothing of the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DkimFault {
    /// The text is not an unencrypted PKCS#8 private key in PEM form.
    NotAKey,
    /// The key is neither Ed25519 nor RSA of 2048 to 8192 bits.
    UnusableKey,
    /// The domain or the selector is not made of ASCII labels.
    InvalidName,
    /// The library failed to sign, or the message has no header.
    CannotSign,
}

impl fmt::Display for DkimFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotAKey => "the DKIM key is not an unencrypted PKCS#8 private key (BEGIN PRIVATE KEY)",
            Self::UnusableKey => "the DKIM key is neither Ed25519 nor RSA of at least 2048 bits",
            Self::InvalidName => "the DKIM domain and selector must be ASCII host names",
            Self::CannotSign => "the mail could not be signed with DKIM",
        })
    }
}

impl std::error::Error for DkimFault {}

/// Signs mails for one domain and selector.
pub struct DkimSigner {
    domain: String,
    selector: String,
    key: Key,
}

enum Key {
    Rsa(RsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl DkimSigner {
    /// A signer with the private key that belongs to the record `<selector>._domainkey.<domain>`.
    ///
    /// # Errors
    /// When a name is not a host name in ASCII, or the key is not one that DKIM can use.
    pub fn new(domain: &str, selector: &str, pem: &SecretText) -> Result<Self, DkimFault> {
        if !is_ascii_name(domain) || !is_ascii_name(selector) {
            return Err(DkimFault::InvalidName);
        }
        let mut der = PrivatePkcs8KeyDer::from_pem_slice(pem.reveal().as_bytes()).map_err(|_| DkimFault::NotAKey)?;
        let key = Key::from_pkcs8(der.secret_pkcs8_der());
        der.zeroize();
        Ok(Self { domain: domain.to_owned(), selector: selector.to_owned(), key: key? })
    }

    /// The `DKIM-Signature` header of a whole message with CRLF line ends. It ends with CRLF and belongs before the
    /// message.
    ///
    /// # Errors
    /// When there is no header to sign, or the library fails.
    pub fn sign(&self, message: &[u8], at: Timestamp) -> Result<String, DkimFault> {
        let message = std::str::from_utf8(message).map_err(|_| DkimFault::CannotSign)?;
        let (head, body) = message.split_once("\r\n\r\n").ok_or(DkimFault::CannotSign)?;
        let body_hash = digest(&SHA256, Zeroizing::new(relaxed_body(body)).as_bytes());
        let unsigned = format!(
            "DKIM-Signature: v=1; a={}; c=relaxed/relaxed; d={};\r\n s={}; t={};\r\n h={};\r\n bh={};\r\n b=",
            self.key.algorithm(),
            self.domain,
            self.selector,
            at.as_seconds().max(0),
            SIGNED_HEADERS.map(|name| format!("{name}:{name}")).join(":\r\n  "),
            STANDARD.encode(body_hash),
        );
        let mut input = String::with_capacity(head.len() + unsigned.len());
        for wanted in SIGNED_HEADERS {
            // Of several headers with one name the last one is signed (RFC 6376 section 5.4.2).
            let last = fields(head).filter(|field| name_of(field).eq_ignore_ascii_case(wanted)).last();
            if let Some(field) = last {
                relax_field(field, &mut input);
                input.push_str("\r\n");
            }
        }
        // The signature's own header comes last, without its value and without the CRLF (RFC 6376 section 3.7).
        relax_field(&unsigned, &mut input);
        let signature = STANDARD.encode(self.key.sign(input.as_bytes())?);
        let mut header = unsigned;
        for (line, start) in (0..signature.len()).step_by(72).enumerate() {
            if line > 0 {
                header.push_str("\r\n  ");
            }
            header.push_str(&signature[start..signature.len().min(start + 72)]);
        }
        header.push_str("\r\n");
        Ok(header)
    }
}

impl Key {
    fn from_pkcs8(der: &[u8]) -> Result<Self, DkimFault> {
        if let Ok(pair) = Ed25519KeyPair::from_pkcs8(der) {
            return Ok(Self::Ed25519(pair));
        }
        let pair = RsaKeyPair::from_pkcs8(der).map_err(|_| DkimFault::UnusableKey)?;
        if pair.public_modulus_len() < MIN_RSA_BYTES {
            return Err(DkimFault::UnusableKey);
        }
        Ok(Self::Rsa(pair))
    }

    fn algorithm(&self) -> &'static str {
        match self {
            Self::Rsa(_) => "rsa-sha256",
            Self::Ed25519(_) => "ed25519-sha256",
        }
    }

    fn sign(&self, input: &[u8]) -> Result<Vec<u8>, DkimFault> {
        match self {
            Self::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                // PKCS#1 v1.5 needs no randomness; the library ignores this argument and keeps it for compatibility.
                let unused = SystemRandom::new();
                pair.sign(&RSA_PKCS1_SHA256, &unused, input, &mut signature).map_err(|_| DkimFault::CannotSign)?;
                Ok(signature)
            }
            // RFC 8463 section 3: Ed25519 signs the SHA-256 hash of the input, not the input.
            Self::Ed25519(pair) => Ok(pair.sign(digest(&SHA256, input).as_ref()).as_ref().to_vec()),
        }
    }
}

impl fmt::Debug for DkimSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DkimSigner")
            .field("domain", &self.domain)
            .field("selector", &self.selector)
            .field("algorithm", &self.key.algorithm())
            .finish_non_exhaustive()
    }
}

fn is_ascii_name(name: &str) -> bool {
    name.len() <= 253
        && name.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        })
}

/// The header fields, each with its folded lines.
fn fields(head: &str) -> impl Iterator<Item = &str> {
    let mut rest = head;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let end = rest.match_indices("\r\n").map(|(at, _)| at).find(|at| !rest[at + 2..].starts_with([' ', '\t']));
        let (field, after) = end.map_or((rest, ""), |at| (&rest[..at], &rest[at + 2..]));
        rest = after;
        Some(field)
    })
}

fn name_of(field: &str) -> &str {
    field.split_once(':').map_or("", |(name, _)| name.trim_end_matches([' ', '\t']))
}

/// RFC 6376 section 3.4.2.
fn relax_field(field: &str, into: &mut String) {
    let (name, value) = field.split_once(':').unwrap_or((field, ""));
    into.push_str(&name.trim_end_matches([' ', '\t']).to_ascii_lowercase());
    into.push(':');
    let words = value.split([' ', '\t', '\r', '\n']).filter(|word| !word.is_empty());
    for (number, word) in words.enumerate() {
        if number > 0 {
            into.push(' ');
        }
        into.push_str(word);
    }
}

/// RFC 6376 section 3.4.4.
fn relaxed_body(body: &str) -> String {
    let mut relaxed = String::with_capacity(body.len());
    for line in body.split("\r\n") {
        let mut gap = false;
        for c in line.trim_end_matches([' ', '\t']).chars() {
            if matches!(c, ' ' | '\t') {
                gap = true;
                continue;
            }
            if std::mem::take(&mut gap) {
                relaxed.push(' ');
            }
            relaxed.push(c);
        }
        relaxed.push_str("\r\n");
    }
    relaxed.truncate(relaxed.trim_end_matches("\r\n").len());
    if !relaxed.is_empty() {
        relaxed.push_str("\r\n");
    }
    relaxed
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

    use super::*;
    use aws_lc_rs::{
        encoding::{AsDer, Pkcs8V1Der},
        rsa::KeySize,
        signature::{ED25519, KeyPair, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey, VerificationAlgorithm},
    };

    /// Generated for this test and used nowhere else.
    const ED25519_PEM: &str = "-----BEGIN PRIVATE KEY-----\n\
        MC4CAQAwBQYDK2VwBCIEIAwJngmnhNI+qGJWS3ivYn08a0MME16gbej3zW3a/TNJ\n\
        -----END PRIVATE KEY-----\n";

    const MESSAGE: &str = "From: Shop <no-reply@example.org>\r\nTo: <ada@example.org>\r\nSubject:  Two \t words\r\n \
        folded \r\nX-Other: not signed\r\nDate: Fri, 21 Nov 2025 08:53:00 +0000\r\n\r\n\
        Hello  there \r\n\r\nBye\r\n\r\n\r\n";

    /// The relaxed form of `MESSAGE` (RFC 6376 section 3.4), written by hand.
    const RELAXED_HEADERS: &str = "from:Shop <no-reply@example.org>\r\nto:<ada@example.org>\r\n\
        subject:Two words folded\r\ndate:Fri, 21 Nov 2025 08:53:00 +0000\r\n";
    const RELAXED_BODY: &str = "Hello there\r\n\r\nBye\r\n";

    fn fixed() -> (DkimSigner, Vec<u8>) {
        let signer = DkimSigner::new("example.org", "s1", &SecretText::new(ED25519_PEM.into())).unwrap();
        let Key::Ed25519(pair) = &signer.key else { panic!("an Ed25519 key") };
        let public = pair.public_key().as_ref().to_vec();
        (signer, public)
    }

    fn rsa_pem() -> (SecretText, Vec<u8>) {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
        let der: Pkcs8V1Der<'_> = pair.as_der().unwrap();
        let pem =
            format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", STANDARD.encode(der.as_ref()));
        (SecretText::new(pem), pair.public_key().as_ref().to_vec())
    }

    /// Parses a signature header without any of the code above.
    fn signed_input_and_signature(header: &str, relaxed_headers: &str) -> (String, Vec<u8>) {
        let unfolded = header.trim_end().replace("\r\n", "");
        let squeezed = unfolded.split(' ').filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
        let (before, signature) = squeezed.split_once(" b=").unwrap();
        let own = before.replacen("DKIM-Signature: ", "dkim-signature:", 1) + " b=";
        let signature = STANDARD.decode(signature.replace(' ', "")).unwrap();
        (format!("{relaxed_headers}{own}"), signature)
    }

    fn body_hash(header: &str) -> String {
        header.split("bh=").nth(1).unwrap().split(';').next().unwrap().to_owned()
    }

    fn verifies(public: &[u8], algorithm: &'static dyn VerificationAlgorithm, input: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(algorithm, public).verify(input, signature).is_ok()
    }

    #[test]
    fn an_ed25519_signature_verifies_over_the_canonical_form() {
        let (signer, public) = fixed();
        let header = signer.sign(MESSAGE.as_bytes(), Timestamp::from_seconds(1_763_715_180)).unwrap();
        assert!(header.starts_with("DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed; d=example.org;"));
        assert!(header.contains("t=1763715180;"));
        assert_eq!(body_hash(&header), STANDARD.encode(digest(&SHA256, RELAXED_BODY.as_bytes())));
        let (input, signature) = signed_input_and_signature(&header, RELAXED_HEADERS);
        let hashed = digest(&SHA256, input.as_bytes());
        assert!(verifies(&public, &ED25519, hashed.as_ref(), &signature));
    }

    #[test]
    fn an_rsa_signature_verifies_over_the_canonical_form() {
        let (pem, public) = rsa_pem();
        let signer = DkimSigner::new("example.org", "s1", &pem).unwrap();
        let header = signer.sign(MESSAGE.as_bytes(), Timestamp::default()).unwrap();
        let (input, signature) = signed_input_and_signature(&header, RELAXED_HEADERS);
        assert!(verifies(&public, &RSA_PKCS1_2048_8192_SHA256, input.as_bytes(), &signature));
        assert!(header.split("\r\n").all(|line| line.len() <= 78), "{header}");
    }

    #[test]
    fn a_changed_body_or_header_breaks_the_signature() {
        let (signer, public) = fixed();
        let header = signer.sign(MESSAGE.as_bytes(), Timestamp::default()).unwrap();
        let changed = MESSAGE.replace("Bye", "Buy");
        let other = signer.sign(changed.as_bytes(), Timestamp::default()).unwrap();
        assert_ne!(body_hash(&header), body_hash(&other));
        let (input, signature) =
            signed_input_and_signature(&header, &RELAXED_HEADERS.replace("ada@example.org", "eve@example.org"));
        assert!(!verifies(&public, &ED25519, digest(&SHA256, input.as_bytes()).as_ref(), &signature));
    }

    #[test]
    fn every_signed_header_is_named_once_more_than_it_occurs() {
        let (signer, _) = fixed();
        let header = signer.sign(MESSAGE.as_bytes(), Timestamp::default()).unwrap();
        let unfolded = header.replace("\r\n  ", "").replace("\r\n", "");
        let names = unfolded.split("; h=").nth(1).unwrap().split(';').next().unwrap().to_owned();
        for name in SIGNED_HEADERS {
            assert_eq!(names.split(':').filter(|n| *n == name).count(), 2, "{name} in {names}");
        }
    }

    #[test]
    fn an_empty_body_is_hashed_as_nothing() {
        // RFC 6376 section 3.4.4 gives the hash of the empty body.
        assert_eq!(relaxed_body("\r\n\r\n"), "");
        assert_eq!(relaxed_body(""), "");
        assert_eq!(relaxed_body(" \t \r\nx"), "\r\nx\r\n");
    }

    #[test]
    fn unusable_keys_and_names_are_refused_and_never_shown() {
        let not_a_key = SecretText::new("canary".into());
        assert_eq!(DkimSigner::new("example.org", "s", &not_a_key).unwrap_err(), DkimFault::NotAKey);
        let nonsense = SecretText::new("-----BEGIN PRIVATE KEY-----\nY2FuYXJ5\n-----END PRIVATE KEY-----\n".into());
        assert_eq!(DkimSigner::new("example.org", "s", &nonsense).unwrap_err(), DkimFault::UnusableKey);
        let key = SecretText::new(ED25519_PEM.into());
        for name in ["", "a..b", "a b", "a;d=b", "a\r\nb", "bücher.example"] {
            assert_eq!(DkimSigner::new(name, "s", &key).unwrap_err(), DkimFault::InvalidName, "{name:?}");
            assert_eq!(DkimSigner::new("example.org", name, &key).unwrap_err(), DkimFault::InvalidName, "{name:?}");
        }
        let (signer, _) = fixed();
        assert!(!format!("{signer:?}").contains("MC4"));
    }
}
