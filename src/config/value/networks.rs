//! IP networks.

use super::super::fault::{Reason, quoted};
use super::super::source::Given;
use super::Value;
use ipnet::IpNet;
use std::net::IpAddr;

/// IP networks in CIDR notation (RFC 4632); an address alone is a network of one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in super::super) struct Networks(pub(in super::super) Vec<IpNet>);

impl Value for Networks {
    const ALLOWED: &'static str =
        "networks such as `10.0.0.0/8` or single addresses; in the environment with commas between them";

    fn parse(given: &Given) -> Result<Self, Reason> {
        given.items()?.into_iter().map(network).collect::<Result<_, _>>().map(Self)
    }

    fn show(&self) -> toml::Value {
        self.0.iter().map(ToString::to_string).collect::<Vec<_>>().into()
    }
}

fn network(text: &str) -> Result<IpNet, Reason> {
    let parsed = text.parse::<IpNet>().ok().or_else(|| Some(text.parse::<IpAddr>().ok()?.into()));
    let Some(network) = parsed else {
        return Err(Reason::new(format!("must be networks such as \"10.0.0.0/8\", but holds {}", quoted(text))));
    };
    // Host bits that are set mean that another network was probably meant.
    if network.trunc() != network {
        let meant = quoted(&network.trunc().to_string());
        return Err(Reason::new(format!("must hold {meant} instead of {}", quoted(text))));
    }
    if network.prefix_len() == 0 {
        return Err(Reason::new(format!("must not hold {}, which is every address", quoted(text))));
    }
    Ok(network)
}
