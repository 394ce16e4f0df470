//! E-mail addresses.
//!
//! The grammar is the practical part of RFC 5321: a dot-atom before the `@` (RFC 6531 letters included), a host name
//! after it. Quoted local parts, comments and address literals are refused: nobody signs up with them, and each is a
//! way to smuggle a second recipient or a header line past a mail library.

use crate::text;
use idna::AsciiDenyList;

/// The most bytes of an address (RFC 5321 section 4.5.3.1.3, less the angle brackets).
pub const MAX_EMAIL_BYTES: usize = 254;
const MAX_LOCAL_BYTES: usize = 64;
const MAX_LABEL_BYTES: usize = 63;

/// A valid address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmailAddress {
    shown: String,
    normalised: String,
}

/// Why a text is not a valid address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidEmail {
    Missing,
    TooLong,
    Malformed,
    /// The address has a route: old mail servers read `%` and `!` before the `@` as a route to another host (RFC 5321
    /// appendix F.2), and some still do.
    Route,
}

impl InvalidEmail {
    pub fn describe(self) -> &'static str {
        match self {
            Self::Missing => "is missing",
            Self::TooLong => "has more than 254 bytes",
            Self::Route => "has % or ! before the @, which a mail server may read as a route to another address",
            Self::Malformed => "is not an e-mail address of the form name@example.org",
        }
    }
}

/// Hosts that ignore dots before the `@`. Both names are the same host.
const DOTLESS_HOSTS: [&str; 2] = ["gmail.com", "googlemail.com"];

impl EmailAddress {
    /// Parses a new address. Invisible characters are refused.
    pub fn parse(text: &str) -> Result<Self, InvalidEmail> {
        let address = Self::parse_known(text)?;
        let (local, _) = address.shown.rsplit_once('@').ok_or(InvalidEmail::Malformed)?;
        if local.contains(['%', '!']) {
            return Err(InvalidEmail::Route);
        }
        // An encoded word (RFC 2047 section 2), which some mail programs decode to another address.
        if local.contains("=?") || address.shown.chars().any(text::is_blank) {
            return Err(InvalidEmail::Malformed);
        }
        Ok(address)
    }

    /// Parses an address that an earlier release may have accepted under a wider grammar: a stored address, or one by
    /// which an account is looked up. White space and invisible marks at the ends are ignored; full-width forms are
    /// read as the characters they are forms of.
    pub fn parse_known(text: &str) -> Result<Self, InvalidEmail> {
        let text = text::trimmed(text);
        if text.is_empty() {
            return Err(InvalidEmail::Missing);
        }
        // A full-width form has three bytes.
        if text.len() > 3 * MAX_EMAIL_BYTES {
            return Err(InvalidEmail::TooLong);
        }
        let shown = text::nfc(&text::without_widths(text));
        if shown.len() > MAX_EMAIL_BYTES {
            return Err(InvalidEmail::TooLong);
        }
        let (local, domain) = shown.rsplit_once('@').ok_or(InvalidEmail::Malformed)?;
        if !is_local_part(local) || !is_host_name(domain) {
            return Err(InvalidEmail::Malformed);
        }
        // A host has one spelling in Unicode and one in ASCII (UTS 46); addresses are compared by the latter.
        let host =
            idna::domain_to_ascii_cow(domain.as_bytes(), AsciiDenyList::EMPTY).map_err(|_| InvalidEmail::Malformed)?;
        // Lower case can have more bytes than upper case; the column has the width of an address.
        let normalised = [&text::nfc(&local.to_lowercase()), "@", &host].concat();
        if normalised.len() > MAX_EMAIL_BYTES {
            return Err(InvalidEmail::TooLong);
        }
        Ok(Self { shown, normalised })
    }

    /// As the person wrote it. Mail is sent to this form, since the local part may be case-sensitive.
    pub fn as_str(&self) -> &str {
        &self.shown
    }

    /// The form by which addresses are compared. No provider in use distinguishes addresses by case.
    pub fn normalised(&self) -> &str {
        &self.normalised
    }

    /// The key by which a limit counts mails: the mailbox, as far as it is known. At most providers the part after a
    /// `+` (RFC 5233) names a folder, and at some dots are ignored. Never use it to compare accounts: at other
    /// providers these are other people.
    pub fn mailbox(&self) -> String {
        let Some((local, host)) = self.normalised.rsplit_once('@') else { return self.normalised.clone() };
        let base = local.split_once('+').map_or(local, |(base, _)| if base.is_empty() { local } else { base });
        match DOTLESS_HOSTS.contains(&host) {
            true => format!("{}@{}", base.replace('.', ""), DOTLESS_HOSTS[0]),
            false => format!("{base}@{host}"),
        }
    }
}

fn is_local_part(local: &str) -> bool {
    local.len() <= MAX_LOCAL_BYTES
        && local.split('.').all(|atom| !atom.is_empty() && atom.chars().all(is_atom_character))
}

/// RFC 5322 section 3.2.3 `atext`, and the characters beyond ASCII that RFC 6531 adds: letters, marks and numbers.
fn is_atom_character(c: char) -> bool {
    if c.is_ascii() { c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c) } else { text::is_word(c) }
}

fn is_host_name(domain: &str) -> bool {
    let mut labels = 0;
    for label in domain.split('.') {
        labels += 1;
        if label.is_empty() || label.len() > MAX_LABEL_BYTES || label.starts_with('-') || label.ends_with('-') {
            return false;
        }
        if !label.chars().all(|c| c == '-' || c.is_ascii_alphanumeric() || (!c.is_ascii() && text::is_word(c))) {
            return false;
        }
    }
    // A top-level domain is never all digits (RFC 3696 section 2), which also keeps bare IPv4 addresses out.
    let top_is_numeric = domain.rsplit('.').next().is_some_and(|top| top.bytes().all(|b| b.is_ascii_digit()));
    labels >= 2 && !top_is_numeric
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn addresses_people_have_are_addresses() {
        for text in [
            "ada@example.org",
            "Ada.Lovelace+inbox@Example.ORG",
            "o'neil@example.co.uk",
            "ольга@пример.рф",
            "a@xn--80ak6aa92e.com",
        ] {
            assert!(EmailAddress::parse(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn an_address_is_read_however_people_type_and_paste_it() {
        let plain = EmailAddress::parse("ada@example.org");
        for text in [
            " ada@example.org ",
            "ada@example.org\u{A0}",
            "\tada@example.org\r\n",
            "\u{FEFF}ada@example.org\u{200B}",
            "\u{3000}ada@example.org\u{200E}",
            "ａｄａ＠ｅｘａｍｐｌｅ．ｏｒｇ",
        ] {
            assert_eq!(EmailAddress::parse(text), plain, "{text:?}");
        }
    }

    #[test]
    fn an_address_with_what_cannot_be_seen_is_none_unless_it_is_kept_already() {
        for text in
            ["ad\u{3164}a@example.org", "ada\u{FE0F}@example.org", "a\u{34F}da@example.org", "ada@exam\u{FE0F}ple.org"]
        {
            assert_eq!(EmailAddress::parse(text), Err(InvalidEmail::Malformed), "{text:?}");
            assert_eq!(EmailAddress::parse_known(text).map(|e| e.shown), Ok(text.to_owned()), "{text:?}");
        }
    }

    #[test]
    fn addresses_that_differ_only_by_case_are_the_same() {
        let plain = EmailAddress::parse("ada@example.org").map(|e| e.normalised);
        assert_eq!(plain, EmailAddress::parse("ADA@Example.Org").map(|e| e.normalised));
    }

    #[test]
    fn a_host_in_letters_and_in_ascii_is_one_host() {
        let normalised = |text: &str| EmailAddress::parse(text).unwrap().normalised().to_owned();
        assert_eq!(normalised("ada@MÜNCHEN.de"), normalised("ada@xn--mnchen-3ya.de"));
        assert_eq!(normalised("Ольга@пример.рф"), "ольга@xn--e1afmkfd.xn--p1ai");
    }

    #[test]
    fn nothing_that_could_inject_a_recipient_or_a_header_is_an_address() {
        for text in [
            "ada@example.org\r\nRCPT TO:<eve@example.org>",
            "ada@example.org\n.",
            "ada@example.org, eve@example.org",
            "ada@example.org;eve@example.org",
            "<ada@example.org>",
            "Ada <ada@example.org>",
            "\"ada\"@example.org",
            "ada(comment)@example.org",
            "ada@[127.0.0.1]",
            "ada@127.0.0.1",
            "ada@localhost",
            "ada@example..org",
            ".ada@example.org",
            "ada.@example.org",
            "ada..b@example.org",
            "ada@-example.org",
            "ada@exam\u{200B}ple.org",
            "a\0da@example.org",
            "ada@eve@example.org",
            "@example.org",
            "ada@",
            "ada",
        ] {
            assert_eq!(EmailAddress::parse(text), Err(InvalidEmail::Malformed), "{text:?}");
        }
        assert_eq!(EmailAddress::parse("  "), Err(InvalidEmail::Missing));
        assert_eq!(EmailAddress::parse(&format!("{}@example.org", "a".repeat(250))), Err(InvalidEmail::TooLong));
        assert_eq!(EmailAddress::parse(&format!("{}@example.org", "a".repeat(65))), Err(InvalidEmail::Malformed));
    }

    #[test]
    fn routes_and_encoded_words_are_no_new_addresses_and_are_still_found() {
        for (text, fault) in [
            ("victim%example.com@example.org", InvalidEmail::Route),
            ("example.com!victim@example.org", InvalidEmail::Route),
            ("=?x?q?=41=42?=@example.org", InvalidEmail::Malformed),
            ("=?utf-8?q?collab=40psres.net=3e=00?=foobar@example.org", InvalidEmail::Malformed),
        ] {
            assert_eq!(EmailAddress::parse(text), Err(fault), "{text}");
            assert!(EmailAddress::parse_known(text).is_ok(), "{text}");
        }
        assert!(EmailAddress::parse("a=b?c@example.org").is_ok());
    }

    #[test]
    fn limits_count_the_mailbox_and_not_its_spellings() {
        let mailbox = |text: &str| EmailAddress::parse(text).unwrap().mailbox();
        for (text, counted) in [
            ("ada@example.org", "ada@example.org"),
            ("ADA+a@Example.org", "ada@example.org"),
            ("ada+a+b@example.org", "ada@example.org"),
            ("+ada@example.org", "+ada@example.org"),
            ("a.d.a@example.org", "a.d.a@example.org"),
            ("a.d.a+x@gmail.com", "ada@gmail.com"),
            ("ada@googlemail.com", "ada@gmail.com"),
            ("ada-b@example.org", "ada-b@example.org"),
        ] {
            assert_eq!(mailbox(text), counted, "{text}");
        }
    }

    proptest! {
        #[test]
        fn parsing_never_panics_and_keeps_no_control_character(text in "\\PC{0,40}@?\\PC{0,40}|.{0,300}") {
            if let Ok(address) = EmailAddress::parse(&text) {
                prop_assert!(address.as_str().chars().all(|c| !c.is_control() && !c.is_whitespace()));
                prop_assert_eq!(address.as_str().matches('@').count(), 1);
                prop_assert!(EmailAddress::parse(address.normalised()).is_ok());
                prop_assert!(address.mailbox().len() <= address.normalised().len());
            }
        }
    }
}
