//! The languages mails are written in.

use crate::closed_list::closed_list;

closed_list! {
    /// A language of mails, by its tag (RFC 5646).
    #[derive(Default)]
    pub enum Locale {
        #[default]
        English = "en",
        German = "de",
    }
}

impl Locale {
    /// The language tag (RFC 5646).
    pub const fn tag(self) -> &'static str {
        self.name()
    }

    /// The best language for a tag such as `de-AT` (RFC 4647 lookup); English when none fits.
    /// `None` when the text is not shaped like a tag at all. Empty means no preference.
    pub fn lookup(tag: &str) -> Option<Self> {
        if tag.is_empty() {
            return Some(Self::default());
        }
        let shaped = tag.len() <= 35
            && tag
                .split('-')
                .all(|part| (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric()));
        if !shaped {
            return None;
        }
        let primary = tag.split('-').next().unwrap_or_default();
        Some(Self::ALL.into_iter().find(|l| l.tag().eq_ignore_ascii_case(primary)).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closest_language_is_chosen_and_nonsense_is_refused() {
        assert_eq!(Locale::lookup("de-AT"), Some(Locale::German));
        assert_eq!(Locale::lookup("DE"), Some(Locale::German));
        assert_eq!(Locale::lookup("fr-CA"), Some(Locale::English));
        assert_eq!(Locale::lookup(""), Some(Locale::English));
        for nonsense in ["../../etc", "d e", "-", "de_DE", "de\0", &"a-".repeat(40)] {
            assert_eq!(Locale::lookup(nonsense), None, "{nonsense}");
        }
    }
}
