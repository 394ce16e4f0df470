//! The characters of user names: the IdentifierClass of PRECIS (RFC 8264), whose tables are those of RFC 5892.

use crate::text::{self, ZERO_WIDTH_JOINER, ZERO_WIDTH_NON_JOINER};
use icu_properties::{
    CodePointMapData,
    props::{BidiClass, HangulSyllableType, Script},
};
use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

/// The derived property of a character (RFC 8264 section 8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Derived {
    Valid,
    /// Valid where its contextual rule holds (RFC 5892 appendix A).
    InContext,
    Disallowed,
}

/// Whether all characters of a text are in the class, each where it is allowed.
pub(super) fn holds(text: &[char]) -> bool {
    (0..text.len()).all(|at| match derived(text[at]) {
        Derived::Valid => true,
        Derived::InContext => is_in_context(text, at),
        Derived::Disallowed => false,
    })
}

/// In the order of RFC 8264 section 8: the first that applies decides.
fn derived(c: char) -> Derived {
    if let Some(exception) = exception(c) {
        return exception;
    }
    if c.is_ascii() {
        return if c.is_ascii_graphic() { Derived::Valid } else { Derived::Disallowed };
    }
    if matches!(c, ZERO_WIDTH_JOINER | ZERO_WIDTH_NON_JOINER) {
        return Derived::InContext;
    }
    if is_old_hangul_jamo(c) || text::is_default_ignorable(c) || has_compatibility_form(c) {
        return Derived::Disallowed;
    }
    match c.general_category() {
        // LetterDigits (RFC 8264 section 9.1).
        GeneralCategory::LowercaseLetter
        | GeneralCategory::UppercaseLetter
        | GeneralCategory::OtherLetter
        | GeneralCategory::ModifierLetter
        | GeneralCategory::DecimalNumber
        | GeneralCategory::NonspacingMark
        | GeneralCategory::SpacingMark => Derived::Valid,
        _ => Derived::Disallowed,
    }
}

/// RFC 8264 section 9.6.
fn exception(c: char) -> Option<Derived> {
    Some(match c {
        '\u{DF}' | '\u{3C2}' | '\u{6FD}' | '\u{6FE}' | '\u{F0B}' | '\u{3007}' => Derived::Valid,
        '\u{B7}' | '\u{375}' | '\u{5F3}' | '\u{5F4}' | '\u{30FB}' => Derived::InContext,
        '\u{660}'..='\u{669}' | '\u{6F0}'..='\u{6F9}' => Derived::InContext,
        '\u{640}' | '\u{7FA}' | '\u{302E}' | '\u{302F}' | '\u{3031}'..='\u{3035}' | '\u{303B}' => Derived::Disallowed,
        _ => return None,
    })
}

/// Conjoining letters of Hangul (RFC 8264 section 9.9). In NFC modern Korean has none.
fn is_old_hangul_jamo(c: char) -> bool {
    use HangulSyllableType as Kind;
    matches!(CodePointMapData::<Kind>::new().get(c), Kind::LeadingJamo | Kind::VowelJamo | Kind::TrailingJamo)
}

/// HasCompat (RFC 8264 section 9.17): NFKC changes it.
fn has_compatibility_form(c: char) -> bool {
    let mut form = c.nfkc();
    (form.next(), form.next()) != (Some(c), None)
}

/// RFC 5892 appendices A.1 to A.9.
fn is_in_context(text: &[char], at: usize) -> bool {
    let before = at.checked_sub(1).map(|before| text[before]);
    let after = text.get(at + 1).copied();
    let is = |c: Option<char>, script: Script| c.is_some_and(|c| text::script(c) == script);
    match text[at] {
        ZERO_WIDTH_NON_JOINER => text::joins_here(text, at),
        ZERO_WIDTH_JOINER => before.is_some_and(text::is_virama),
        // Catalan `l·l`.
        '\u{B7}' => (before, after) == (Some('l'), Some('l')),
        '\u{375}' => is(after, Script::Greek),
        '\u{5F3}' | '\u{5F4}' => is(before, Script::Hebrew),
        '\u{30FB}' => {
            text.iter().any(|c| matches!(text::script(*c), Script::Hiragana | Script::Katakana | Script::Han))
        }
        '\u{660}'..='\u{669}' => !text.iter().any(|c| ('\u{6F0}'..='\u{6F9}').contains(c)),
        '\u{6F0}'..='\u{6F9}' => !text.iter().any(|c| ('\u{660}'..='\u{669}').contains(c)),
        _ => false,
    }
}

/// Whether a text with right-to-left characters is displayed in one way only (the Bidi Rule, RFC 5893 section 2). Texts
/// without such characters are.
pub(super) fn has_one_direction(text: &[char]) -> bool {
    use BidiClass as B;
    let class = |c: &char| CodePointMapData::<B>::new().get(*c);
    let classes: Vec<B> = text.iter().map(class).collect();
    let runs_left = [B::RightToLeft, B::ArabicLetter, B::ArabicNumber];
    if !classes.iter().any(|class| runs_left.contains(class)) {
        return true;
    }
    let neutral = [
        B::EuropeanSeparator,
        B::CommonSeparator,
        B::EuropeanTerminator,
        B::OtherNeutral,
        B::BoundaryNeutral,
        B::NonspacingMark,
    ];
    let last = classes.iter().rev().find(|class| **class != B::NonspacingMark);
    let are_all = |strong: &[B]| classes.iter().all(|class| strong.contains(class) || neutral.contains(class));
    match classes.first() {
        // Rules 2, 3 and 4.
        Some(&B::RightToLeft | &B::ArabicLetter) => {
            let ends = [B::RightToLeft, B::ArabicLetter, B::EuropeanNumber, B::ArabicNumber];
            let mixes_numbers = classes.contains(&B::EuropeanNumber) && classes.contains(&B::ArabicNumber);
            are_all(&ends) && last.is_some_and(|last| ends.contains(last)) && !mixes_numbers
        }
        // Rules 1, 5 and 6: a text that begins left-to-right contains nothing right-to-left.
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_of_the_class(text: &str) -> bool {
        holds(&text.chars().collect::<Vec<_>>())
    }

    #[test]
    fn letters_and_digits_of_all_scripts_are_of_the_class() {
        for text in
            ["ada", "Ольга", "山田太郎", "नमस्ते", "محمد", "straße", "ὀδυσσεύς", "김철수", "l·l", "カ・ナ", "ג׳ים", "٤٢"]
        {
            assert!(is_of_the_class(text), "{text}");
        }
    }

    #[test]
    fn what_looks_like_something_else_or_like_nothing_is_not() {
        let texts = [
            "\u{3164}",
            "\u{115F}",
            "a\u{FE0F}",
            "a\u{34F}",
            "ﬁ",
            "Ⅳ",
            "①",
            "ａ",
            "a\u{AD}",
            "٤۲",
            "a·b",
            "a\u{200D}b",
            "a b",
            "\u{7FA}",
            "ㅋㅋㅋ",
            "\u{E000}",
            "a\u{20DD}",
            "½",
        ];
        for text in texts {
            assert!(!is_of_the_class(text), "{text:?}");
        }
    }

    #[test]
    fn joiners_are_of_the_class_where_the_script_needs_them() {
        for text in ["क्\u{200D}ष", "क्\u{200C}ष", "می\u{200C}خواهم"] {
            assert!(is_of_the_class(text), "{text:?}");
        }
        for text in ["ada\u{200C}", "a\u{200C}da", "\u{200D}", "محمد\u{200D}"] {
            assert!(!is_of_the_class(text), "{text:?}");
        }
    }

    #[test]
    fn a_name_is_displayed_in_one_way() {
        for text in ["ada42", "אבג", "אבג42", "محمد٤٢"] {
            assert!(has_one_direction(&text.chars().collect::<Vec<_>>()), "{text}");
        }
        for text in ["אבגada", "adaאבג", "4אבג", "אבג-", "محمد4٢"] {
            assert!(!has_one_direction(&text.chars().collect::<Vec<_>>()), "{text}");
        }
    }
}
