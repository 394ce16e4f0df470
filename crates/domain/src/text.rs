//! What every text a person may choose has in common.

use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

/// Canonical composition (NFC), so that the same text typed on two keyboards is the same text.
pub(crate) fn nfc(text: &str) -> String {
    text.nfc().collect()
}

/// Whether a character has no business in a name: controls, line separators, surrogates, private and unassigned code
/// points, and the invisible format characters that reorder or hide text (CVE-2021-42574). The zero-width joiner and
/// non-joiner stay allowed: several scripts cannot be written without them.
pub(crate) fn is_forbidden_in_names(c: char) -> bool {
    const ZERO_WIDTH_NON_JOINER: char = '\u{200C}';
    const ZERO_WIDTH_JOINER: char = '\u{200D}';
    match c.general_category() {
        GeneralCategory::Control
        | GeneralCategory::LineSeparator
        | GeneralCategory::ParagraphSeparator
        | GeneralCategory::PrivateUse
        | GeneralCategory::Surrogate
        | GeneralCategory::Unassigned => true,
        GeneralCategory::Format => c != ZERO_WIDTH_JOINER && c != ZERO_WIDTH_NON_JOINER,
        _ => false,
    }
}
