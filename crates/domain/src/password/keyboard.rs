//! Walks over the keys of a keyboard: `qwertyuiop`, `1qaz2wsx`, `zaq1`.

/// Key rows, from the digits down. Each row lies half a key to the right of the one above.
type Layout = [&'static str; 4];

const LAYOUTS: [Layout; 4] = [
    ["1234567890-=", "qwertyuiop[]\\", "asdfghjkl;'", "zxcvbnm,./"],
    ["1234567890ß", "qwertzuiopü+", "asdfghjklöä#", "yxcvbnm,.-"],
    ["1234567890°+", "azertyuiop^$", "qsdfghjklmù*", "wxcvbn,;:!"],
    ["1234567890-=", "йцукенгшщзхъ", "фывапролджэ", "ячсмитьбю."],
];

/// The upper half of the digit keys, in the order of [`LAYOUTS`]'s first row.
const SHIFTED_DIGITS: &str = "!@#$%^&*()_+";

#[derive(Clone, Copy, PartialEq, Eq)]
struct Step {
    across: isize,
    down: isize,
}

/// The walks through a text. Each step is looked up once, wherever its walk begins.
pub(super) struct Walks {
    /// For each layout, the step from every character to the next one.
    steps: [Vec<Option<Step>>; LAYOUTS.len()],
}

impl Walks {
    pub(super) fn through(text: &[char]) -> Self {
        let steps = |layout| {
            let keys: Vec<_> = text.iter().map(|c| key(layout, *c)).collect();
            keys.windows(2).map(|pair| step(pair[0]?, pair[1]?)).collect()
        };
        Self { steps: LAYOUTS.each_ref().map(steps) }
    }

    /// The lengths that a walk from `start` can have, each with the number of turns taken until there.
    pub(super) fn reached_from(&self, start: usize, mut reached: impl FnMut(usize, u32)) {
        for steps in &self.steps {
            let mut turns = 0;
            let (mut last, mut last_but_one) = (None, None);
            for (i, step) in steps.iter().skip(start).map_while(|step| *step).enumerate() {
                // A zigzag, `1q2w3e`, repeats the step before the last: it turns at every key, and counts as one turn.
                if last.is_some() && last != Some(step) && last_but_one != Some(step) {
                    turns += 1;
                }
                (last, last_but_one) = (Some(step), last);
                reached(i + 2, turns);
            }
        }
    }
}

/// The step from one key to a neighbour.
fn step(from: (isize, isize), to: (isize, isize)) -> Option<Step> {
    let step = Step { across: to.0 - from.0, down: to.1 - from.1 };
    let neighbours = match step.down {
        0 => step.across.abs() == 1,
        1 => matches!(step.across, -1 | 0),
        -1 => matches!(step.across, 0 | 1),
        _ => false,
    };
    neighbours.then_some(step)
}

/// Where a character is typed: column and row.
fn key(layout: &Layout, c: char) -> Option<(isize, isize)> {
    let in_row = |row: &str| row.chars().position(|key| key == c).and_then(|across| isize::try_from(across).ok());
    let plain = (0..).zip(layout).find_map(|(down, row)| in_row(row).map(|across| (across, down)));
    plain.or_else(|| in_row(SHIFTED_DIGITS).map(|across| (across, 0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn longest(text: &str) -> (usize, u32) {
        let mut longest = (0, 0);
        Walks::through(&text.chars().collect::<Vec<_>>()).reached_from(0, |length, turns| {
            if length > longest.0 {
                longest = (length, turns);
            }
        });
        longest
    }

    #[test]
    fn rows_columns_and_zigzags_are_walks() {
        for walk in ["qwertyuiop", "poiuytrewq", "1qaz", "zaq1", "!@#$%^&*()", "qwertzuiop", "йцукен"] {
            assert_eq!(longest(walk), (walk.chars().count(), 0), "{walk}");
        }
        assert_eq!(longest("1q2w3e4r5t"), (10, 1));
        assert_eq!(longest("azertyuiopqsdf").0, 10);
        assert_eq!(longest("qwedcv"), (6, 2));
    }

    #[test]
    fn words_are_not_walks() {
        for word in ["kettle", "mountain", "x7kq9", "aaaa"] {
            assert!(longest(word).0 < 4, "{word}");
        }
    }
}
