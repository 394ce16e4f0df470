use super::*;
use proptest::prelude::*;

const ALONE: PasswordPolicy = PasswordPolicy { min_chars: 15, min_chars_with_factor: 8, max_bytes: 1024 };
const BESIDE_A_FACTOR: PasswordPolicy = PasswordPolicy { min_chars: 8, ..ALONE };
const ADA: [&str; 3] = ["ada.lovelace@analytical.example", "adalove", "Ada Lovelace"];

fn judge(policy: PasswordPolicy, text: &str, identifiers: &[&str]) -> Result<NewPassword, PasswordRejected> {
    let purpose = PasswordPurpose::Alone;
    policy.accept(policy.read(&SecretText::new(text.to_owned()), purpose)?, purpose, identifiers)
}

fn accept(policy: PasswordPolicy, text: &str) -> Result<NewPassword, PasswordRejected> {
    judge(policy, text, &ADA)
}

fn refusal(policy: PasswordPolicy, text: &str) -> Option<PasswordRejected> {
    accept(policy, text).err()
}

#[test]
fn passphrases_and_random_strings_are_admitted() {
    for text in [
        "blue kettle over nine hills",
        "kettle mountain",
        "Seven purple owls argue about tea!",
        "my dog ate the tax return in 1998",
        "password policies annoy my whole team",
        "qwerty is not how my grandmother types",
        "the quick brown fox forgot his umbrella",
        "correct donkey battery lamp",
        "I love you more than 12345 biscuits",
        "x7#kQ9!vB2$mW8z",
        "8fK2nQ9xL4vT7wZ",
        "tqzvkwpmxjrhgbd",
        "847190352617483",
        "f3a91c07be5d4268a1",
        "Zk!4Zk!4 random tail 9vQx",
        "5b1e2f60-4c1d-4d7b-9a53-0c4c7e1b8f2a",
        "синий чайник над девятью холмами",
        "青いやかんが九つの丘を越えて飛んでいく",
        "파란 주전자가 아홉 언덕을 넘어간다",
        "ετσι κι αλλιως θα βρεξει",
        "🐢🚀🎻🌋🧭🪐🎲🐙🔭🧊🎈🪁🧵🦉🥝",
        "   spaces   are   welcome   here   ",
    ] {
        assert_eq!(refusal(ALONE, text), None, "{text}");
    }
}

#[test]
fn short_random_strings_are_admitted_beside_a_second_factor() {
    for text in ["48201957", "k3v9xq2m", "f3a91c07", "tqzvkwpm", "J7!rLp2#", "kettle hills"] {
        assert_eq!(refusal(BESIDE_A_FACTOR, text), None, "{text}");
    }
}

#[test]
fn common_passwords_are_refused_in_every_disguise() {
    for text in [
        "passwordpassword",
        "PasswordPassword1!",
        "password123456789",
        "password8472913!",
        "P@ssw0rd!P@ssw0rd!",
        "p.a.s.s.w.o.r.d.1.2.3",
        "drowssapdrowssap",
        "pässwörd12345678",
        "ｐａｓｓｗｏｒｄ１２３４５６７",
        "1234567password1234567",
        "!!!!!!password!!!!!!",
        "letmein letmein letmein",
        "monkeydragonsunshine",
        "Cowboys2024!!!!!",
        "Cowboys8472913!",
        "$unshine19850612",
        "Summer2024Summer2024",
        "summer2024!winter",
        "1loveyou1loveyou",
        "kettlekettlekettle",
        "kettlekettlekettle24!",
        "mountain-mountain",
        "welcome1welcome1welcome1",
        "correct horse battery staple",
        "CorrectHorseBatteryStaple!",
        "correct-horse-battery-staple-1",
        "thequickbrownfoxjumpsoverthelazydog",
        "the quick brown fox jumps over the lazy dog",
        "maytheforcebewithyou",
        "iloveyou iloveyou iloveyou",
        "Tr0ub4dor&3Tr0ub4dor&3",
    ] {
        assert_eq!(refusal(ALONE, text), Some(PasswordRejected::TooCommon), "{text}");
    }
}

#[test]
fn walks_sequences_and_repetitions_are_refused() {
    for text in [
        "qwertyuiop12345",
        "qwertyuiopasdfghjkl",
        "QWERTYUIOPasdfghjklZXCVBNM",
        "1qaz2wsx3edc4rfv",
        "1q2w3e4r5t6y7u8i",
        "zaq12wsxzaq12wsx",
        "!@#$%^&*()!@#$%^&*()",
        "qwertzuiopasdfghjkl",
        "йцукенгшщзфывапролдж",
        "1234567890123456",
        "9876543210987654321",
        "abcdefghijklmnop",
        "zyxwvutsrqponmlk",
        "abcdefgh12345678",
        "a1b2c3d4e5f6g7h8i9",
        "0102030405060708",
        "112233445566778899",
        "aaaabbbbccccdddd",
        "aaaaaaaaaaaaaaa",
        "               ",
        "...............",
        "жжжжжжжжжжжжжжж",
        "абвгдежзийклмноп",
        "abcabcabcabcabc",
        "x7qx7qx7qx7qx7qx7q",
        "1212121212121212",
        "20242024202420242024",
    ] {
        assert_eq!(refusal(ALONE, text), Some(PasswordRejected::TooCommon), "{text}");
    }
}

#[test]
fn short_common_passwords_are_refused_beside_a_second_factor() {
    for text in
        ["password", "iloveyou", "sunshine1", "Dragon12", "19870512", "31122024", "qwertyui", "mountain", "kettle4829"]
    {
        assert_eq!(refusal(BESIDE_A_FACTOR, text), Some(PasswordRejected::TooCommon), "{text}");
    }
}

#[test]
fn what_everybody_knows_about_a_person_does_not_count() {
    for text in [
        "ada.lovelace@analytical.example",
        "ada.lovelace2024!",
        "Lovelace_Analytical",
        "l0vel4ce-l0vel4ce-xkq",
        "AdaLovelaceMountain",
        "adalove adalove qz81",
        "countersign-kxqvz7",
        "C0untersign-lovelace-99",
    ] {
        assert_eq!(refusal(ALONE, text), Some(PasswordRejected::ContainsIdentifier), "{text}");
    }
}

#[test]
fn a_password_that_merely_mentions_a_name_is_admitted() {
    for text in ["lovelace sails over nine hills", "countersign kettle 84 owls argue", "ada x7#kQ9!vB2$mW8z"] {
        assert_eq!(refusal(ALONE, text), None, "{text}");
    }
}

#[test]
fn length_is_counted_in_characters_of_the_normal_form() {
    let fourteen = "blue kettle ni";
    assert_eq!(refusal(ALONE, fourteen), Some(PasswordRejected::TooShort { min: 15 }));
    assert_eq!(refusal(ALONE, "blue kettle nin"), None);
    // `e` and a combining accent are one character once composed.
    assert_eq!(refusal(ALONE, "blue kettle ne\u{301}"), Some(PasswordRejected::TooShort { min: 15 }));
    assert_eq!(refusal(ALONE, ""), Some(PasswordRejected::TooShort { min: 15 }));
    assert_eq!(refusal(BESIDE_A_FACTOR, "k3v9xq2"), Some(PasswordRejected::TooShort { min: 8 }));
}

#[test]
fn beside_a_factor_a_password_may_be_shorter_and_then_needs_the_factor() {
    use PasswordPurpose::{Alone, WithFactor};
    let read = |text: &str, purpose| ALONE.read(&SecretText::new(text.to_owned()), purpose);
    let short = "kettle hills";
    assert_eq!(read(short, Alone).unwrap_err(), PasswordRejected::TooShort { min: 15 });
    let candidate = read(short, WithFactor).unwrap();
    // What was read for one purpose is not accepted for the other.
    assert_eq!(ALONE.accept(candidate.clone(), Alone, &ADA).unwrap_err(), PasswordRejected::TooShort { min: 15 });
    assert!(ALONE.accept(candidate, WithFactor, &ADA).unwrap().needs_factor());
    assert_eq!(read("hills 7", WithFactor).unwrap_err(), PasswordRejected::TooShort { min: 8 });
    for purpose in [Alone, WithFactor] {
        let long = read("kettle over hills", purpose).unwrap();
        assert!(!ALONE.accept(long, purpose, &ADA).unwrap().needs_factor(), "{purpose:?}");
    }
}

#[test]
fn the_bound_in_bytes_holds_before_and_after_the_normalisation() {
    let random: String =
        "kq7#Zm2!".chars().cycle().enumerate().map(|(i, c)| if i % 9 == 0 { 'x' } else { c }).take(1024).collect();
    let words = "blue kettle over nine hills ".repeat(37);
    assert_eq!(refusal(ALONE, &words[..1024]), None);
    assert_eq!(refusal(ALONE, &words[..1025]), Some(PasswordRejected::TooLong { max: 1024 }));
    assert_eq!(refusal(ALONE, &random), None);
    assert_eq!(refusal(ALONE, &"x".repeat(10_000_000)), Some(PasswordRejected::TooLong { max: 1024 }));
    // 3072 bytes as typed, 1024 once composed.
    let syllables: String = "\u{1112}\u{1161}\u{11AB}\u{1100}\u{1173}\u{11AF}".repeat(170);
    assert!(syllables.len() > 3000);
    assert!(Password::presented(&SecretText::new(syllables), 1024).is_some());
    // U+0958 is excluded from composition: 3 bytes become 6.
    assert!(Password::presented(&SecretText::new("\u{958}".repeat(341)), 1024).is_none());
}

#[test]
fn only_control_characters_are_forbidden() {
    for c in ['\0', '\n', '\r', '\t', '\u{7F}', '\u{85}', '\u{1B}'] {
        assert_eq!(
            refusal(ALONE, &format!("blue kettle{c}over nine hills")),
            Some(PasswordRejected::ForbiddenCharacter),
            "{c:?}"
        );
    }
    for c in ['\u{200D}', '\u{2028}', '\u{E000}', '\u{A0}', '\u{10FFFF}', '€'] {
        assert_eq!(refusal(ALONE, &format!("blue kettle{c}over nine hills")), None, "{c:?}");
    }
}

#[test]
fn a_presented_password_is_normalised_and_nothing_else() {
    let presented = |text: &str| Password::presented(&SecretText::new(text.to_owned()), 1024);
    assert_eq!(presented("password").map(|p| p.reveal().to_owned()), Some("password".to_owned()));
    assert_eq!(presented("e\u{301}\0").map(|p| p.reveal().to_owned()), Some("é\0".to_owned()));
    assert_eq!(presented(""), Some(Password(SecretText::new(String::new()))));
}

#[test]
fn debug_and_refusals_never_show_the_password() {
    let admitted = accept(ALONE, "canary kettle over nine hills");
    assert!(!format!("{admitted:?}").contains("canary"));
    assert_eq!(format!("{:?}", admitted.map(|new| new.password().clone())), "Ok(Password([secret]))");
    for why in [
        PasswordRejected::TooShort { min: 15 },
        PasswordRejected::TooLong { max: 1024 },
        PasswordRejected::ForbiddenCharacter,
        PasswordRejected::TooCommon,
        PasswordRejected::ContainsIdentifier,
    ] {
        assert!(!why.describe().is_empty());
        assert!(why.reason().starts_with("PASSWORD_"));
    }
}

#[test]
fn hostile_texts_of_full_length_are_judged() {
    let hostile =
        ["1", "!1", "4", "a", "pass", "p@$$w0rd", "qwerty", "1!|il", "0o", "12", "iloveyou1", "ada", "é", "s5$"];
    for unit in hostile {
        let text: String = unit.chars().cycle().take(1024).collect();
        let _ = accept(ALONE, &text);
        assert!(accept(PasswordPolicy { max_bytes: usize::MAX, ..ALONE }, &text).is_err(), "{unit}");
    }
}

/// A common beginning makes a password common, whatever follows; a common end does not.
#[test]
fn a_long_password_is_judged_by_its_first_128_characters() {
    let random = "x7#kQ9!vB2$mW8z-tqzvkwpmxjrhgbd-8fK2nQ9xL4vT7wZ";
    for cheap in
        ["password", "1234567890", "aaaaaaaaaa", "qwertyuiop", "p.a.s.s.w.o.r.d.", "112233", "adalove ", "drowssap"]
    {
        let beginning: String = cheap.chars().cycle().take(reading::JUDGED_CHARS).collect();
        let refused = refusal(ALONE, &beginning);
        assert!(refused.is_some(), "{cheap}");
        assert_eq!(refusal(ALONE, &format!("{beginning}{random}")), refused, "{cheap}");
        // In the reverse order the random part is judged.
        assert_eq!(refusal(ALONE, &format!("{random}{beginning}{beginning}")), None, "{cheap}");
    }
}

/// A run at the beginning does not double what follows it.
#[test]
fn a_long_run_makes_nothing_of_what_is_random_behind_it() {
    for run in [2, 30, 70] {
        let random = "x7#kQ9!vB2$mW8z-tqzvkwpmxjrhgbd-8fK2nQ9xL4vT7wZ-J7!rLp2#k3v9xq2m";
        assert_eq!(refusal(ALONE, &format!("{}{random}{random}{random}", "a".repeat(run))), None, "{run}");
    }
}

/// No text that is refused as a whole passes because a piece of it extends over the last judged character.
#[test]
fn no_password_passes_because_its_last_piece_is_cut_off() {
    for last in [
        "password",
        "drowssap",
        "sunshine",
        "qwertyuiop",
        "19850612",
        "lovelace",
        "chocolate",
        "elizabeth",
        "looprevil",
        "etalocohc",
    ] {
        for shift in 0..=last.len() {
            let filling = "a".repeat(reading::JUDGED_CHARS - shift);
            assert!(refusal(ALONE, &format!("{filling}{last}")).is_some(), "{shift} of {last} are seen");
        }
    }
}

proptest! {
    #[test]
    fn what_lies_behind_128_characters_changes_no_verdict(
        unit in "[a-z0-9!.$é ]{1,12}",
        filling in "\\PC{0,140}",
        tails in ["\\PC{1,80}", "[a-z]{1,80}"],
    ) {
        let beginning: String = unit.chars().cycle().take(100).chain(filling.chars()).collect();
        let beginning: String = beginning.nfc().chain(std::iter::repeat('x')).take(reading::JUDGED_CHARS).collect();
        // A character that composes with no other, so that the beginning is the same in NFC.
        let roomy = PasswordPolicy { max_bytes: 8192, ..ALONE };
        let verdicts = tails.map(|tail| refusal(roomy, &format!("{beginning}-{tail}")));
        prop_assert_eq!(verdicts[0], verdicts[1]);
        let as_it_is = refusal(roomy, &beginning);
        prop_assert!(as_it_is.is_none() || verdicts[0].is_some(), "{:?} {:?}", as_it_is, verdicts[0]);
    }

    #[test]
    fn any_text_is_judged_and_judged_the_same_twice(text: String, who: String, min_chars in 0..20_usize) {
        let policy = PasswordPolicy { min_chars, min_chars_with_factor: min_chars, max_bytes: 200 };
        let first = judge(policy, &text, &[&who]);
        prop_assert_eq!(&first, &judge(policy, &text, &[&who]));
        if let Ok(new) = first {
            // An accepted password is in NFC, and is recognized when it is typed again.
            let again = judge(policy, new.password().reveal(), &[&who]);
            prop_assert_eq!(again.as_ref().ok(), Some(&new));
            prop_assert_eq!(Password::presented(&SecretText::new(text), 200), Some(new.password().clone()));
        }
    }

    #[test]
    fn equivalent_texts_are_the_same_password(text in "\\PC{0,40}") {
        let composed: String = text.nfc().collect();
        let decomposed: String = text.nfd().collect();
        let presented = |text: String| Password::presented(&SecretText::new(text), 4096);
        prop_assert_eq!(presented(composed.clone()), presented(decomposed.clone()));
        prop_assert_eq!(judge(ALONE, &composed, &[]), judge(ALONE, &decomposed, &[]));
    }

    #[test]
    fn random_strings_are_admitted(letters in "[a-z0-9]{15,40}", printable in "[!-~]{15,40}") {
        for text in [&letters, &printable] {
            prop_assert_eq!(judge(ALONE, text, &[]).err(), None);
        }
    }

    #[test]
    fn listed_words_with_any_trimmings_are_refused(digits in "[0-9]{4,7}", mark in "[!?.*#]") {
        for word in ["sunshine", "cowboys", "mountain", "Princess"] {
            let text = format!("{word}{digits}{mark}");
            let refusal = refusal(BESIDE_A_FACTOR, &text);
            prop_assert_eq!(refusal, Some(PasswordRejected::TooCommon));
        }
    }
}
