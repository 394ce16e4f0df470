//! The list of common passwords and of the words that long ones are built from.
//!
//! The list is searched where it lies in the binary: sorted lines, bisected by offset. Nothing is built at start and
//! nothing is allocated per process. Where it comes from is told in `password/README.md`.

use super::reading::meanings;
use std::{iter, ops::Range};

/// Sorted lines of lower-case ASCII, each ended by a line feed.
pub(super) struct Lines(&'static [u8]);

/// No line is longer.
pub(super) const MAX_LISTED_CHARS: usize = 40;

/// Every listed password and word.
pub(super) const COMMON: Lines = Lines(include_bytes!("common.txt"));
/// The hundred or so that everybody tries first.
pub(super) const TOP: Lines = Lines(include_bytes!("top.txt"));

impl Lines {
    /// Calls `found` with every listed word that `text` starts with, substituted letters (`p4$$w0rd`) included.
    pub(super) fn words_at_start(&self, text: &[char], mut found: impl FnMut(&'static [u8])) {
        let mut open = vec![(0, 0..self.0.len())];
        while let Some((depth, range)) = open.pop() {
            let Some(&written) = text.get(depth) else { continue };
            let meanings = meanings(written);
            let itself = iter::once(written).filter(|_| meanings.is_empty());
            for letter in meanings.iter().copied().chain(itself) {
                let Some(range) = u8::try_from(letter).ok().and_then(|letter| self.narrow(depth, &range, letter))
                else {
                    continue;
                };
                if self.line_at(range.start).len() == depth + 1 {
                    found(self.line_at(range.start));
                }
                open.push((depth + 1, range));
            }
        }
    }

    pub(super) fn contains(&self, word: &[u8]) -> bool {
        let mut letters = word.iter().enumerate();
        let narrowed = letters.try_fold(0..self.0.len(), |range, (depth, letter)| self.narrow(depth, &range, *letter));
        narrowed.is_some_and(|range| self.line_at(range.start) == word)
    }

    /// Of the lines in `range`, which agree in their first `depth` letters, those that go on with `letter`.
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
        self.0[floor..offset].iter().rposition(|byte| *byte == b'\n').map_or(floor, |feed| floor + feed + 1)
    }

    fn line_at(&self, start: usize) -> &'static [u8] {
        let rest = &self.0[start..];
        let end = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
        &rest[..end]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(list: &Lines) -> Vec<&'static [u8]> {
        list.0.strip_suffix(b"\n").expect("the last line is ended").split(|byte| *byte == b'\n').collect()
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
