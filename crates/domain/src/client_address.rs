//! The address of a client behind proxies.

use ipnet::IpNet;
// From `core`, which has addresses and no sockets.
use core::net::{IpAddr, SocketAddr};

/// The networks of trusted proxies: their `X-Forwarded-For` entries are used.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<IpNet>);

/// The most entries that are read. A longer list is not read further.
const MOST_PROXIES: usize = 16;

impl TrustedProxies {
    pub fn new(networks: Vec<IpNet>) -> Self {
        Self(networks)
    }

    /// The address that a call came from, given its `peer` and the lines of `X-Forwarded-For` in their order.
    ///
    /// Each proxy appends the address that called it, so the list is read from its end: an entry is trusted as long as
    /// the proxy that wrote it is trusted. Everything before the first entry of an untrusted address may be forged. An
    /// entry that is no address invalidates the whole list, and the peer is returned: the list is an attack, or a proxy
    /// is configured otherwise than its operator thinks.
    pub fn client<'a>(&self, peer: IpAddr, forwarded: impl DoubleEndedIterator<Item = &'a str>) -> IpAddr {
        let peer = peer.to_canonical();
        let mut client = peer;
        let entries = forwarded.rev().flat_map(|line| line.rsplit(','));
        for (passed, entry) in entries.enumerate() {
            if !self.trusts(client) {
                break;
            }
            match address(entry) {
                Some(named) if passed < MOST_PROXIES => client = named,
                _ => return peer,
            }
        }
        client
    }

    /// Whether `address` is that of a trusted proxy.
    pub fn trusts(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }
}

/// Parses an address, with a port as some proxies write it, and in brackets for IPv6.
fn address(entry: &str) -> Option<IpAddr> {
    let entry = entry.trim_matches([' ', '\t']);
    let bare = entry.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(entry);
    let parsed = bare.parse::<IpAddr>().ok().or_else(|| Some(entry.parse::<SocketAddr>().ok()?.ip()))?;
    Some(parsed.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn client(peer: &str, lines: &[&str]) -> String {
        let networks = ["10.0.0.0/8", "fd00::/8", "127.0.0.1/32"].map(|network| network.parse().unwrap());
        let proxies = TrustedProxies::new(networks.to_vec());
        proxies.client(peer.parse().unwrap(), lines.iter().copied()).to_string()
    }

    #[test]
    fn a_stranger_is_taken_for_who_it_is_whatever_it_says() {
        assert_eq!(client("192.0.2.1", &["198.51.100.7"]), "192.0.2.1");
        assert_eq!(client("192.0.2.1", &["10.0.0.1, 127.0.0.1"]), "192.0.2.1");
    }

    #[test]
    fn a_trusted_proxy_says_who_called_it() {
        assert_eq!(client("10.0.0.1", &["198.51.100.7"]), "198.51.100.7");
        assert_eq!(client("10.0.0.1", &["198.51.100.7, 10.0.0.2,fd00::3"]), "198.51.100.7");
        assert_eq!(client("10.0.0.1", &["198.51.100.7", "10.0.0.2"]), "198.51.100.7", "lines are one list");
        assert_eq!(client("10.0.0.1", &[]), "10.0.0.1");
    }

    #[test]
    fn what_a_stranger_wrote_before_it_came_to_a_proxy_is_not_believed() {
        assert_eq!(client("10.0.0.1", &["127.0.0.1, 10.0.0.9, 198.51.100.7, 10.0.0.2"]), "198.51.100.7");
        assert_eq!(client("10.0.0.1", &["garbage, 198.51.100.7"]), "198.51.100.7");
    }

    #[test]
    fn addresses_are_read_in_every_form_that_proxies_write() {
        for (written, meant) in [
            ("198.51.100.7:4711", "198.51.100.7"),
            ("[2001:db8::7]", "2001:db8::7"),
            ("[2001:db8::7]:4711", "2001:db8::7"),
            ("2001:db8::7", "2001:db8::7"),
            ("::ffff:198.51.100.7", "198.51.100.7"),
            (" \t198.51.100.7 ", "198.51.100.7"),
        ] {
            assert_eq!(client("10.0.0.1", &[written]), meant, "{written}");
        }
        assert_eq!(client("::ffff:10.0.0.1", &["198.51.100.7"]), "198.51.100.7", "a mapped peer is an IPv4 peer");
    }

    #[test]
    fn garbage_means_the_peer() {
        let many = vec!["10.0.0.2"; 17].join(",");
        for list in [
            "",
            ",",
            "unknown",
            "198.51.100.7,",
            "198.51.100.7;",
            "_hidden",
            "198.51.100.256",
            "198.51.100.7 x",
            "[::1",
            "for=1.2.3.4",
            &many,
        ] {
            assert_eq!(client("10.0.0.1", &[list]), "10.0.0.1", "{list}");
        }
        assert_eq!(client("10.0.0.1", &["198.51.100.7, unknown, 10.0.0.2"]), "10.0.0.1");
    }

    #[test]
    fn a_list_of_proxies_alone_ends_at_the_first_of_them() {
        assert_eq!(client("10.0.0.1", &["10.0.0.3, 10.0.0.2"]), "10.0.0.3");
    }

    proptest! {
        #[test]
        fn no_stranger_can_choose_its_address(said in "[ -~]{0,80}", own in any::<u32>().prop_map(core::net::Ipv4Addr::from)) {
            let own = IpAddr::V4(own);
            prop_assume!(!["10.0.0.0/8", "127.0.0.1/32"].iter().any(|net| net.parse::<IpNet>().unwrap().contains(&own)));
            let line = format!("{said}, {own}");
            prop_assert_eq!(client("10.0.0.1", &[&line]), own.to_string());
        }
    }
}
