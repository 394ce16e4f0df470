//! Names that are shown: of a person, of a device.

use crate::text;

/// Characters in a shown name, at most.
pub const MAX_DISPLAY_NAME_CHARS: usize = 100;

/// A name to show, in any script: trimmed, in NFC, at most 100 characters, possibly empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DisplayName(String);

/// Why a text cannot be a shown name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidDisplayName {
    TooLong,
    ForbiddenCharacter,
}

impl InvalidDisplayName {
    pub fn describe(self) -> &'static str {
        match self {
            Self::TooLong => "has more than 100 characters",
            Self::ForbiddenCharacter => "contains a control or invisible character",
        }
    }
}

impl DisplayName {
    pub fn parse(text: &str) -> Result<Self, InvalidDisplayName> {
        // Bounded before the normalisation, which is linear but not free.
        if text.len() > MAX_DISPLAY_NAME_CHARS * 16 {
            return Err(InvalidDisplayName::TooLong);
        }
        let name = text::nfc(text.trim());
        if name.chars().count() > MAX_DISPLAY_NAME_CHARS {
            return Err(InvalidDisplayName::TooLong);
        }
        if name.chars().any(text::is_forbidden_in_names) {
            return Err(InvalidDisplayName::ForbiddenCharacter);
        }
        Ok(Self(name))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_any_script_are_names() {
        for name in ["Zoë Œuvré", "山田太郎", "Ольга", "محمد", "नमस्ते", "O'Neil", "👩‍🚀 Ada", ""]
        {
            assert!(DisplayName::parse(name).is_ok(), "{name}");
        }
        assert_eq!(DisplayName::parse("  Ada \n").map(|n| n.0), Ok("Ada".to_owned()));
    }

    #[test]
    fn what_reorders_hides_or_breaks_lines_is_refused() {
        for name in ["a\0b", "a\nb", "a\u{202E}b", "a\u{2066}b", "a\u{2028}b", "a\u{E000}b", "a\u{200B}b"] {
            assert_eq!(DisplayName::parse(name), Err(InvalidDisplayName::ForbiddenCharacter), "{name:?}");
        }
        assert_eq!(DisplayName::parse(&"x".repeat(101)), Err(InvalidDisplayName::TooLong));
        assert_eq!(DisplayName::parse(&"x".repeat(1_000_000)), Err(InvalidDisplayName::TooLong));
    }
}
