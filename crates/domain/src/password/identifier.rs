//! Passwords that are little more than what everybody knows about the person.

use super::{
    guessing,
    reading::{self, Judged},
};

/// The name of this service, which everybody knows as well.
const PRODUCT: &str = "countersign";
/// The most identifiers that are read, and the most characters of each. An address has at most 254.
const MAX_IDENTIFIERS: usize = 16;
const MAX_IDENTIFIER_CHARS: usize = 256;
/// Shorter names would be found in most passwords.
const MIN_NAME_CHARS: usize = 3;
/// Letters and digits that must be left.
const MIN_MEANINGFUL_CHARS: usize = 8;

/// Whether too little is left of `text` without the names of the person and of this service: fewer than eight letters
/// and digits, or only a common password.
///
/// NIST SP 800-63B-4 requires eight characters of a password that is not the only factor: here it is combined with a
/// text that every attacker knows. A password that merely contains a name is accepted.
pub(super) fn is_little_more_than(text: &Judged, identifiers: &[&str]) -> bool {
    let (names, chars) = (names(identifiers), text.chars.as_slice());
    // `left[at]`: how many letters and digits of the text from `at` no name covers, at the best choice of names.
    let mut left = vec![0; chars.len() + 1];
    for at in (0..chars.len()).rev() {
        let rest = &chars[at..];
        let covered = names.iter().filter_map(|name| reading::covered_by(rest, name, text.goes_on));
        let covered = covered.map(|covered| left[at + covered]).min();
        left[at] = covered.unwrap_or(usize::MAX).min(left[at + 1] + usize::from(chars[at].is_alphanumeric()));
    }
    let all = chars.iter().filter(|c| c.is_alphanumeric()).count();
    left[0] < all && (left[0] < MIN_MEANINGFUL_CHARS || guessing::is_cheap(text, &names))
}

/// The identifiers and their parts.
fn names(identifiers: &[&str]) -> Vec<Vec<char>> {
    let read = |text: &str| reading::read(text, MAX_IDENTIFIER_CHARS + 1).to_vec();
    let mut names = vec![read(PRODUCT)];
    for identifier in identifiers.iter().take(MAX_IDENTIFIERS) {
        let whole = read(identifier.trim());
        if whole.len() > MAX_IDENTIFIER_CHARS {
            continue;
        }
        let (local, host) = split_once(&whole, '@');
        // The last label of a host, such as `com`, is no name.
        let host = host.iter().rposition(|c| *c == '.').map_or(host, |dot| &host[..dot]);
        for side in [local, host] {
            names.push(side.to_vec());
            names.extend(side.split(|c| !c.is_alphanumeric()).map(<[char]>::to_vec));
        }
        names.push(whole);
    }
    names.retain(|name| name.len() >= MIN_NAME_CHARS);
    names.sort_unstable();
    names.dedup();
    names
}

fn split_once(text: &[char], separator: char) -> (&[char], &[char]) {
    text.iter().position(|c| *c == separator).map_or((text, &[]), |at| (&text[..at], &text[at + 1..]))
}
