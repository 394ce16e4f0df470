//! User names: the second kind of identifier for a login.

mod identifier_class;

use crate::text;
use std::collections::BTreeSet;
use unicode_normalization::UnicodeNormalization;

/// The fewest characters of a user name.
pub const MIN_USERNAME_CHARS: usize = 3;
/// The most characters of a user name.
pub const MAX_USERNAME_CHARS: usize = 32;

/// A user name, in any script: letters, marks and digits, with `.`, `-` and `_` between them. A new user name follows
/// the profile UsernameCaseMapped of RFC 8265, and is visible.
///
/// Two names are the same when they differ only by case or by compatibility forms; they are compared by
/// [`Username::normalised`]. Two names look the same when they have one of their [`Username::skeletons`] in common, and
/// only the first is given out. No name contains `@`, so a user name is never mistaken for an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Username {
    shown: String,
    normalised: String,
}

/// Why a text is not a valid user name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidUsername {
    TooShort,
    TooLong,
    ForbiddenCharacter,
    EdgeCharacter,
    MixedDirections,
}

impl InvalidUsername {
    pub fn describe(self) -> &'static str {
        match self {
            Self::TooShort => "has fewer than 3 characters",
            Self::TooLong => "has more than 32 characters",
            Self::ForbiddenCharacter => "may contain only letters, digits, '.', '-' and '_'",
            Self::EdgeCharacter => "must start and end with a letter or digit",
            Self::MixedDirections => "mixes left-to-right and right-to-left scripts",
        }
    }
}

impl Username {
    /// Parses a new user name (RFC 8265 section 3.3).
    pub fn parse(text: &str) -> Result<Self, InvalidUsername> {
        let name = Self::find(text)?;
        let chars: Vec<char> = name.shown.chars().collect();
        let is_allowed = |c: &char| !c.is_ascii() || c.is_ascii_alphanumeric() || is_joint(*c);
        let can_be_seen = |c: &char| !text::is_blank(*c) || text::is_joiner(*c);
        if !chars.iter().all(|c| is_allowed(c) && can_be_seen(c)) || !identifier_class::holds(&chars) {
            return Err(InvalidUsername::ForbiddenCharacter);
        }
        // A mark alone shows little or nothing. Behind letters it belongs to them.
        if chars.first().is_none_or(|c| text::is_mark(*c)) {
            return Err(InvalidUsername::EdgeCharacter);
        }
        if !identifier_class::has_one_direction(&chars) {
            return Err(InvalidUsername::MixedDirections);
        }
        Ok(name)
    }

    /// Parses a name that an account may already have, also one that an earlier release accepted and
    /// [`Username::parse`] does not.
    pub fn find(text: &str) -> Result<Self, InvalidUsername> {
        if text.len() > MAX_USERNAME_CHARS * 16 {
            return Err(InvalidUsername::TooLong);
        }
        let shown = text::nfc(&text::without_widths(text::trimmed(text)));
        let normalised = normalise(&shown);
        let (shown_length, length) = (shown.chars().count(), normalised.chars().count());
        if shown_length.max(length) > MAX_USERNAME_CHARS {
            return Err(InvalidUsername::TooLong);
        }
        let is_taken = |c| text::is_word(c) || text::is_joiner(c) || is_joint(c);
        if !shown.chars().chain(normalised.chars()).all(is_taken) {
            return Err(InvalidUsername::ForbiddenCharacter);
        }
        if shown_length.min(length) < MIN_USERNAME_CHARS {
            return Err(InvalidUsername::TooShort);
        }
        if shown.starts_with(is_joint) || shown.ends_with(is_joint) {
            return Err(InvalidUsername::EdgeCharacter);
        }
        Ok(Self { shown, normalised })
    }

    /// A stored name, which was parsed when it was stored.
    pub fn from_stored(shown: String, normalised: String) -> Self {
        Self { shown, normalised }
    }

    /// As the person wrote it.
    pub fn as_str(&self) -> &str {
        &self.shown
    }

    /// The form by which user names are compared.
    pub fn normalised(&self) -> &str {
        &self.normalised
    }

    /// The texts that names which look alike have in common (UTS 39 section 4): `раураӏ` in Cyrillic letters and
    /// `paypal`, `rn` and `m`. Not to be displayed, and not accepted at a login.
    ///
    /// One or two, in order: of the name as it is displayed, and of the name in lower case, in which people say and
    /// type it: `paypaI` looks like `paypal` and is typed `paypai`.
    pub fn skeletons(&self) -> BTreeSet<String> {
        [self.skeleton(), self.shown_skeleton()].into()
    }

    /// The skeleton of the name in lower case.
    pub fn skeleton(&self) -> String {
        skeleton(&self.normalised)
    }

    /// The skeleton of the name as it is displayed.
    pub fn shown_skeleton(&self) -> String {
        skeleton(&self.shown)
    }
}

/// The skeleton of UTS 39 distinguishes upper case from lower case, and some letters look like others in one of them
/// only. So the skeleton is converted to lower case, not the name: `ВОВ` in Cyrillic letters looks like `BOB`, and that
/// is `bob` in lower case.
fn skeleton(text: &str) -> String {
    let lower: String = unicode_security::skeleton(text).flat_map(char::to_lowercase).collect();
    unicode_security::skeleton(&lower).collect()
}

/// Compatibility decomposition and lower case, applied until nothing changes any more (Unicode TR 15 and 31). For the
/// characters that [`Username::parse`] accepts these are the mappings of RFC 8265.
fn normalise(text: &str) -> String {
    let once = |text: &str| text.nfkc().flat_map(char::to_lowercase).nfkc().collect::<String>();
    let first = once(text);
    let second = once(&first);
    if first == second { first } else { once(&second) }
}

fn is_joint(c: char) -> bool {
    matches!(c, '.' | '-' | '_')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn normalised(text: &str) -> String {
        Username::parse(text).unwrap().normalised
    }

    fn look_alike(one: &str, other: &str) -> bool {
        let [one, other] = [one, other].map(|text| Username::parse(text).unwrap().skeletons());
        !one.is_disjoint(&other)
    }

    #[test]
    fn names_in_any_script_are_user_names() {
        for name in ["ada", "ada.lovelace", "Ольга", "山田太郎", "josé_99", "नमस्ते", "김철수", "محمد", "می\u{200C}خواهم"]
        {
            assert!(Username::parse(name).is_ok(), "{name}");
        }
    }

    #[test]
    fn names_that_differ_only_by_case_or_form_are_the_same() {
        assert_eq!(normalised("Josefine"), normalised("JOSEFINE"));
        assert_eq!(normalised("josé"), normalised("JOSE\u{301}"));
        assert_eq!(normalised("Ada９"), normalised("ADA9"));
        assert_eq!(Username::find("Jose\u{FB01}ne").map(|n| n.normalised), Ok(normalised("Josefine")));
    }

    #[test]
    fn a_name_is_read_however_people_type_and_paste_it() {
        for text in [" Ada ", "Ada\t", "\u{A0}Ada\r\n", "\u{FEFF}Ada\u{200B}", "Ａｄａ\u{3000}"] {
            assert_eq!(Username::parse(text), Username::parse("Ada"), "{text:?}");
        }
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
            ("a\u{202E}da", ForbiddenCharacter),
            ("ada\u{200D}", ForbiddenCharacter),
            ("Jose\u{FB01}ne", ForbiddenCharacter),
            ("adaאבג", MixedDirections),
            (&"a".repeat(33), TooLong),
            (&"a".repeat(100_000), TooLong),
        ] {
            assert_eq!(Username::parse(text), Err(why), "{text:?}");
        }
    }

    #[test]
    fn what_cannot_be_seen_is_no_user_name_nor_part_of_one() {
        let names = [
            "admin\u{3164}",
            "admin\u{FE0F}",
            "\u{3164}\u{3164}\u{3164}",
            "ad\u{34F}min",
            "\u{13441}\u{13441}\u{13441}",
            "\u{17B4}ada",
        ];
        for name in names {
            assert_eq!(Username::parse(name), Err(InvalidUsername::ForbiddenCharacter), "{name:?}");
        }
        assert_eq!(Username::parse("\u{301}\u{301}\u{301}"), Err(InvalidUsername::EdgeCharacter));
    }

    #[test]
    fn names_that_look_the_same_have_one_skeleton() {
        for (one, other) in [
            ("paypal", "раураl"),
            ("arnold", "amold"),
            ("adal", "ada1"),
            ("scope", "ѕсоре"),
            ("Admin", "admin"),
            ("bob", "b0b"),
        ] {
            assert!(look_alike(one, other), "{one} {other}");
        }
        for (one, other) in
            [("ada", "eve"), ("josé", "jose"), ("ada2", "ada3"), ("ada.b", "ada-b"), ("elias", "ellas"), ("кот", "kot")]
        {
            assert!(!look_alike(one, other), "{one} {other}");
        }
    }

    #[test]
    fn names_look_the_same_in_the_case_in_which_they_are_shown() {
        for (one, other) in [
            ("paypal", "paypaI"),
            ("PayPal", "PAYPAI"),
            ("bob", "ВОВ"),
            ("BOB", "ВОВ"),
            ("KOT", "КОТ"),
            ("Ida", "lda"),
            ("Ida", "іdа"),
            ("pam", "РАМ"),
        ] {
            assert!(look_alike(one, other), "{one} {other}");
        }
        for (one, other) in [("ida", "lda"), ("Ali", "all"), ("paypal", "paypai"), ("bob", "вов")] {
            assert!(!look_alike(one, other), "{one} {other}");
        }
    }

    proptest! {
        #[test]
        fn normalising_twice_changes_nothing(text in "\\PC{3,32}") {
            if let Ok(name) = Username::find(&text) {
                prop_assert_eq!(normalise(&name.normalised), name.normalised);
            }
        }

        #[test]
        fn what_is_taken_is_compared_as_rfc_8265_has_it(text in "[\\p{L}\\p{M}\\p{Nd}]{3,12}") {
            if let Ok(name) = Username::parse(&text) {
                let mapped: String = name.shown.chars().flat_map(char::to_lowercase).nfc().collect();
                prop_assert_eq!(mapped, name.normalised);
            }
        }
    }
}
