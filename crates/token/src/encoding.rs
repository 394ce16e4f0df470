//! Segments and base64url, read strictly.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Unpadded base64url (RFC 4648 section 5) of `bytes`.
pub(crate) fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Appends the unpadded base64url of `bytes`.
#[cfg(feature = "issue")]
pub(crate) fn encode_onto(bytes: impl AsRef<[u8]>, text: &mut String) {
    URL_SAFE_NO_PAD.encode_string(bytes, text);
}

/// Decodes unpadded base64url. Padding, white space and non-zero trailing bits are refused: every byte string has
/// exactly one text, so an attacker cannot rewrite a token into a second text that caches and logs would treat as
/// another token.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    decode_with_room(text, 0)
}

/// Decodes as [`decode`] does, into a vector with capacity for `room` more bytes.
pub(crate) fn decode_with_room(text: &str, room: usize) -> Option<Vec<u8>> {
    // Four characters make three bytes. The library rounds up to a whole group.
    let mut bytes = Vec::with_capacity((text.len() / 4 + 1) * 3 + room);
    URL_SAFE_NO_PAD.decode_vec(text, &mut bytes).ok()?;
    Some(bytes)
}

/// Decodes into `buffer` and returns the filled part. `None` also when the buffer is too small.
pub(crate) fn decode_into<'a>(text: &str, buffer: &'a mut [u8]) -> Option<&'a [u8]> {
    let length = URL_SAFE_NO_PAD.decode_slice(text, buffer).ok()?;
    buffer.get(..length)
}

/// Decodes base64url that must come to exactly `N` bytes; any other length is refused before it is decoded.
pub(crate) fn decode_exact<const N: usize>(text: &str) -> Option<[u8; N]> {
    if text.len() != (N * 4).div_ceil(3) {
        return None;
    }
    let mut bytes = [0; N];
    (decode_into(text, &mut bytes)?.len() == N).then_some(bytes)
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

/// Whether `text` is allowed in a token: not empty, at most `max` bytes, no control characters (it ends up in logs).
pub(crate) fn plain(text: &str, max: usize) -> bool {
    let printable = |byte: u8| (b' '..=b'~').contains(&byte);
    // Nearly all text is ASCII without control characters, and checking bytes is several times faster than checking
    // characters.
    let no_control = || text.bytes().all(printable) || !text.chars().any(char::is_control);
    !text.is_empty() && text.len() <= max && no_control()
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
        assert_eq!(decode_into("AAAA", &mut [1; 3]), Some([0; 3].as_slice()));
        assert_eq!(decode_into("AAAA", &mut [1; 4]), Some([0; 3].as_slice()));
        assert_eq!(decode_into("AAAA", &mut [1; 2]), None);
    }

    #[test]
    fn segments_are_counted_exactly() {
        assert_eq!(segments::<3>("a..c"), Some(["a", "", "c"]));
        assert_eq!(segments::<3>("a.b"), None);
        assert_eq!(segments::<3>("a.b.c."), None);
    }
}
