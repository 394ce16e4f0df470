//! "Did you mean …?"

/// Longer names are not compared: the work grows with the square of the length, and no typo is that long.
const MAX_CHARS: usize = 64;

/// The known name that is closest to the written one, if any is close enough.
pub(super) fn closest<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let written_chars: Vec<char> = written.chars().take(MAX_CHARS + 1).collect();
    if written_chars.len() > MAX_CHARS {
        return None;
    }
    // A third of a short name may be wrong, but never more than three letters: `log` is not a misspelt `keys`.
    let limit = (written_chars.len() / 3).min(3);
    // Names whose lengths differ by more cannot be close. Skipping them saves most of the work in a file full of
    // unknown keys.
    let comparable = |name: &&str| name.len().abs_diff(written.len()) <= limit || same_name(written, name);
    known
        .into_iter()
        .filter(comparable)
        .map(|name| (distance(&written_chars, name, written), name))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// The number of letters to add, drop, replace or swap with their neighbour (optimal string alignment). The right name
/// in the wrong section, as `access_ttl` for `sessions.access_ttl`, counts as one.
fn distance(written: &[char], known: &str, written_text: &str) -> usize {
    if same_name(written_text, known) {
        return 1;
    }
    let known: Vec<char> = known.chars().collect();
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=known.len()).collect();
    for (i, a) in written.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, b) in known.iter().enumerate() {
            let mut best = (last[j] + usize::from(a != b)).min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *a == known[j - 1] && written[i - 1] == *b {
                best = best.min(before_last[j - 1] + 1);
            }
            row.push(best);
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last[known.len()]
}

/// Whether two keys differ only in the section.
fn same_name(a: &str, b: &str) -> bool {
    a.rsplit('.').next() == b.rsplit('.').next()
}

#[cfg(test)]
mod tests {
    use super::closest;

    const KNOWN: [&str; 4] = ["listen", "sessions.access_ttl", "sessions.idle_ttl", "keys.kek"];

    #[test]
    fn a_slip_of_the_finger_is_recognised() {
        assert_eq!(closest("lsiten", KNOWN), Some("listen"));
        assert_eq!(closest("sessions.acess_ttl", KNOWN), Some("sessions.access_ttl"));
        assert_eq!(closest("sessions.access-ttl", KNOWN), Some("sessions.access_ttl"));
    }

    #[test]
    fn the_right_name_in_the_wrong_section_is_recognised() {
        assert_eq!(closest("idle_ttl", KNOWN), Some("sessions.idle_ttl"));
        assert_eq!(closest("links.idle_ttl", KNOWN), Some("sessions.idle_ttl"));
    }

    #[test]
    fn a_name_that_resembles_nothing_gets_no_suggestion() {
        assert_eq!(closest("colour", KNOWN), None);
        assert_eq!(closest("", KNOWN), None);
        assert_eq!(closest(&"listen".repeat(20_000), KNOWN), None);
    }
}
