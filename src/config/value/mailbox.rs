//! The sender of a mail: an address and perhaps a name.

use super::super::fault::{Reason, quoted};
use super::super::source::Given;
use super::Value;
use super::host::is_host_name;
use std::fmt;
use url::Host;

/// A mail address with its display name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mailbox {
    /// The display name, without quotes. At most 100 characters, no control characters.
    pub name: Option<String>,
    /// The address, ASCII, at most 254 bytes: RFC 5321 section 4.5.3.1.3 less the angle brackets.
    pub address: String,
}

impl Mailbox {
    /// The part after the `@`.
    pub fn domain(&self) -> &str {
        self.address.rsplit_once('@').map_or("", |(_, domain)| domain)
    }
}

impl fmt::Display for Mailbox {
    /// `Name <address>` or only the address, as in the settings. Not a header yet: the name is neither quoted nor
    /// encoded.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "{name} <{}>", self.address),
            None => f.write_str(&self.address),
        }
    }
}

impl Value for Mailbox {
    const ALLOWED: &'static str = "`address` or `Name <address>`";

    fn parse(given: &Given) -> Result<Self, Reason> {
        // `line` has refused line breaks: a name with a line break could add headers.
        let text = given.line()?;
        split(text).map_err(|fault| Reason::new(format!("{}, but is {}", fault.describe(), quoted(text))))
    }

    fn show(&self) -> toml::Value {
        self.to_string().into()
    }
}

/// Why a text is not a sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    Form,
    /// The part before the `@` is not ASCII.
    LocalPart,
    /// The host is not ASCII and has no ASCII form (RFC 5891).
    Host,
    Name,
}

impl Fault {
    fn describe(self) -> &'static str {
        match self {
            Self::Form => "must be a mail address, or a name and <address>",
            Self::LocalPart => "must be ASCII before the `@`: most servers refuse mails from other addresses",
            Self::Host => "must have a valid domain name",
            Self::Name => "must have a name of at most 100 characters without quotes, backslashes and angle brackets",
        }
    }
}

fn split(text: &str) -> Result<Mailbox, Fault> {
    let Some((name, rest)) = text.rsplit_once('<') else {
        return Ok(Mailbox { name: None, address: address(text)? });
    };
    let address = address(rest.strip_suffix('>').ok_or(Fault::Form)?)?;
    let name = name.trim();
    let name = name.strip_prefix('"').and_then(|name| name.strip_suffix('"')).unwrap_or(name);
    if name.chars().count() > 100 || name.contains(['"', '\\', '<', '>']) {
        return Err(Fault::Name);
    }
    Ok(Mailbox { name: (!name.is_empty()).then(|| name.to_owned()), address })
}

/// A dot-atom and a host name (RFC 5322 section 3.4.1), the host in ASCII. Quoted local parts and address literals are
/// not supported.
fn address(text: &str) -> Result<String, Fault> {
    let atom = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte);
    let (local, host) = text.split_once('@').ok_or(Fault::Form)?;
    if !local.is_ascii() {
        return Err(Fault::LocalPart);
    }
    let host = match host.is_ascii() {
        true => host.to_owned(),
        false => match Host::parse(host) {
            Ok(Host::Domain(ascii)) => ascii,
            _ => return Err(Fault::Host),
        },
    };
    let address = format!("{local}@{host}");
    let is_whole = address.len() <= 254
        && local.len() <= 64
        && local.split('.').all(|word| !word.is_empty() && word.bytes().all(atom))
        && is_host_name(&host);
    if is_whole { Ok(address) } else { Err(Fault::Form) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

    use super::*;

    #[test]
    fn a_host_with_letters_beyond_ascii_is_taken_as_dns_has_it() {
        let sender = split("Bücherladen <no-reply@bücher.example>").unwrap();
        assert_eq!(sender.name.as_deref(), Some("Bücherladen"));
        assert_eq!(
            (sender.address.as_str(), sender.domain()),
            ("no-reply@xn--bcher-kva.example", "xn--bcher-kva.example")
        );
        assert_eq!(split("post@почта.рф").unwrap().address, "post@xn--80a1acny.xn--p1ai");
        assert_eq!(split("no-reply@Example.org").unwrap().address, "no-reply@Example.org");
    }

    #[test]
    fn a_sender_that_is_refused_says_why() {
        for (text, fault) in [
            ("no-reply", Fault::Form),
            ("Shop <no-reply@example.org", Fault::Form),
            ("größe@example.org", Fault::LocalPart),
            ("no-reply@bü cher.example", Fault::Host),
            ("no-reply@bücher\u{200B}<", Fault::Form),
            ("a \"b\" c <no-reply@example.org>", Fault::Name),
            ("no-reply@", Fault::Form),
            ("no reply@example.org", Fault::Form),
        ] {
            assert_eq!(split(text), Err(fault), "{text}");
        }
    }
}
