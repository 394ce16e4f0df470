//! Request ids: the idempotency keys with which clients repeat a call whose answer was lost (Google AIP-155).

use std::time::Duration;

/// How long a repeated call is recognized.
pub const REQUEST_ID_LIFE: Duration = Duration::from_secs(24 * 60 * 60);

const MIN_CHARS: usize = 8;
const MAX_CHARS: usize = 64;

/// A text that the client chooses: 8 to 64 visible ASCII characters, preferably a random UUID.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId(String);

/// The text is not a valid request id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidRequestId;

impl RequestId {
    pub fn parse(text: &str) -> Result<Self, InvalidRequestId> {
        let well_formed = (MIN_CHARS..=MAX_CHARS).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
        if well_formed { Ok(Self(text.to_owned())) } else { Err(InvalidRequestId) }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_ids_are_short_and_visible() {
        assert!(RequestId::parse("0190b5a0-7b3c-7000-8000-000000000001").is_ok());
        for text in ["", "short", "with space", "line\nbreak", "ümläutümläut", &"x".repeat(65)] {
            assert_eq!(RequestId::parse(text), Err(InvalidRequestId), "{text:?}");
        }
    }
}
