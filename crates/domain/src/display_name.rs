//! Display names: of a person, of a device.

use crate::text;

/// The most characters of a display name.
pub const MAX_DISPLAY_NAME_CHARS: usize = 100;

/// A display name, in any script: trimmed, in NFC, at most 100 characters, possibly empty. A display name that is not
/// empty has a visible character.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DisplayName(String);

/// Why a text is not a valid display name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidDisplayName {
    TooLong,
    ForbiddenCharacter,
    Unseen,
}

impl InvalidDisplayName {
    pub fn describe(self) -> &'static str {
        match self {
            Self::TooLong => "has more than 100 characters",
            Self::ForbiddenCharacter => "contains a control or invisible character",
            Self::Unseen => "has no visible character",
        }
    }
}

impl DisplayName {
    pub fn parse(text: &str) -> Result<Self, InvalidDisplayName> {
        // Bounded before the normalisation, which is linear but not free.
        if text.len() > MAX_DISPLAY_NAME_CHARS * 16 {
            return Err(InvalidDisplayName::TooLong);
        }
        let name = text::nfc(text::trimmed(text));
        let chars: Vec<char> = name.chars().collect();
        if chars.len() > MAX_DISPLAY_NAME_CHARS {
            return Err(InvalidDisplayName::TooLong);
        }
        if (0..chars.len()).any(|at| text::is_forbidden_in_names(&chars, at)) {
            return Err(InvalidDisplayName::ForbiddenCharacter);
        }
        if !chars.is_empty() && chars.iter().all(|c| text::is_blank(*c)) {
            return Err(InvalidDisplayName::Unseen);
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
        for text in ["  Ada \n", "\u{A0}Ada\u{3000}", "\u{FEFF}Ada\u{200B}"] {
            assert_eq!(DisplayName::parse(text).map(|n| n.0), Ok("Ada".to_owned()), "{text:?}");
        }
    }

    #[test]
    fn invisible_characters_stay_where_writing_needs_them() {
        let names = [
            "Ada ❤\u{FE0F}",
            "👩🏽\u{200D}🚀",
            "🏳\u{FE0F}\u{200D}🌈",
            "葛\u{E0100}城",
            "ශ්\u{200D}රී",
            "क्\u{200C}ष",
            "می\u{200C}خواهم",
            "ᠠ\u{180B}",
        ];
        for name in names {
            assert_eq!(DisplayName::parse(name).map(|n| n.0), Ok(name.to_owned()), "{name:?}");
        }
    }

    #[test]
    fn what_cannot_be_seen_is_no_name_nor_part_of_one() {
        let parts = [
            "Ada\u{3164}",
            "Ada\u{FE0F}",
            "Ad\u{200D}a",
            "Ad\u{200C}a",
            "\u{115F}\u{1160}",
            "A\u{34F}da",
            "A\u{E0101}",
        ];
        for name in parts {
            assert_eq!(DisplayName::parse(name), Err(InvalidDisplayName::ForbiddenCharacter), "{name:?}");
        }
        for name in ["\u{2800}", "\u{2800} \u{2800}", "\u{13441}"] {
            assert_eq!(DisplayName::parse(name), Err(InvalidDisplayName::Unseen), "{name:?}");
        }
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
