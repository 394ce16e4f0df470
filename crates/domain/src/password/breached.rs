//! Passwords from known data breaches: the query, and how an answer is read.
//!
//! Lists of breached passwords contain SHA-1 hashes, because they are exchanged in this form. Here SHA-1 protects
//! nothing.

use std::fmt;
use zeroize::Zeroizing;

/// The SHA-1 hash of a password, for the lookup. An attacker can easily find the password from it, so it is wiped and
/// never shown.
pub struct BreachDigest(Zeroizing<[u8; 20]>);

/// The hexadecimal digits that are sent to a range service: the same for many passwords, so the service does not learn
/// which.
const PREFIX_DIGITS: usize = 5;
const DIGITS: usize = 40;

/// The answer of a range service has another format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnreadableRange;

impl BreachDigest {
    pub fn new(sha1: [u8; 20]) -> Self {
        Self(Zeroizing::new(sha1))
    }

    pub fn bytes(&self) -> &[u8; 20] {
        &self.0
    }

    /// The prefix, in upper case: the only part of the hash that leaves this process.
    pub fn range(&self) -> String {
        self.digits()[..PREFIX_DIGITS].to_owned()
    }

    /// Whether the answer to a query for [`BreachDigest::range`] contains this hash. Each line has the 35 digits after
    /// the prefix, a colon, and how often the password was seen. A line with the count 0 is padding, so that the length
    /// of an answer reveals nothing.
    ///
    /// # Errors
    /// When a line has another format.
    pub fn is_in(&self, answer: &str) -> Result<bool, UnreadableRange> {
        let digits = self.digits();
        let ours = &digits[PREFIX_DIGITS..];
        let mut found = false;
        for line in answer.lines() {
            let (suffix, seen) = line.split_once(':').ok_or(UnreadableRange)?;
            if suffix.len() != DIGITS - PREFIX_DIGITS || !suffix.bytes().all(|digit| digit.is_ascii_hexdigit()) {
                return Err(UnreadableRange);
            }
            let seen = seen.trim_ascii();
            if seen.is_empty() || !seen.bytes().all(|digit| digit.is_ascii_digit()) {
                return Err(UnreadableRange);
            }
            found |= suffix.eq_ignore_ascii_case(ours) && seen.bytes().any(|digit| digit != b'0');
        }
        Ok(found)
    }

    fn digits(&self) -> Zeroizing<String> {
        const HEX: &[u8; 16] = b"0123456789ABCDEF";
        let mut digits = Zeroizing::new(String::with_capacity(DIGITS));
        for byte in self.0.iter() {
            digits.extend([byte >> 4, byte & 15].map(|digit| char::from(HEX[usize::from(digit)])));
        }
        digits
    }
}

/// A line of a list of breached passwords: 40 hexadecimal digits, alone or with a colon and a count. `None` when it has
/// another format; `Some(None)` when the count is 0.
pub fn read_listed(line: &str) -> Option<Option<[u8; 20]>> {
    let (digits, seen) = line.split_once(':').unwrap_or((line, "1"));
    let seen = Some(seen.trim_ascii()).filter(|seen| !seen.is_empty() && seen.bytes().all(|c| c.is_ascii_digit()))?;
    let digits = digits.as_bytes();
    if digits.len() != DIGITS {
        return None;
    }
    let mut hash = [0; 20];
    for (byte, pair) in hash.iter_mut().zip(digits.chunks(2)) {
        let [high, low] = [char::from(pair[0]).to_digit(16)?, char::from(pair[1]).to_digit(16)?];
        *byte = u8::try_from(high << 4 | low).ok()?;
    }
    Some(seen.bytes().any(|c| c != b'0').then_some(hash))
}

impl fmt::Debug for BreachDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BreachDigest([secret])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The SHA-1 hash of `password`.
    const HASH: &str = "5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8";
    const SUFFIX: &str = "1E4C9B93F3F0682250B6CF8331B7EE68FD8";

    fn digest() -> BreachDigest {
        BreachDigest::new(read_listed(HASH).flatten().expect("it is one"))
    }

    #[test]
    fn five_digits_are_asked_for_and_the_others_looked_for() {
        assert_eq!(digest().range(), "5BAA6");
        for answer in [
            format!("{SUFFIX}:3"),
            format!("0018A45C4D1DEF81644B54AB7F969B88D65:1\r\n{SUFFIX}:9545824\r\n"),
            format!("{}:10\n", SUFFIX.to_lowercase()),
        ] {
            assert_eq!(digest().is_in(&answer), Ok(true), "{answer}");
        }
        for answer in [
            String::new(),
            "0018A45C4D1DEF81644B54AB7F969B88D65:1\r\n".to_owned(),
            format!("{SUFFIX}:0\r\n"),
            format!("{SUFFIX}:000"),
        ] {
            assert_eq!(digest().is_in(&answer), Ok(false), "{answer}");
        }
    }

    #[test]
    fn what_is_not_a_list_of_lines_is_no_answer() {
        for answer in [
            "<html>".to_owned(),
            "{}".to_owned(),
            SUFFIX.to_owned(),
            format!("{SUFFIX}:"),
            format!("{SUFFIX}:-1"),
            format!("{SUFFIX}:many"),
            format!("{HASH}:1"),
            format!("{}:1", &SUFFIX[1..]),
            format!("{}g:1", &SUFFIX[1..]),
            format!("{SUFFIX}:1\n\n"),
            format!("{SUFFIX}:1\nand then nothing"),
            format!("{}é:1", &SUFFIX[2..]),
        ] {
            assert_eq!(digest().is_in(&answer), Err(UnreadableRange), "{answer}");
        }
    }

    #[test]
    fn a_line_of_a_list_is_a_hash_with_or_without_a_count() {
        let hash = *digest().bytes();
        for line in [HASH.to_owned(), HASH.to_lowercase(), format!("{HASH}:7"), format!("{HASH}:7\r")] {
            assert_eq!(read_listed(&line), Some(Some(hash)), "{line}");
        }
        assert_eq!(read_listed(&format!("{HASH}:0")), Some(None));
        for line in [
            "",
            "password",
            &HASH[1..],
            &format!("{HASH}0"),
            &format!("{HASH}:"),
            &format!("{HASH}:x"),
            &format!(" {HASH}"),
        ] {
            assert_eq!(read_listed(line), None, "{line}");
        }
    }

    #[test]
    fn nothing_shows_the_hash() {
        assert_eq!(format!("{:?}", digest()), "BreachDigest([secret])");
    }
}
