//! A password as a cracking program reads it: without case, accents and typographic forms.

use unicode_normalization::char::decompose_compatible;
use zeroize::Zeroizing;

/// How many characters of a password are judged. Cracking programs use far fewer, and the bound on the characters
/// bounds the work.
pub(super) const JUDGED_CHARS: usize = 128;

/// The beginning of a password as a cracking program reads it. Only this part is judged.
pub(super) struct Judged {
    pub(super) chars: Zeroizing<Vec<char>>,
    /// Whether the password is longer than the judged part.
    pub(super) goes_on: bool,
}

/// Reads the first [`JUDGED_CHARS`] of the text.
pub(super) fn judged(text: &str) -> Judged {
    let chars = read(text, JUDGED_CHARS);
    let goes_on = text.chars().nth(JUDGED_CHARS).is_some();
    Judged { chars, goes_on }
}

/// The text in lower case, with variants of Latin letters (`é`, `Å`, `ｐ`) as the plain letter; at most `most`
/// characters.
///
/// One character stays one character, so positions are the same before and after.
pub(super) fn read(text: &str, most: usize) -> Zeroizing<Vec<char>> {
    // Enough capacity for all of it: a list that grows leaves unwiped copies of the password behind.
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
        // Characters outside Latin stay as they are: a Hangul syllable is not its first consonant.
        _ => c.to_lowercase().next().unwrap_or(c),
    }
}

/// The characters that this one may represent in a disguised word, itself first.
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

/// How many characters at the start of `text` a name covers, substituted letters (`l0velace`) included. Where the text
/// continues unread, the rest of the name may follow.
pub(super) fn covered_by(text: &[char], name: &[char], goes_on: bool) -> Option<usize> {
    let covered = text.len().min(name.len());
    let fits = covered == name.len() || goes_on;
    let agrees = text.iter().zip(name).all(|(c, wanted)| c == wanted || meanings(*c).contains(wanted));
    (fits && agrees).then_some(covered)
}
