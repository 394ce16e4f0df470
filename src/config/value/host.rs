//! Host names.

use super::super::fault::{Reason, quoted};
use super::super::source::Given;
use super::Value;

/// A host or domain name in ASCII; an international name in its `xn--` form.
pub(in super::super) struct HostName(pub(in super::super) String);

impl Value for HostName {
    const ALLOWED: &'static str = "a host name in ASCII";

    fn parse(given: &Given) -> Result<Self, Reason> {
        let text = given.line()?;
        if is_host_name(text) {
            return Ok(Self(text.to_owned()));
        }
        Err(Reason::new(format!("must be a host name such as \"mail.example.org\", but is {}", quoted(text))))
    }

    fn show(&self) -> toml::Value {
        self.0.clone().into()
    }
}

/// Several host names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in super::super) struct HostNames(pub(in super::super) Vec<String>);

impl Value for HostNames {
    const ALLOWED: &'static str = "host names in ASCII; in the environment with commas between them";

    fn parse(given: &Given) -> Result<Self, Reason> {
        let name = |text: &str| match is_host_name(text) {
            true => Ok(text.to_ascii_lowercase()),
            false => Err(Reason::new(format!(
                "must be host names such as \"id.example.org\", without scheme and port, but holds {}",
                quoted(text)
            ))),
        };
        given.items()?.into_iter().map(name).collect::<Result<_, _>>().map(Self)
    }

    fn show(&self) -> toml::Value {
        self.0.clone().into()
    }
}

/// RFC 1123 section 2.1: labels of letters, digits and inner hyphens, at most 63 bytes each and 253 in total.
pub(super) fn is_host_name(text: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    let label = |label: &str| {
        (1..=63).contains(&label.len()) && label.bytes().all(letter) && !label.starts_with('-') && !label.ends_with('-')
    };
    text.len() <= 253 && text.split('.').all(label)
}
