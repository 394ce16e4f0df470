//! A password as somebody who guesses it would read it: without case, accents and typographic forms.

use unicode_normalization::char::decompose_compatible;
use zeroize::Zeroizing;

/// The text in lower case, with letters that are a Latin letter in another dress (`é`, `Å`, `ｐ`) undressed.
///
/// One character stays one character, so positions mean the same before and after.
pub(super) fn read(text: &str) -> Zeroizing<Vec<char>> {
    // Room for all of it at once: a list that grows leaves pieces of the password behind unwiped.
    let mut read = Zeroizing::new(Vec::with_capacity(text.len()));
    read.extend(text.chars().map(undress));
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

/// Whether `text` starts with `name`, substituted letters (`l0velace`) included.
pub(super) fn starts_with(text: &[char], name: &[char]) -> bool {
    text.len() >= name.len() && text.iter().zip(name).all(|(c, wanted)| c == wanted || meanings(*c).contains(wanted))
}
