//! A password as somebody who guesses it would read it: without case, accents and typographic forms.

use unicode_normalization::char::decompose_compatible;
use zeroize::Zeroizing;

/// How many characters of a password are judged. What guessing programs know is told within far fewer, and a bound on
/// the characters is a bound on the work, whatever somebody sends.
pub(super) const JUDGED_CHARS: usize = 128;

/// The beginning of a password as a guesser reads it: what the verdict depends on.
pub(super) struct Judged {
    pub(super) chars: Zeroizing<Vec<char>>,
    /// There is more, which is not looked at.
    pub(super) goes_on: bool,
}

/// The first [`JUDGED_CHARS`] of the text, read.
pub(super) fn judged(text: &str) -> Judged {
    let chars = read(text, JUDGED_CHARS);
    let goes_on = text.chars().nth(JUDGED_CHARS).is_some();
    Judged { chars, goes_on }
}

/// The text in lower case, with letters that are a Latin letter in another dress (`é`, `Å`, `ｐ`) undressed; of its
/// characters, `most` at most.
///
/// One character stays one character, so positions mean the same before and after.
pub(super) fn read(text: &str, most: usize) -> Zeroizing<Vec<char>> {
    // Room for all of it at once: a list that grows leaves pieces of the password behind unwiped.
    let mut read = Zeroizing::new(Vec::with_capacity(text.len().min(most)));
    read.extend(text.chars().take(most).map(undress));
    read
}

fn undress(c: char) -> char {
    if c.is_ascii() {
        return c.to_ascii_lowercase();
    }
    let mut base = None;
    decompose_compatible(c, |part| base = base.or(Some(part)));
    match base {
        Some(base) if base.is_ascii() => base.to_ascii_lowercase(),
        // Characters outside Latin keep all they are: a Hangul syllable is not its first consonant.
        _ => c.to_lowercase().next().unwrap_or(c),
    }
}

/// The characters that this one may stand for in a disguised word, itself first.
pub(super) fn meanings(c: char) -> &'static [char] {
    match c {
        '0' => &['0', 'o'],
        '1' => &['1', 'i', 'l'],
        '2' => &['2', 'z'],
        '3' => &['3', 'e'],
        '4' => &['4', 'a'],
        '5' => &['5', 's'],
        '6' => &['6', 'g'],
        '7' => &['7', 't'],
        '8' => &['8', 'b'],
        '9' => &['9', 'g'],
        '@' => &['@', 'a'],
        '$' => &['$', 's'],
        '!' => &['!', 'i', 'l'],
        '|' => &['|', 'i', 'l'],
        '+' => &['+', 't'],
        '(' => &['(', 'c'],
        '€' => &['e'],
        _ => &[],
    }
}

/// How much of `text` a name covers that it starts with, substituted letters (`l0velace`) included. Where the text goes
/// on unseen, it may do so with the rest of the name.
pub(super) fn covered_by(text: &[char], name: &[char], goes_on: bool) -> Option<usize> {
    let covered = text.len().min(name.len());
    let fits = covered == name.len() || goes_on;
    let agrees = text.iter().zip(name).all(|(c, wanted)| c == wanted || meanings(*c).contains(wanted));
    (fits && agrees).then_some(covered)
}
