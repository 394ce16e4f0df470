//! Estimates how much work an attacker needs to find a password by trying the obvious first.
//!
//! The candidate is covered by pieces that cracking programs know (listed words, sequences, keyboard walks, dates,
//! copies of what came before), each at its price; the rest is paid for character by character. The price of the
//! cheapest cover decides whether the *whole* candidate is a common password in disguise. A word inside an otherwise
//! good password does not lower its price: there are no composition rules.

use super::{
    blocklist::{COMMON, MAX_LISTED_CHARS, TOP},
    keyboard::Walks,
    reading::{self, Judged},
};
use zeroize::Zeroizing;

/// Prices are tenths of bits.
type Price = u32;

/// Below this price, a candidate is common: the price of eight random digits. Three of the most common passwords in a
/// row are cheaper, and so is one word with a year and some exclamation marks; two words and a space cost more.
const COMMON_BELOW: Price = 8 * DIGIT;
/// A repeated unit is worth as much as one unit, and no password shorter than this is ever accepted.
const MIN_UNIT_CHARS: usize = 8;

/// One of the hundred passwords that attackers try first.
const TOP_WORD: Price = 70;
/// Any listed word: log2 of the length of the list, less because an attacker's copy is sorted by frequency.
const WORD: Price = 135;
/// A name of the person that everybody knows.
const NAME: Price = 20;
/// The extra price of a listed word spelled backwards.
const BACKWARDS: Price = 10;
/// A straight keyboard walk of any length, and every turn in it.
const WALK: Price = 55;
const TURN: Price = 25;
/// `23456`, `fedcba`, `a1b2c3`, of any length.
const SEQUENCE: Price = 60;
const DIGIT: Price = 33;
/// Each repetition of one character, after the first.
const RUN: Price = 15;
/// Any piece that occurred before, so that a repeated password is as cheap as one copy.
const COPY: Price = 60;
/// A year with no digit beside it: four digits of a longer number look like a year too often.
const YEAR: Price = 70;
const DATE: Price = 160;

/// The most characters around a single word that do not help: `Cowboys8472913!` is still `cowboys` to every cracking
/// program.
const MAX_TRIMMINGS: usize = 8;
/// The core of such a password is one listed word, possibly repeated, or two of the most common.
const MAX_CORE: Price = WORD + COPY;
/// How much cheaper than its characters one by one the core must be to count as a word.
const MIN_CORE_GAIN: Price = 50;
const MIN_CORE_LETTERS: usize = 4;

/// Shorter copies and runs happen by chance.
const MIN_STRETCH: usize = 3;
/// Shorter sequences and keyboard walks happen by chance.
const MIN_WALK: usize = 4;

/// Whether the text is a common password in one of its obvious disguises.
pub(super) fn is_common(text: &Judged) -> bool {
    repeats_a_short_unit(&text.chars)
        || is_cheap(text, &[])
        || without_separator(text).is_some_and(|joined| is_cheap(&joined, &[]))
        || without_doubling(text).is_some_and(|single| is_cheap(&single, &[]))
        || is_a_word_with_trimmings(text)
}

/// Whether the text is as cheap as a common password for an attacker who knows these names.
pub(super) fn is_cheap(text: &Judged, names: &[Vec<char>]) -> bool {
    price(&text.chars, text.goes_on, names, COMMON_BELOW) < COMMON_BELOW
}

/// `kettlekettlekettle`, where the last repetition may be incomplete.
fn repeats_a_short_unit(text: &[char]) -> bool {
    (1..MIN_UNIT_CHARS.min(text.len() / 2 + 1)).any(|unit| text[unit..] == text[..text.len() - unit])
}

/// `p.a.s.s.w.o.r.d` and `correct horse battery staple` without the separator.
fn without_separator(text: &Judged) -> Option<Judged> {
    let count = |separator: char| text.chars.iter().filter(|c| **c == separator).count();
    let separators = text.chars.iter().copied().filter(|c| !c.is_alphanumeric());
    let separator = separators.clone().take(MAX_TRIMMINGS).max_by_key(|c| count(*c)).filter(|c| count(*c) >= 2)?;
    let mut joined = Zeroizing::new(Vec::with_capacity(text.chars.len()));
    joined.extend(text.chars.iter().filter(|c| **c != separator));
    Some(Judged { chars: joined, goes_on: text.goes_on })
}

/// `112233445566` as `123456`: every character is repeated equally often, more than once.
fn without_doubling(text: &Judged) -> Option<Judged> {
    let mut runs = text.chars.chunk_by(|a, b| a == b);
    let (length, last) = (runs.next()?.len(), runs.clone().next_back().map_or(0, <[char]>::len));
    // The last run of a longer password may be cut off in the middle.
    let cut_off = if text.goes_on && last < length { last } else { 0 };
    let whole = text.chars.len() - cut_off;
    let mut runs = text.chars[..whole].chunk_by(|a, b| a == b);
    if length < 2 || runs.any(|run| run.len() != length) {
        return None;
    }
    let mut single = Zeroizing::new(Vec::with_capacity(whole));
    single.extend(text.chars[..whole].iter().step_by(length));
    Some(Judged { chars: single, goes_on: text.goes_on })
}

/// One word between digits and punctuation. A substituted letter may be the first or the last: `$unshine`.
fn is_a_word_with_trimmings(text: &Judged) -> bool {
    let text = text.chars.as_slice();
    if text.len() > MAX_TRIMMINGS + 2 * MAX_LISTED_CHARS {
        return false;
    }
    let (Some(first), Some(last)) =
        (text.iter().position(|c| c.is_alphabetic()), text.iter().rposition(|c| c.is_alphabetic()))
    else {
        return false;
    };
    let starts = first.saturating_sub(1)..=first;
    let cores = starts.flat_map(|start| (last + 1..=text.len().min(last + 2)).map(move |end| &text[start..end]));
    cores.filter(|core| text.len() - core.len() <= MAX_TRIMMINGS).any(|core| {
        let letters = core.iter().filter(|c| c.is_alphabetic()).count();
        let one_by_one: Price = core.iter().copied().map(character).sum();
        let price = price(core, false, &[], MAX_CORE + 1);
        let is_word = price <= MAX_CORE && price + MIN_CORE_GAIN <= one_by_one;
        letters >= MIN_CORE_LETTERS && (is_word || repeats_a_short_unit(core))
    })
}

/// The price of the cheapest cover, or `limit` when it is not cheaper than that.
///
/// Prices only rise along the text, so the search ends where the cheapest cover so far has reached the limit: after a
/// few words of a good password, however long it is. Where the text continues unread, a word may extend over the end,
/// so the prices shortly before the end decide. So a text that is cheap as a whole is cheap by its beginning, too.
fn price(text: &[char], goes_on: bool, names: &[Vec<char>], limit: Price) -> Price {
    let mut cover = Cover { cheapest: vec![Price::MAX; text.len() + 1] };
    cover.cheapest[0] = 0;
    let (copied, walks) = (longest_copies(text), Walks::through(text));
    let mut reversed = Zeroizing::new(Vec::with_capacity(text.len()));
    reversed.extend(text.iter().rev());
    for start in 0..text.len() {
        offer_words(&mut cover, start, text, &reversed[text.len() - start..]);
        if cover.least_from(start) >= limit {
            return limit;
        }
        for covered in names.iter().filter_map(|name| reading::covered_by(&text[start..], name, goes_on)) {
            cover.offer(start, covered, NAME);
        }
        for length in MIN_STRETCH..=copied[start] {
            cover.offer(start, length, COPY);
        }
        walks.reached_from(start, |length, turns| {
            if length >= MIN_WALK {
                cover.offer(start, length, WALK + TURN * turns);
            }
        });
        offer_patterns(&mut cover, start, text);
    }
    offer_words(&mut cover, text.len(), text, &reversed);
    if goes_on { cover.least_from(text.len()) } else { cover.cheapest[text.len()] }
}

/// The words that end at `at`, spelled backwards, and those that start at `at`.
fn offer_words(cover: &mut Cover, at: usize, text: &[char], backwards: &[char]) {
    COMMON.words_at_start(backwards, |word| cover.offer(at - word.len(), word.len(), word_price(word) + BACKWARDS));
    COMMON.words_at_start(&text[at..], |word| cover.offer(at, word.len(), word_price(word)));
}

/// Pieces that need no list of words.
fn offer_patterns(cover: &mut Cover, start: usize, text: &[char]) {
    let rest = &text[start..];
    let last = text[..start].last();
    cover.offer(start, 1, character(rest[0]));
    let run = rest.iter().take_while(|c| Some(*c) == last).count();
    (MIN_STRETCH - 1..=run).for_each(|length| cover.offer(start, length, RUN));
    (MIN_WALK..=sequence(rest)).for_each(|length| cover.offer(start, length, SEQUENCE));
    (2 * MIN_STRETCH..=interleaved_sequences(rest)).for_each(|length| cover.offer(start, length, SEQUENCE));
    if is_date(rest) {
        cover.offer(start, 8, DATE);
    }
    let alone = |neighbour: Option<&char>| neighbour.is_none_or(|c| !c.is_ascii_digit());
    if is_year(rest) && alone(last) && alone(rest.get(4)) {
        cover.offer(start, 4, YEAR);
    }
}

/// The cheapest known price of every prefix of the text.
struct Cover {
    cheapest: Vec<Price>,
}

impl Cover {
    /// Offers a piece of `length` characters from `start`.
    fn offer(&mut self, start: usize, length: usize, price: Price) {
        let until = self.cheapest[start].saturating_add(price);
        if let Some(known) = self.cheapest.get_mut(start + length) {
            *known = until.min(*known);
        }
    }

    /// No cover of the whole text is cheaper than this, once all pieces that start before `at` were offered, except
    /// words spelled backwards. Such a word may still extend over `at`, but starts shortly before it.
    fn least_from(&self, at: usize) -> Price {
        self.cheapest[at.saturating_sub(MAX_LISTED_CHARS)..].iter().copied().min().unwrap_or(0)
    }
}

fn word_price(word: &[u8]) -> Price {
    if TOP.contains(word) { TOP_WORD } else { WORD }
}

/// The price of one character that belongs to no piece: log2 of the alphabet that it seems to come from.
fn character(c: char) -> Price {
    match c {
        ' ' => 30,
        _ if c.is_ascii_digit() => DIGIT,
        _ if c.is_ascii_alphabetic() => 47,
        _ if c.is_ascii() => 50,
        _ => 60,
    }
}

/// For every position, how much of the following text occurred before, overlap included.
fn longest_copies(text: &[char]) -> Vec<usize> {
    let mut longest = vec![0; text.len()];
    // `shared[q]`: how far the text from `p` agrees with the text from an earlier `q`, for each `p` from the end.
    let mut shared = vec![0; text.len() + 1];
    for p in (0..text.len()).rev() {
        for q in 0..p {
            shared[q] = if text[q] == text[p] { shared[q + 1] + 1 } else { 0 };
            longest[p] = longest[p].max(shared[q]);
        }
    }
    longest
}

/// How many characters, from the first, each follow the one before, upwards or downwards.
fn sequence(text: &[char]) -> usize {
    let direction = text.get(..2).and_then(|pair| distance(pair[0], pair[1])).filter(|by| *by != 0);
    let follows = |pair: &&[char]| direction.is_some() && distance(pair[0], pair[1]) == direction;
    1 + text.windows(2).take_while(follows).count()
}

/// How many characters belong to two alternating sequences: `a1b2c3d4`, `01020304`.
fn interleaved_sequences(text: &[char]) -> usize {
    let Some(head) = text.get(..4) else { return 0 };
    let directions = [distance(head[0], head[2]), distance(head[1], head[3])];
    let follows =
        |(i, trio): &(usize, &[char])| directions[i % 2].is_some() && distance(trio[0], trio[2]) == directions[i % 2];
    2 + text.windows(3).enumerate().take_while(follows).count()
}

/// -1, 0 or 1 when the characters are neighbours or the same. Digits and letters wrap around.
fn distance(from: char, to: char) -> Option<i32> {
    let (from_code, to_code) = (i64::from(u32::from(from)), i64::from(u32::from(to)));
    let circle = match (from, to) {
        _ if from.is_ascii_digit() && to.is_ascii_digit() => Some(10),
        _ if from.is_ascii_alphabetic() && to.is_ascii_alphabetic() => Some(26),
        _ => None,
    };
    match circle.map_or(to_code - from_code, |size| (to_code - from_code).rem_euclid(size)) {
        0 => Some(0),
        1 => Some(1),
        -1 => Some(-1),
        other if Some(other + 1) == circle => Some(-1),
        _ => None,
    }
}

fn is_year(text: &[char]) -> bool {
    number(text, 0, 4).is_some_and(|year| (1900..2100).contains(&year))
}

/// Day, month and year in eight digits, the year first or last.
fn is_date(text: &[char]) -> bool {
    let day_and_month = |at| match (number(text, at, 2), number(text, at + 2, 2)) {
        (Some(a @ 1..=31), Some(b @ 1..=31)) => a.min(b) <= 12,
        _ => false,
    };
    let year_first = is_year(text) && day_and_month(4);
    let year_last = text.get(4..).is_some_and(is_year) && day_and_month(0);
    year_first || year_last
}

fn number(text: &[char], from: usize, digits: usize) -> Option<u32> {
    text.get(from..from + digits)?.iter().try_fold(0, |number, c| Some(number * 10 + c.to_digit(10)?))
}
