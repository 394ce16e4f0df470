//! User names: the second thing a person may log in with.

use crate::text;
use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};

/// Characters in a user name, at least.
pub const MIN_USERNAME_CHARS: usize = 3;
/// Characters in a user name, at most.
pub const MAX_USERNAME_CHARS: usize = 32;

/// A user name, in any script: letters, marks and digits, with `.`, `-` and `_` between them.
///
/// Two names are the same when they differ only by case or by compatibility forms; that comparison is made on
/// [`Username::normalised`]. No name contains `@`, so a user name is never mistaken for an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Username {
    shown: String,
    normalised: String,
}

/// Why a text cannot be a user name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidUsername {
    TooShort,
    TooLong,
    ForbiddenCharacter,
    EdgeCharacter,
}

impl InvalidUsername {
    pub fn describe(self) -> &'static str {
        match self {
            Self::TooShort => "has fewer than 3 characters",
            Self::TooLong => "has more than 32 characters",
            Self::ForbiddenCharacter => "may contain only letters, digits, '.', '-' and '_'",
            Self::EdgeCharacter => "must start and end with a letter or digit",
        }
    }
}

impl Username {
    pub fn parse(text: &str) -> Result<Self, InvalidUsername> {
        if text.len() > MAX_USERNAME_CHARS * 16 {
            return Err(InvalidUsername::TooLong);
        }
        let shown = text::nfc(text.trim());
        let normalised = normalise(&shown);
        let longest = shown.chars().count().max(normalised.chars().count());
        if longest > MAX_USERNAME_CHARS {
            return Err(InvalidUsername::TooLong);
        }
        if !shown.chars().chain(normalised.chars()).all(|c| is_word(c) || is_joint(c)) {
            return Err(InvalidUsername::ForbiddenCharacter);
        }
        if shown.chars().count() < MIN_USERNAME_CHARS || normalised.chars().count() < MIN_USERNAME_CHARS {
            return Err(InvalidUsername::TooShort);
        }
        if shown.starts_with(is_joint) || shown.ends_with(is_joint) {
            return Err(InvalidUsername::EdgeCharacter);
        }
        Ok(Self { shown, normalised })
    }

    /// As the person wrote it.
    pub fn as_str(&self) -> &str {
        &self.shown
    }

    /// What two user names are compared by.
    pub fn normalised(&self) -> &str {
        &self.normalised
    }
}

/// Compatibility decomposition and lower case, applied until nothing changes any more (Unicode TR 15 and 31).
fn normalise(text: &str) -> String {
    let once = |text: &str| text.nfkc().flat_map(char::to_lowercase).nfkc().collect::<String>();
    let first = once(text);
    let second = once(&first);
    if first == second { first } else { once(&second) }
}

fn is_word(c: char) -> bool {
    matches!(
        c.general_category_group(),
        GeneralCategoryGroup::Letter | GeneralCategoryGroup::Mark | GeneralCategoryGroup::Number
    )
}

fn is_joint(c: char) -> bool {
    matches!(c, '.' | '-' | '_')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_in_any_script_are_user_names() {
        for name in ["ada", "ada.lovelace", "Ольга", "山田太郎", "josé_99", "नमस्ते"] {
            assert!(Username::parse(name).is_ok(), "{name}");
        }
    }

    #[test]
    fn names_that_differ_only_by_case_or_form_are_the_same() {
        let plain = Username::parse("Josefine").map(|n| n.normalised);
        assert_eq!(plain, Username::parse("JOSEFINE").map(|n| n.normalised));
        assert_eq!(plain, Username::parse("Jose\u{FB01}ne").map(|n| n.normalised));
        assert_eq!(Username::parse("josé").map(|n| n.normalised), Username::parse("JOSE\u{301}").map(|n| n.normalised));
    }

    #[test]
    fn what_is_not_a_user_name_is_told_why() {
        use InvalidUsername::*;
        for (text, why) in [
            ("ab", TooShort),
            ("", TooShort),
            (".ada", EdgeCharacter),
            ("ada-", EdgeCharacter),
            ("ada@example.org", ForbiddenCharacter),
            ("ada love", ForbiddenCharacter),
            ("ada\0", ForbiddenCharacter),
            ("ada\u{202E}", ForbiddenCharacter),
            ("ada\u{200D}", ForbiddenCharacter),
            (&"a".repeat(33), TooLong),
            (&"a".repeat(100_000), TooLong),
        ] {
            assert_eq!(Username::parse(text), Err(why), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn normalising_twice_changes_nothing(text in "\\PC{3,32}") {
            if let Ok(name) = Username::parse(&text) {
                prop_assert_eq!(normalise(&name.normalised), name.normalised);
            }
        }
    }
}
