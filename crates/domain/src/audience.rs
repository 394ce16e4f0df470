//! Audiences: groups of backends that read the same tokens and share one decryption key.

/// The audience that exists from the first start. A login that names no audience gets tokens for this one.
pub const DEFAULT_AUDIENCE: &str = "default";

/// Bytes in the name of an audience, at most.
pub const MAX_AUDIENCE_BYTES: usize = 64;

/// Whether `name` is a valid name of an audience: lower-case letters, digits, `.`, `-` and `_`, at most 64 of them.
pub fn is_audience_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= MAX_AUDIENCE_BYTES
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_audiences_are_plain() {
        assert!(is_audience_name("orders-eu.v2"));
        for other in ["", "Orders", "a b", "ä", "a\0b", &"a".repeat(65)] {
            assert!(!is_audience_name(other), "{other:?}");
        }
    }
}
