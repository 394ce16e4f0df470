//! Backup codes: how the owner of an account gets in when the phone is lost. Each works once.

use crate::{secret::SecretText, text};

/// How many codes an account gets at a time.
pub const BACKUP_CODES: usize = 10;
/// Random bytes of a code: 80 bits, too many to be found by trying, online or in a stolen database.
pub const BACKUP_CODE_BYTES: usize = 10;

/// Characters of a code: five bits each.
const CHARACTERS: usize = BACKUP_CODE_BYTES * 8 / 5;
/// Characters of a group, as a code is shown.
const GROUP: usize = 4;
/// The digits of Crockford's base 32: none of `I`, `L`, `O`, which look like others, and no `U`.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// A backup code in its one spelling: sixteen characters of the alphabet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupCode(SecretText);

impl BackupCode {
    /// A code from random bytes.
    pub fn new(random: [u8; BACKUP_CODE_BYTES]) -> Self {
        let bits = random.iter().fold(0_u128, |bits, byte| (bits << 8) | u128::from(*byte));
        let character = |at: usize| char::from(ALPHABET[(bits >> (5 * at)) as usize % ALPHABET.len()]);
        Self(SecretText::new((0..CHARACTERS).rev().map(character).collect()))
    }

    /// Reads a code that a person typed or pasted: in either case, with white space, hyphens and invisible marks
    /// anywhere, full-width forms as the characters they are forms of, `O` for `0`, `I` and `L` for `1`.
    pub fn parse(typed: &str) -> Option<Self> {
        text::typed_code(typed, CHARACTERS, meant).map(Self)
    }

    /// The sixteen characters.
    pub fn reveal(&self) -> &str {
        self.0.reveal()
    }

    /// As a person reads it: four groups of four.
    pub fn shown(&self) -> SecretText {
        let mut shown = String::with_capacity(CHARACTERS + CHARACTERS / GROUP);
        for (at, c) in self.0.reveal().chars().enumerate() {
            if at > 0 && at % GROUP == 0 {
                shown.push('-');
            }
            shown.push(c);
        }
        SecretText::new(shown)
    }
}

/// The character of the alphabet that a typed one stands for.
fn meant(c: char) -> Option<char> {
    let plain = match text::digit(c) {
        Some(value) => char::from(b'0' + value),
        None => text::without_widths(c.encode_utf8(&mut [0; 4])).chars().next()?.to_ascii_uppercase(),
    };
    let meant = match plain {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    };
    meant.is_ascii().then_some(meant).filter(|c| ALPHABET.contains(&(*c as u8)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_code_has_eighty_bits_in_four_groups() {
        let shown = |random| BackupCode::new(random).shown().reveal().to_owned();
        assert_eq!(shown([0; BACKUP_CODE_BYTES]), "0000-0000-0000-0000");
        assert_eq!(shown([0xFF; BACKUP_CODE_BYTES]), "ZZZZ-ZZZZ-ZZZZ-ZZZZ");
        assert_eq!(shown([0x08, 0x42, 0x10, 0x84, 0x21, 0x08, 0x42, 0x10, 0x84, 0x21]), "1111-1111-1111-1111");
        assert_eq!(shown([0, 0, 0, 0, 0, 0, 0, 0, 0, 1]), "0000-0000-0000-0001");
        assert_eq!(shown([0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0]), "G000-0000-0000-0000");
    }

    #[test]
    fn a_code_is_read_as_people_type_it() {
        let code = BackupCode::parse("01AB-CDEF-GHJK-MNPQ");
        assert_eq!(code.as_ref().map(BackupCode::reveal), Some("01ABCDEFGHJKMNPQ"));
        for typed in [
            "01abcdefghjkmnpq",
            " 01AB CDEF GHJK MNPQ\r\n",
            "O1AB-CDEF-GHJK-MNPQ",
            "oIab-cdef-ghjk-mnpq",
            "0lab\u{2013}cdef\u{2013}ghjk\u{2013}mnpq",
            "０１ＡＢ－ＣＤＥＦ－ＧＨＪＫ－ＭＮＰＱ",
            "٠١AB CDEF GHJK MNPQ",
            "\u{200B}01AB-CDEF-GHJK-MNPQ\u{FEFF}",
        ] {
            assert_eq!(BackupCode::parse(typed), code, "{typed:?}");
        }
    }

    #[test]
    fn what_is_no_code_is_none() {
        for typed in [
            "",
            "-",
            "01AB-CDEF-GHJK-MNP",
            "01AB-CDEF-GHJK-MNPQR",
            "01AB-CDEF-GHJK-MNPU",
            "01AB_CDEF_GHJK_MNPQ",
            "01AB-CDEF-GHJK-MNP\0",
            // Cyrillic А, В, С: a person sees no difference, but no keyboard of one script types them in a code.
            "01\u{410}\u{412}-\u{421}DEF-GHJK-MNPQ",
            "287082",
            &"0".repeat(100_000),
        ] {
            assert_eq!(BackupCode::parse(typed), None, "{:?}", typed.get(..30));
        }
    }

    #[test]
    fn debug_reveals_nothing() {
        assert_eq!(format!("{:?}", BackupCode::new([7; BACKUP_CODE_BYTES])), "BackupCode([secret])");
    }

    proptest! {
        #[test]
        fn a_shown_code_is_read_as_itself_and_no_two_are_alike(one: [u8; BACKUP_CODE_BYTES], other: [u8; BACKUP_CODE_BYTES]) {
            let code = BackupCode::new(one);
            let read = (BackupCode::parse(code.shown().reveal()), BackupCode::parse(&code.reveal().to_lowercase()));
            prop_assert_eq!(read, (Some(code.clone()), Some(code.clone())));
            prop_assert_eq!(BackupCode::new(other) == code, one == other);
        }

        #[test]
        fn reading_a_code_never_panics_and_finds_one_spelling(typed in "\\PC{0,40}|[0-9A-Za-z -]{16,20}") {
            if let Some(code) = BackupCode::parse(&typed) {
                prop_assert_eq!(code.reveal().len(), CHARACTERS);
                prop_assert!(code.reveal().bytes().all(|byte| ALPHABET.contains(&byte)));
            }
        }
    }
}
