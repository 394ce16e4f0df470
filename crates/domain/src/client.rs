//! Observable properties of a client. A signal is never a credential: an attacker who copies a token can copy every
//! signal, too. Signals only distinguish usual clients from unusual ones.

use crate::id::DeviceId;
// From `core`, which has addresses and no sockets.
use core::net::IpAddr;
use std::fmt;

/// What one call shows of its client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signals {
    pub program: Program,
    /// `None` when the address is not valid.
    pub network: Option<Network>,
    pub device: DeviceSignal,
}

impl Signals {
    /// Of a user agent and an address as they were sent or stored.
    pub fn of(user_agent: &str, address: &str, device: DeviceSignal) -> Self {
        Self { program: Program::of(user_agent), network: address.parse().ok().map(Network::of), device }
    }
}

/// Whether a client presents a device token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceSignal {
    Shown(DeviceId),
    /// A device token was expected, and there was none.
    Missing,
    /// The call has no field for a device token.
    Unasked,
}

/// The kind of the program that calls, and its operating system, according to its user agent. Versions are left out, so
/// that an update does not change it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    name: String,
    system: Option<&'static str>,
}

/// A network within which a client may change its address: a /24 of IPv4, a /48 of IPv6 (RFC 6177 calls it a site).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    V4([u8; 3]),
    V6([u8; 6]),
}

/// A country (ISO 3166-1 alpha-2): coarse enough that most logins of an account come from the same one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Country([u8; 2]);

/// Every browser also names other browsers, so the most specific name comes first.
const BROWSERS: [(&str, &str); 8] = [
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
];
const SYSTEMS: [(&str, &str); 7] = [
    ("Android", "Android"),
    ("iPhone", "iOS"),
    ("iPad", "iPadOS"),
    ("Windows", "Windows"),
    ("CrOS", "ChromeOS"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
];
/// The most bytes of the name of a program that is no browser.
const MAX_NAME: usize = 32;

impl Program {
    pub fn of(user_agent: &str) -> Self {
        let named = |list: &[(&str, &'static str)]| {
            list.iter().find(|(sign, _)| user_agent.contains(sign)).map(|(_, name)| *name)
        };
        let name = match user_agent.starts_with("Mozilla/").then(|| named(&BROWSERS)).flatten() {
            Some(browser) => browser.to_owned(),
            None => {
                let is_plain = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
                user_agent.chars().take_while(is_plain).take(MAX_NAME).collect()
            }
        };
        Self { name, system: named(&SYSTEMS) }
    }
}

impl fmt::Display for Program {
    /// For example `Firefox (Linux)`; empty when nothing is known.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        match self.system {
            Some(system) if !self.name.is_empty() => write!(f, " ({system})"),
            Some(system) => f.write_str(system),
            None => Ok(()),
        }
    }
}

impl Network {
    pub fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => {
                let [a, b, c, _] = address.octets();
                Self::V4([a, b, c])
            }
            IpAddr::V6(address) => {
                let [a, b, c, d, e, f, ..] = address.octets();
                Self::V6([a, b, c, d, e, f])
            }
        }
    }
}

impl Country {
    /// `None` for a text that is not two upper-case letters.
    pub fn parse(code: &str) -> Option<Self> {
        let code: [u8; 2] = code.as_bytes().try_into().ok()?;
        code.iter().all(u8::is_ascii_uppercase).then_some(Self(code))
    }
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [first, second] = self.0.map(char::from);
        write!(f, "{first}{second}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0";
    const CHROME: &str =
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";
    const EDGE: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0";
    const IPHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1";

    #[test]
    fn a_program_is_told_by_its_kind_and_its_system_and_not_by_its_version() {
        let shown = |agent: &str| Program::of(agent).to_string();
        assert_eq!(shown(FIREFOX), "Firefox (Linux)");
        assert_eq!(shown(CHROME), "Chrome (Linux)");
        assert_eq!(shown(EDGE), "Edge (Windows)");
        assert_eq!(shown(IPHONE), "Safari (iOS)");
        assert_eq!(shown("grpcurl/v1.9.1 grpc-go/1.61.0"), "grpcurl");
        assert_eq!(shown("tonic/0.14.9"), "tonic");
        assert_eq!(shown(""), "");
        assert_eq!(Program::of(FIREFOX), Program::of(&FIREFOX.replace("128", "129")));
        assert_ne!(Program::of(FIREFOX), Program::of(CHROME));
    }

    #[test]
    fn what_a_stranger_writes_stays_short_and_plain() {
        let shown = |agent: &str| Program::of(agent).to_string();
        assert_eq!(shown("evil\u{202E}<script>"), "evil");
        assert_eq!(shown(&"x".repeat(100_000)).len(), MAX_NAME);
        assert_eq!(shown("\r\nBcc: x"), "");
    }

    #[test]
    fn a_network_is_what_a_client_moves_in() {
        let of = |text: &str| Network::of(text.parse().unwrap());
        assert_eq!(of("192.0.2.1"), of("192.0.2.254"));
        assert_ne!(of("192.0.2.1"), of("192.0.3.1"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
        assert_eq!(of("2001:db8:1::1"), of("2001:db8:1:ffff::1"));
        assert_ne!(of("2001:db8:1::1"), of("2001:db8:2::1"));
    }

    #[test]
    fn a_place_is_two_capitals() {
        assert_eq!(Country::parse("DE").map(|place| place.to_string()).as_deref(), Some("DE"));
        for other in ["", "D", "de", "DEU", "D\u{c4}", "1A"] {
            assert_eq!(Country::parse(other), None, "{other}");
        }
    }
}
