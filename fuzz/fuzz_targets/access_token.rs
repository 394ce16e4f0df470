//! The reader answers every text without a panic, and accepts no token that was not issued. `fuzz/README.md` describes
//! how to run it.
#![no_main]

mod forge;

use std::sync::LazyLock;

use arbitrary::Arbitrary;
use countersign_token::{KeyId, Rejected, named_key};
use forge::Forge;
use libfuzzer_sys::fuzz_target;

static FORGE: LazyLock<Forge> = LazyLock::new(Forge::new);

#[derive(Arbitrary, Debug)]
enum Input<'a> {
    /// Any text.
    Text(&'a str),
    /// A valid token with changes.
    Damaged { which: u8, changes: Vec<Change<'a>> },
    /// Any outer header on a valid token.
    Header { which: u8, header: &'a [u8] },
    /// Any plaintext, encrypted under the right key.
    Inner { agreed: bool, plaintext: &'a [u8] },
    /// Any payload, signed and encrypted under the right keys.
    Claims { agreed: bool, payload: &'a [u8] },
}

#[derive(Arbitrary, Debug)]
enum Change<'a> {
    Byte { at: u16, to: u8 },
    Cut { from: u16, length: u16 },
    Insert { at: u16, text: &'a str },
    Swap { one: u8, other: u8 },
    Borrow { which: u8, segment: u8 },
}

impl Change<'_> {
    fn apply(&self, text: String) -> String {
        let mut bytes = text.clone().into_bytes();
        let places = bytes.len() + 1;
        let place = |at: u16| usize::from(at) % places;
        match *self {
            Self::Byte { at, to } => {
                if let Some(byte) = bytes.get_mut(place(at)) {
                    *byte = to;
                }
            }
            Self::Cut { from, length } => {
                let from = place(from);
                bytes.drain(from..bytes.len().min(from + usize::from(length)));
            }
            Self::Insert { at, text } => {
                let at = place(at);
                bytes.splice(at..at, text.bytes());
            }
            Self::Swap { one, other } => {
                let mut segments: Vec<&str> = text.split('.').collect();
                let places = segments.len();
                segments.swap(usize::from(one) % places, usize::from(other) % places);
                return segments.join(".");
            }
            Self::Borrow { which, segment } => {
                let mut segments: Vec<&str> = text.split('.').collect();
                let at = usize::from(segment) % segments.len();
                if let Some(borrowed) = FORGE.good(which).split('.').nth(at) {
                    segments[at] = borrowed;
                }
                return segments.join(".");
            }
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

/// The reader accepts only tokens that were issued, and a token whose key it found has a key id.
fn stands_up_to(text: &str) {
    let read = FORGE.reader.read(text, FORGE.now);
    assert!(read.is_err() || FORGE.accepted.iter().any(|good| good == text), "accepted: {text}");
    match named_key(text) {
        Some(kid) => assert!(KeyId::new(kid.as_str()).is_ok_and(|id| kid == id)),
        None => assert!(matches!(
            read,
            Err(Rejected::TooLong | Rejected::WrongType | Rejected::Malformed | Rejected::UnknownKey)
        )),
    }
}

fuzz_target!(|input: Input<'_>| match input {
    Input::Text(text) => stands_up_to(text),
    Input::Damaged { which, changes } => {
        let good = FORGE.good(which).to_owned();
        stands_up_to(&changes.iter().fold(good, |text, change| change.apply(text)));
    }
    Input::Header { which, header } => {
        let rest = FORGE.good(which).split_once('.').map_or("", |(_, rest)| rest);
        stands_up_to(&format!("{}.{rest}", forge::encode(header)));
    }
    Input::Inner { agreed, plaintext } => {
        let read = FORGE.reader.read(&FORGE.encrypted(agreed, plaintext), FORGE.now);
        assert!(read.is_err() || FORGE.inner.as_bytes() == plaintext, "accepted: {plaintext:?}");
    }
    Input::Claims { agreed, payload } => {
        let inner = FORGE.signed(payload);
        if let Ok(claims) = FORGE.reader.read(&FORGE.encrypted(agreed, inner.as_bytes()), FORGE.now) {
            // Signed by the right key, so it may be accepted, if it satisfies the profile.
            assert!(claims.expires_at > FORGE.now && claims.issued_at < claims.expires_at);
            assert!(claims.roles.len() <= 32 && claims.methods.len() <= 8);
            assert!(claims.roles.iter().chain([&claims.subject]).all(|name| (1..=64).contains(&name.len())));
        }
    }
});
