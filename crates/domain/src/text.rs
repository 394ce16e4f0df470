//! Rules for all texts that people type. Each kind of text has one function that parses it (`EmailAddress::parse`,
//! `Username::parse`, `DisplayName::parse`, `ActionCode::parse`, `TotpCode::parse`, `BackupCode::parse`,
//! `action::link_token`), and each of those begins with these.

use crate::secret::SecretText;
use icu_properties::{
    CodePointMapData, CodePointSetData,
    props::{
        CanonicalCombiningClass, DefaultIgnorableCodePoint, Emoji, EmojiModifier, ExtendedPictographic, JoiningType,
        Script, UnifiedIdeograph,
    },
};
use std::borrow::Cow;
use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};

pub(crate) const ZERO_WIDTH_NON_JOINER: char = '\u{200C}';
pub(crate) const ZERO_WIDTH_JOINER: char = '\u{200D}';

/// Canonical composition (NFC), so that the same text typed on two keyboards is the same text.
pub(crate) fn nfc(text: &str) -> String {
    // Nothing in ASCII is composed.
    if text.is_ascii() { text.to_owned() } else { text.nfc().collect() }
}

/// The text without what copying, pasting and input methods leave at its ends: white space of any width (U+00A0,
/// U+3000, tabs, line ends) and invisible format characters (U+200B, U+FEFF, direction marks). A zero-width joiner
/// stays: several scripts need it.
pub(crate) fn trimmed(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || is_invisible_format(c))
}

/// Format characters without a glyph. The tags of U+E0000 are left out: they belong to the flag before them.
fn is_invisible_format(c: char) -> bool {
    c.general_category() == GeneralCategory::Format
        && is_default_ignorable(c)
        && c != ZERO_WIDTH_JOINER
        && c < '\u{E0000}'
}

/// Full-width and half-width forms as the characters they are forms of (the width mapping of RFC 8264 section 5.2.1).
/// Input methods of East Asia write them: `４２` is `42`.
pub(crate) fn without_widths(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return text.into();
    }
    let mut mapped = String::with_capacity(text.len());
    for c in text.chars() {
        if c == '\u{3000}' || ('\u{FF01}'..='\u{FFEE}').contains(&c) {
            mapped.extend(c.nfkc());
        } else {
            mapped.push(c);
        }
    }
    mapped.into()
}

/// Whether a character shows nothing (Unicode, `Default_Ignorable_Code_Point`): joiners, variation selectors, the
/// fillers of Hangul, direction marks, tags. The rule uses the property instead of categories: U+3164 has the category
/// Lo.
pub(crate) fn is_default_ignorable(c: char) -> bool {
    CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c)
}

/// Whether a character shows nothing, ignorable or not: white space, and the blanks that are letters, marks or symbols
/// by category.
pub(crate) fn is_blank(c: char) -> bool {
    const BLANK_SYMBOLS: [char; 4] = ['\u{2800}', '\u{13441}', '\u{13442}', '\u{1D159}'];
    c.is_whitespace() || is_default_ignorable(c) || BLANK_SYMBOLS.contains(&c)
}

/// Letters, marks and numbers of any script.
pub(crate) fn is_word(c: char) -> bool {
    matches!(
        c.general_category_group(),
        GeneralCategoryGroup::Letter | GeneralCategoryGroup::Mark | GeneralCategoryGroup::Number
    )
}

pub(crate) fn is_mark(c: char) -> bool {
    c.general_category_group() == GeneralCategoryGroup::Mark
}

/// Zero-width joiner and non-joiner: several scripts cannot be written without them.
pub(crate) fn is_joiner(c: char) -> bool {
    matches!(c, ZERO_WIDTH_JOINER | ZERO_WIDTH_NON_JOINER)
}

/// The value of a decimal digit of any script: `7`, `７` and `٧` are 7.
pub(crate) fn digit(c: char) -> Option<u8> {
    if c.is_ascii() {
        return c.to_digit(10).and_then(|value| u8::try_from(value).ok());
    }
    let is_decimal =
        |code: u32| char::from_u32(code).is_some_and(|c| c.general_category() == GeneralCategory::DecimalNumber);
    // Decimal digits are encoded in runs of ten, from 0 to 9 (Unicode Standard, section 4.6). The longest sequence of
    // runs has 50.
    let code = u32::from(c);
    let before = (0..50).take_while(|back| is_decimal(code - back)).count();
    u8::try_from(before.checked_sub(1)? % 10).ok()
}

/// Whether the character at `at` is refused in names: controls, line separators, private and unassigned code points,
/// the format characters that reorder or hide text (CVE-2021-42574), and every other invisible character, unless its
/// neighbours need it to be displayed correctly.
pub(crate) fn is_forbidden_in_names(text: &[char], at: usize) -> bool {
    let c = text[at];
    match c.general_category() {
        GeneralCategory::Control
        | GeneralCategory::LineSeparator
        | GeneralCategory::ParagraphSeparator
        | GeneralCategory::PrivateUse
        | GeneralCategory::Surrogate
        | GeneralCategory::Unassigned => true,
        _ => is_default_ignorable(c) && !is_needed(text, at),
    }
}

/// Whether an ignorable character changes the appearance of its neighbours: joiners in scripts that are written with
/// them and between emoji, selectors behind characters with variants (Unicode Standard, section 23.4; UTS 51).
fn is_needed(text: &[char], at: usize) -> bool {
    let before = at.checked_sub(1).map(|before| text[before]);
    let after = text.get(at + 1).copied();
    let (pictographic, emoji) = (CodePointSetData::new::<ExtendedPictographic>(), CodePointSetData::new::<Emoji>());
    let modifier = CodePointSetData::new::<EmojiModifier>();
    let Some(before) = before else { return false };
    match text[at] {
        ZERO_WIDTH_NON_JOINER => joins_here(text, at),
        ZERO_WIDTH_JOINER => {
            let is_picture = pictographic.contains(before) || modifier.contains(before) || before == '\u{FE0F}';
            joins_here(text, at)
                || joining_type(before) == JoiningType::DualJoining
                || (is_picture && after.is_some_and(|after| pictographic.contains(after)))
        }
        '\u{FE00}'..='\u{FE0F}' => emoji.contains(before) || is_ideograph(before),
        '\u{E0100}'..='\u{E01EF}' => is_ideograph(before),
        '\u{180B}'..='\u{180D}' | '\u{180F}' => script(before) == Script::Mongolian,
        _ => false,
    }
}

/// Whether a joiner or non-joiner is where RFC 5892 appendix A.1 allows it: behind a virama, or between letters that
/// join.
pub(crate) fn joins_here(text: &[char], at: usize) -> bool {
    let (before, after) = (&text[..at], text.get(at + 1..).unwrap_or_default());
    if before.last().is_some_and(|c| is_virama(*c)) {
        return true;
    }
    let first = |kind: JoiningType| kind != JoiningType::Transparent;
    let left = before.iter().rev().map(|c| joining_type(*c)).find(|kind| first(*kind));
    let right = after.iter().map(|c| joining_type(*c)).find(|kind| first(*kind));
    matches!(left, Some(JoiningType::LeftJoining | JoiningType::DualJoining))
        && matches!(right, Some(JoiningType::RightJoining | JoiningType::DualJoining))
}

pub(crate) fn is_virama(c: char) -> bool {
    CodePointMapData::<CanonicalCombiningClass>::new().get(c) == CanonicalCombiningClass::Virama
}

fn joining_type(c: char) -> JoiningType {
    CodePointMapData::<JoiningType>::new().get(c)
}

pub(crate) fn script(c: char) -> Script {
    CodePointMapData::<Script>::new().get(c)
}

fn is_ideograph(c: char) -> bool {
    CodePointSetData::new::<UnifiedIdeograph>().contains(c)
}

/// The most bytes of a typed code: as a person may type it with a separator after each character, in a script whose
/// characters have four bytes.
const MAX_TYPED_BYTES: usize = 256;

/// Reads a code that a person typed or pasted, with white space, hyphens and invisible marks anywhere. `meant` says
/// which character of the code a typed one stands for. `None` when one stands for none, or there are not so many.
pub(crate) fn typed_code(typed: &str, count: usize, meant: impl Fn(char) -> Option<char>) -> Option<SecretText> {
    if typed.len() > MAX_TYPED_BYTES {
        return None;
    }
    // With room for any code: a string that grows leaves its parts behind.
    let mut code = String::with_capacity(MAX_TYPED_BYTES);
    let is_between = |c: &char| c.is_whitespace() || is_hyphen(*c) || is_default_ignorable(*c);
    let mut meant = typed.chars().filter(|c| !is_between(c)).map(meant);
    let is_known = meant.all(|c| c.inspect(|c| code.push(*c)).is_some());
    // Moved into a `SecretText` before it is judged, so that it is wiped in every case.
    let code = SecretText::new(code);
    (is_known && code.reveal().len() == count).then_some(code)
}

/// Reads a code of so many digits, of any script.
pub(crate) fn typed_digits(typed: &str, count: usize) -> Option<SecretText> {
    typed_code(typed, count, |c| digit(c).map(|value| char::from(b'0' + value)))
}

fn is_hyphen(c: char) -> bool {
    matches!(c, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{FF0D}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_pasting_leaves_at_the_ends_is_taken_off_and_nothing_else() {
        for text in
            ["ada", " ada\t", "\u{A0}ada\u{3000}", "\u{FEFF}ada\r\n", "\u{200B}ada\u{200E}", "\u{2066}ada\u{2069} "]
        {
            assert_eq!(trimmed(text), "ada", "{text:?}");
        }
        for text in ["a d a", "ada\u{FE0F}", "ada\u{3164}", "❤\u{FE0F}", "क्\u{200D}"] {
            assert_eq!(trimmed(text), text, "{text:?}");
        }
    }

    #[test]
    fn forms_of_other_widths_are_the_characters_they_are_forms_of() {
        assert_eq!(without_widths("ＡＤＡ＠４２．ｏｒｇ"), "ADA@42.org");
        assert_eq!(nfc(&without_widths("ｶﾞ")), "ガ");
        assert_eq!(without_widths("ﬁ①"), "ﬁ①");
    }

    #[test]
    fn a_digit_of_any_script_has_its_value() {
        for zero in ['0', '\u{660}', '\u{6F0}', '\u{966}', '\u{FF10}', '\u{1D7CE}', '\u{1D7F6}', '\u{1E950}'] {
            for value in 0..10 {
                let digit_of = char::from_u32(u32::from(zero) + u32::from(value)).unwrap();
                assert_eq!(digit(digit_of), Some(value), "{digit_of:?}");
            }
        }
        for other in ['a', '²', '①', '½', '一', 'Ⅳ'] {
            assert_eq!(digit(other), None, "{other:?}");
        }
    }

    #[test]
    fn what_shows_nothing_is_known_by_its_property() {
        for c in
            ['\u{3164}', '\u{FE0F}', '\u{115F}', '\u{FFA0}', '\u{34F}', '\u{17B4}', '\u{200D}', '\u{E0041}', '\u{AD}']
        {
            assert!(is_default_ignorable(c) && is_blank(c), "{c:?}");
        }
        assert!(is_blank('\u{2800}') && !is_default_ignorable('\u{2800}'));
        assert!(!is_blank('a') && !is_blank('\u{301}'));
    }
}
