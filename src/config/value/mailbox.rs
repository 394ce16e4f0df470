//! The sender of a mail: an address and perhaps a name.

use super::super::fault::{Reason, quoted};
use super::super::source::Given;
use super::Value;
use super::host::is_host_name;
use std::fmt;

/// A mail address with the name that is shown for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mailbox {
    /// The name people see, without quotes. At most 100 characters, no control characters.
    pub name: Option<String>,
    /// The address, ASCII, at most 254 bytes: RFC 5321 section 4.5.3.1.3 less the angle brackets.
    pub address: String,
}

impl Mailbox {
    /// The part behind the `@`.
    pub fn domain(&self) -> &str {
        self.address.rsplit_once('@').map_or("", |(_, domain)| domain)
    }
}

impl fmt::Display for Mailbox {
    /// `Name <address>` or the bare address, as in the settings. Not yet a header: the name is neither quoted nor
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
        // `line` has refused line breaks: a name with one in it would write headers of its own.
        let text = given.line()?;
        split(text).ok_or_else(|| {
            Reason::new(format!("must be a mail address, or a name and <address>, but is {}", quoted(text)))
        })
    }

    fn show(&self) -> toml::Value {
        self.to_string().into()
    }
}

fn split(text: &str) -> Option<Mailbox> {
    let Some((name, rest)) = text.rsplit_once('<') else {
        return is_address(text).then(|| Mailbox { name: None, address: text.to_owned() });
    };
    let address = rest.strip_suffix('>').filter(|address| is_address(address))?.to_owned();
    let name = name.trim();
    let name = name.strip_prefix('"').and_then(|name| name.strip_suffix('"')).unwrap_or(name);
    if name.chars().count() > 100 || name.contains(['"', '\\', '<', '>']) {
        return None;
    }
    Some(Mailbox { name: (!name.is_empty()).then(|| name.to_owned()), address })
}

/// A dot-atom and a host name (RFC 5322 section 3.4.1). Quoted local parts and address literals are nobody's sender.
fn is_address(text: &str) -> bool {
    let atom = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte);
    let Some((local, domain)) = text.split_once('@') else { return false };
    text.len() <= 254
        && local.len() <= 64
        && local.split('.').all(|word| !word.is_empty() && word.bytes().all(atom))
        && is_host_name(domain)
}
