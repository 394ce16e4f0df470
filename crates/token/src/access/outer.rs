//! The outer header: its two possible texts, and the key id in it.
//!
//! Nothing here parses JSON. A header is one of two fixed texts around a key id and, for agreed keys, around 43
//! characters of base64url; a header that differs in one byte is refused.

use std::fmt;

use crate::encoding::{decode_exact, decode_into};
use crate::key::{KeyId, MAX_KEY_ID_BYTES, is_key_id};

/// RFC 7516 section 4.1 and, for `cty`, RFC 7519 section 5.2. The order of the members is part of the profile.
const DIRECT: [&str; 2] = [r#"{"alg":"dir","enc":"A256GCM","cty":"JWT","kid":""#, r#""}"#];
/// RFC 7518 section 4.6 with the key of RFC 8037 section 3.2. `apu` and `apv` are absent, which makes them empty.
const AGREED: [&str; 3] = [
    r#"{"alg":"ECDH-ES","enc":"A256GCM","cty":"JWT","kid":""#,
    r#"","epk":{"kty":"OKP","crv":"X25519","x":""#,
    r#""}}"#,
];
/// Characters of a public key of 32 bytes.
const POINT: usize = 43;
/// Bytes of the longest header there is.
const LONGEST: usize = AGREED[0].len() + MAX_KEY_ID_BYTES + AGREED[1].len() + POINT + AGREED[2].len();
/// Characters of the longest header segment.
const LONGEST_SEGMENT: usize = (LONGEST * 4).div_ceil(3);

/// The header of tokens that are encrypted under a shared key.
pub(crate) fn direct(kid: &KeyId) -> String {
    let [start, end] = DIRECT;
    format!("{start}{kid}{end}")
}

/// The header of tokens that are encrypted to a public key. `epk` is the ephemeral public key.
#[cfg(feature = "issue")]
pub(crate) fn agreed(kid: &KeyId, epk: &[u8; 32]) -> String {
    let [start, middle, end] = AGREED;
    format!("{start}{kid}{middle}{}{end}", crate::encoding::encode(epk))
}

/// A header that is, byte for byte, one of the profile.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Outer {
    pub(super) kid: NamedKey,
    /// The ephemeral public key, where the content key is agreed; `None` with `dir`.
    pub(super) epk: Option<[u8; 32]>,
}

impl Outer {
    /// Reads the header segment of a token. Decodes it once, into a buffer of fixed size.
    pub(super) fn read(segment: &str) -> Option<Self> {
        let mut buffer = [0; LONGEST];
        if segment.len() > LONGEST_SEGMENT {
            return None;
        }
        let header = str::from_utf8(decode_into(segment, &mut buffer)?).ok()?;
        if let Some(rest) = header.strip_prefix(DIRECT[0]) {
            return Some(Self { kid: NamedKey::new(rest.strip_suffix(DIRECT[1])?)?, epk: None });
        }
        let rest = header.strip_prefix(AGREED[0])?.strip_suffix(AGREED[2])?;
        let (kid, x) = rest.split_at_checked(rest.len().checked_sub(POINT)?)?;
        // Canonical base64url only: otherwise one point could be spelled in two tokens.
        Some(Self { kid: NamedKey::new(kid.strip_suffix(AGREED[1])?)?, epk: Some(decode_exact(x)?) })
    }
}

/// The key id in the header of a token that was not checked yet. Copied, compared and hashed without allocation, so
/// that it can be the key of a small cache of unknown ids.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct NamedKey {
    length: u8,
    /// Zeros behind the text.
    text: [u8; MAX_KEY_ID_BYTES],
}

impl NamedKey {
    fn new(text: &str) -> Option<Self> {
        if !is_key_id(text) {
            return None;
        }
        let mut buffer = [0; MAX_KEY_ID_BYTES];
        buffer.get_mut(..text.len())?.copy_from_slice(text.as_bytes());
        Some(Self { length: u8::try_from(text.len()).ok()?, text: buffer })
    }

    /// The id as text: what [`KeyId::new`] accepts.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Neither default is ever used: only `new` makes a value, from text of this alphabet and length.
        let text = self.text.get(..usize::from(self.length)).unwrap_or_default();
        str::from_utf8(text).unwrap_or_default()
    }
}

impl AsRef<str> for NamedKey {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl PartialEq<KeyId> for NamedKey {
    fn eq(&self, id: &KeyId) -> bool {
        self.as_str() == id.as_str()
    }
}

impl fmt::Display for NamedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for NamedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("NamedKey").field(&self.as_str()).finish()
    }
}

/// The id of the encryption key of `token`, if its outer header is byte for byte one of this profile. No key is needed
/// and nothing is checked: anybody can write this id, so use it only to look up a key or to remember that there is
/// none.
///
/// Reads no more than the longest possible header, however long the text is, and allocates nothing.
#[must_use]
pub fn named_key(token: &str) -> Option<NamedKey> {
    let bytes = token.as_bytes();
    let start = bytes.get(..=LONGEST_SEGMENT).unwrap_or(bytes);
    let end = start.iter().position(|byte| *byte == b'.')?;
    Outer::read(token.get(..end)?).map(|outer| outer.kid)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

    use super::*;
    use crate::encoding::encode;

    const X: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

    fn agreed_text(kid: &str, x: &str) -> String {
        let [start, middle, end] = AGREED;
        format!("{start}{kid}{middle}{x}{end}")
    }

    fn named(header: &str) -> Option<String> {
        named_key(&format!("{}.rest", encode(header))).map(|kid| kid.to_string())
    }

    #[test]
    fn every_key_id_is_found_in_either_header() {
        for kid in ["k", "-_-", &"k".repeat(MAX_KEY_ID_BYTES - 1), &"K".repeat(MAX_KEY_ID_BYTES)] {
            assert_eq!(named(&direct(&KeyId::new(kid).unwrap())).as_deref(), Some(kid));
            assert_eq!(named(&agreed_text(kid, X)).as_deref(), Some(kid));
        }
    }

    #[test]
    fn an_ephemeral_key_is_thirty_two_bytes_in_one_spelling() {
        assert_eq!(Outer::read(&encode(agreed_text("k", X))).unwrap().epk, Some([0; 32]));
        let trailing_bits = format!("{}B", &X[1..]);
        for x in ["", &X[1..], &format!("{X}A"), &format!("{X}="), &trailing_bits, &X.replacen('A', "+", 1)] {
            assert_eq!(named(&agreed_text("k", x)), None, "{x}");
        }
    }

    #[test]
    fn what_differs_in_one_byte_is_no_header() {
        for header in [direct(&KeyId::new("key").unwrap()), agreed_text("key", X)] {
            let variable = [header.find("key\"").map(|at| at..at + 3), header.find(X).map(|at| at..at + POINT)];
            for at in 0..header.len() {
                let mut bytes = header.clone().into_bytes();
                bytes[at] ^= 1;
                let another = named_key(&format!("{}.", encode(&bytes)));
                assert!(another.is_none() || variable.iter().flatten().any(|range| range.contains(&at)), "{at}");
                if !variable[0].iter().any(|range| range.contains(&at)) {
                    bytes.remove(at);
                    assert_eq!(named_key(&format!("{}.", encode(&bytes))), None, "{at} removed");
                }
            }
        }
    }

    #[test]
    fn a_name_outside_the_alphabet_or_too_long_is_no_name() {
        for kid in ["", "a b", "a\\u0041", "a\"", "ä", &"k".repeat(MAX_KEY_ID_BYTES + 1)] {
            let [start, end] = DIRECT;
            assert_eq!(named(&format!("{start}{kid}{end}")), None, "{kid}");
            assert_eq!(named(&agreed_text(kid, X)), None, "{kid}");
        }
    }

    #[test]
    fn a_header_ends_at_a_dot_within_its_length() {
        let header = encode(direct(&KeyId::new("k").unwrap()));
        assert_eq!(named_key(&header), None);
        assert_eq!(named_key(&format!("{header}=.")), None);
        assert_eq!(named_key(&format!(".{header}.")), None);
        assert_eq!(named_key(&format!("{}.", "A".repeat(1 << 20))), None);
        assert_eq!(named_key(&"ä".repeat(1 << 10)), None);
        assert_eq!(named_key(""), None);
    }
}
