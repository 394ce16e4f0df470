//! The list of common passwords and of the words that long ones are built from.
//!
//! The list is searched within the binary: sorted lines, found by bisection. Nothing is built at start and nothing is
//! allocated per process. `password/README.md` names its sources.

use super::reading::meanings;
use std::{iter, ops::Range};

/// Sorted lines of lower-case ASCII, each of four characters at least and ended by a line feed.
pub(super) struct Lines {
    text: &'static [u8],
    /// For every pair of characters, the offset of the first line that does not sort before the pair.
    pairs: &'static [u32; PAIRS + 1],
}

/// Graphic ASCII.
const LETTERS: usize = 94;
const PAIRS: usize = LETTERS * LETTERS;

/// No line is longer.
pub(super) const MAX_LISTED_CHARS: usize = 40;

/// Every listed password and word.
pub(super) const COMMON: Lines = Lines { text: COMMON_TEXT, pairs: &COMMON_PAIRS };
/// The hundred or so that attackers try first.
pub(super) const TOP: Lines = Lines { text: TOP_TEXT, pairs: &TOP_PAIRS };

const COMMON_TEXT: &[u8] = include_bytes!("common.txt");
const TOP_TEXT: &[u8] = include_bytes!("top.txt");
static COMMON_PAIRS: [u32; PAIRS + 1] = pairs(COMMON_TEXT);
static TOP_PAIRS: [u32; PAIRS + 1] = pairs(TOP_TEXT);

/// Computed at compile time: a word is searched at every character of a password, and the first two characters make
/// most of the bisection unnecessary.
const fn pairs(text: &[u8]) -> [u32; PAIRS + 1] {
    let mut starts = [text.len() as u32; PAIRS + 1];
    let (mut known, mut at) = (0, 0);
    while at < text.len() {
        let pair = (text[at] as usize - '!' as usize) * LETTERS + text[at + 1] as usize - '!' as usize;
        while known <= pair {
            starts[known] = at as u32;
            known += 1;
        }
        while text[at] != b'\n' {
            at += 1;
        }
        at += 1;
    }
    starts
}

impl Lines {
    /// Calls `found` with every listed word at the start of `text`, substituted letters (`p4$$w0rd`) included.
    pub(super) fn words_at_start(&self, text: &[char], mut found: impl FnMut(&'static [u8])) {
        let [first, second, ..] = text else { return };
        let mut open = Vec::with_capacity(PAIRS_OF_MEANINGS);
        for first in letters(*first) {
            open.extend(letters(*second).filter_map(|second| Some((2, self.pair(first, second)?))));
        }
        while let Some((depth, range)) = open.pop() {
            let Some(&written) = text.get(depth) else { continue };
            for letter in letters(written) {
                let Some(range) = self.narrow(depth, &range, letter) else { continue };
                if self.line_at(range.start).len() == depth + 1 {
                    found(self.line_at(range.start));
                }
                open.push((depth + 1, range));
            }
        }
    }

    pub(super) fn contains(&self, word: &[u8]) -> bool {
        let [first, second, rest @ ..] = word else { return false };
        let mut rest = (2..).zip(rest);
        let narrowed = self
            .pair(*first, *second)
            .and_then(|range| rest.try_fold(range, |range, (depth, letter)| self.narrow(depth, &range, *letter)));
        narrowed.is_some_and(|range| self.line_at(range.start) == word)
    }

    /// The lines that begin with these two characters.
    fn pair(&self, first: u8, second: u8) -> Option<Range<usize>> {
        let number = |letter: u8| letter.checked_sub(b'!').map(usize::from).filter(|number| *number < LETTERS);
        let pair = number(first)? * LETTERS + number(second)?;
        let (start, end) = (self.pairs[pair] as usize, self.pairs[pair + 1] as usize);
        (start < end).then_some(start..end)
    }

    /// The lines in `range`, whose first `depth` characters agree, that continue with `letter`.
    fn narrow(&self, depth: usize, range: &Range<usize>, letter: u8) -> Option<Range<usize>> {
        let start = self.bisect(range, |line| line.get(depth) < Some(&letter));
        let end = self.bisect(&(start..range.end), |line| line.get(depth) <= Some(&letter));
        (start < end).then_some(start..end)
    }

    /// The offset of the first line in `range` for which `before` no longer holds.
    fn bisect(&self, range: &Range<usize>, before: impl Fn(&[u8]) -> bool) -> usize {
        let Range { start: mut low, end: mut high } = *range;
        while low < high {
            let middle = self.line_start(low, low.midpoint(high));
            let line = self.line_at(middle);
            if before(line) {
                low = middle + line.len() + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    /// Where the line around `offset` starts; `floor` starts a line.
    fn line_start(&self, floor: usize, offset: usize) -> usize {
        self.text[floor..offset].iter().rposition(|byte| *byte == b'\n').map_or(floor, |feed| floor + feed + 1)
    }

    fn line_at(&self, start: usize) -> &'static [u8] {
        let rest = &self.text[start..];
        let end = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
        &rest[..end]
    }
}

/// One character has at most three meanings, so two have nine.
const PAIRS_OF_MEANINGS: usize = 9;

/// All characters of the list that `written` may represent, itself included.
fn letters(written: char) -> impl Iterator<Item = u8> {
    let meanings = meanings(written);
    let itself = iter::once(written).filter(|_| meanings.is_empty());
    meanings.iter().copied().chain(itself).filter_map(|letter| u8::try_from(letter).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(list: &Lines) -> Vec<&'static [u8]> {
        list.text.strip_suffix(b"\n").expect("the last line is ended").split(|byte| *byte == b'\n').collect()
    }

    #[test]
    fn the_lists_are_sorted_lower_case_and_without_doubles() {
        for list in [COMMON, TOP] {
            let lines = lines(&list);
            assert!(lines.iter().all(|line| line.len() >= 4), "short words would explain any text");
            assert!(lines.iter().all(|line| line.len() <= MAX_LISTED_CHARS));
            assert!(lines.iter().all(|line| line.iter().all(u8::is_ascii_graphic)));
            assert!(lines.iter().all(|line| !line.iter().any(u8::is_ascii_uppercase)));
            assert!(lines.windows(2).all(|pair| pair[0] < pair[1]));
        }
    }

    #[test]
    fn every_listed_word_is_found_and_no_other() {
        let all = lines(&COMMON);
        assert!(all.iter().all(|word| COMMON.contains(word)));
        assert!(lines(&TOP).iter().all(|word| COMMON.contains(word)), "what is tried first is common");
        for word in ["", "p", "passwor", "zzzzzzzzzz", "\n", "password\n", "0000000000000"] {
            assert_eq!(COMMON.contains(word.as_bytes()), all.contains(&word.as_bytes()), "{word:?}");
        }
    }

    #[test]
    fn words_are_seen_through_substituted_letters() {
        let seen = |text: &str| {
            let mut words = Vec::new();
            COMMON.words_at_start(&text.chars().collect::<Vec<_>>(), |word| words.push(word));
            words
        };
        assert!(seen("p4$$w0rd").contains(&b"password".as_slice()));
        assert!(seen("1loveyou").contains(&b"iloveyou".as_slice()));
        assert!(seen("passwordx").contains(&b"pass".as_slice()));
        assert!(seen("xpassword").iter().all(|word| *word != b"password"));
        assert!(seen("пароль").is_empty());
    }
}
