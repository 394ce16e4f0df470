//! Values of types from the standard library.

use super::super::fault::{Reason, quoted};
use super::super::source::Given;
use super::Value;
use std::net::SocketAddr;
use std::path::PathBuf;

impl Value for SocketAddr {
    const ALLOWED: &'static str = "an IP address and a port; port `0` takes any free one";

    fn parse(given: &Given) -> Result<Self, Reason> {
        let text = given.line()?;
        text.parse().map_err(|_| {
            Reason::new(format!(
                "must be an IP address and a port, such as \"127.0.0.1:50051\", but is {}",
                quoted(text)
            ))
        })
    }

    fn show(&self) -> toml::Value {
        self.to_string().into()
    }
}

/// A listener that can be switched off.
pub(in super::super) struct OptionalListener(pub(in super::super) Option<SocketAddr>);

impl Value for OptionalListener {
    const ALLOWED: &'static str = "an IP address and a port, or `off`";

    fn parse(given: &Given) -> Result<Self, Reason> {
        match given.line()? {
            "off" => Ok(Self(None)),
            _ => SocketAddr::parse(given).map(|address| Self(Some(address))),
        }
    }

    fn show(&self) -> toml::Value {
        self.0.map_or_else(|| "off".to_owned(), |address| address.to_string()).into()
    }
}

impl Value for PathBuf {
    const ALLOWED: &'static str = "a path; a relative one starts at the working directory";

    fn parse(given: &Given) -> Result<Self, Reason> {
        given.line().map(Self::from)
    }

    fn show(&self) -> toml::Value {
        self.to_string_lossy().into_owned().into()
    }
}

impl Value for bool {
    const ALLOWED: &'static str = "`true` or `false`";

    fn parse(given: &Given) -> Result<Self, Reason> {
        let text = match given {
            Given::Boolean(value) => return Ok(*value),
            Given::Untyped(_) => given.line()?,
            Given::Text(_) => return Err(Reason::new("must be true or false, without quotes")),
            other => return Err(Reason::new(format!("must be true or false, but {}", other.kind()))),
        };
        text.parse().map_err(|_| Reason::new(format!("must be true or false, but is {}", quoted(text))))
    }

    fn show(&self) -> toml::Value {
        (*self).into()
    }
}
