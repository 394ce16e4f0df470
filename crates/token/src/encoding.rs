//! Segments and base64url, read strictly.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Unpadded base64url (RFC 4648 section 5) of `bytes`.
pub(crate) fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Decodes unpadded base64url. Padding, white space and non-zero trailing bits are refused: every byte string has
/// exactly one text, so a token cannot be rewritten into a second one that a cache or a log would take for another.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// Decodes base64url that must come to exactly `N` bytes; any other length is refused before it is decoded.
pub(crate) fn decode_exact<const N: usize>(text: &str) -> Option<[u8; N]> {
    if text.len() != (N * 4).div_ceil(3) {
        return None;
    }
    decode(text)?.try_into().ok()
}

/// Splits at dots into exactly `N` segments, which may be empty.
pub(crate) fn segments<const N: usize>(text: &str) -> Option<[&str; N]> {
    let mut rest = text.split('.');
    let mut found = [""; N];
    for segment in &mut found {
        *segment = rest.next()?;
    }
    rest.next().is_none().then_some(found)
}

/// Whether `text` may stand in a token: not empty, at most `max` bytes, no control characters (it ends up in logs).
pub(crate) fn plain(text: &str, max: usize) -> bool {
    !text.is_empty() && text.len() <= max && !text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_white_space_and_trailing_bits_are_refused() {
        assert_eq!(decode("AA"), Some(vec![0]));
        for text in ["AA==", "AA=", "AB", "A", "A A", "AA\n", "A+", "A/", "AAB"] {
            assert_eq!(decode(text), None, "{text:?}");
        }
    }

    #[test]
    fn exact_lengths_are_exact() {
        assert_eq!(decode_exact::<1>("AA"), Some([0]));
        assert_eq!(decode_exact::<2>("AA"), None);
        assert_eq!(decode_exact::<1>("AAA"), None);
        assert_eq!(decode_exact::<0>(""), Some([]));
    }

    #[test]
    fn segments_are_counted_exactly() {
        assert_eq!(segments::<3>("a..c"), Some(["a", "", "c"]));
        assert_eq!(segments::<3>("a.b"), None);
        assert_eq!(segments::<3>("a.b.c."), None);
    }
}
