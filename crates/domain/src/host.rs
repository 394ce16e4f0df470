//! The host names under which a listener answers.
//!
//! A web page can point a name of its own at this machine (DNS rebinding). The browser then treats the listener's
//! answers as part of that page's site, but it still sends the page's name as `Host`. So a listener that is no public
//! web site answers to its own names only.

// From `core`, which has addresses and no sockets.
use core::net::{IpAddr, Ipv6Addr};

/// The names of a listener. Every IP address and `localhost` belong to them: an attacker cannot make them point at
/// another machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnNames(Vec<String>);

impl OwnNames {
    /// `names` are host names, without port.
    pub fn new(names: Vec<String>) -> Self {
        Self(names)
    }

    /// The text of the answer to a request for another name.
    pub const REFUSAL: &'static str = "this listener does not go by that name; admin.hosts says by which it does\n";

    /// Whether a request was meant for this listener: every name in the request is one of the listener's. `authority`
    /// is that of its URI, and `hosts` are its `Host` headers, `None` for one that is not text.
    ///
    /// A request without a name is accepted: browsers always send one, and health checks over HTTP/1.0 do not.
    pub fn include_all<'a>(&self, authority: Option<&str>, mut hosts: impl Iterator<Item = Option<&'a str>>) -> bool {
        authority.is_none_or(|authority| self.include(authority))
            && hosts.all(|host| host.is_some_and(|host| self.include(host)))
    }

    /// Whether `authority`, the value of a `Host` header or an `:authority`, is one of the listener's names.
    pub fn include(&self, authority: &str) -> bool {
        let Some(host) = host_of(authority) else { return false };
        let is_named = |name: &str| host.eq_ignore_ascii_case(name);
        host.parse::<IpAddr>().is_ok() || is_named("localhost") || self.0.iter().any(|name| is_named(name))
    }
}

/// The host of `host`, `host:port` or `[address]:port`. `None` for any other form, such as one with a user, which no
/// client writes (RFC 9110 section 7.2).
fn host_of(authority: &str) -> Option<&str> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (address, port) = rest.split_once(']')?;
            address.parse::<Ipv6Addr>().ok()?;
            (address, port)
        }
        None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
    };
    let is_port = port.is_empty() || port.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok());
    (is_port && !host.is_empty()).then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn addresses_and_names_of_the_listener_are_its_own_and_nothing_else_is() {
        let own = OwnNames::new(vec!["ops.internal".to_owned()]);
        for authority in [
            "localhost",
            "LocalHost:50052",
            "127.0.0.1:50052",
            "10.1.2.3:50052",
            "[::1]:50052",
            "[fd00::1]",
            "ops.internal",
            "OPS.internal:50052",
        ] {
            assert!(own.include(authority), "{authority}");
        }
        for authority in [
            "",
            ":50052",
            "evil.example",
            "evil.example:50052",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "ops.internal.evil.example",
            "internal",
            "ann@localhost",
            "localhost:x",
            "localhost:99999",
            "[::1",
            "[localhost]",
            "[::1]x",
            "::1",
            "localhost, evil.example",
        ] {
            assert!(!own.include(authority), "{authority}");
        }
    }

    #[test]
    fn every_name_that_a_request_says_has_to_be_one_of_ours() {
        let own = OwnNames::new(vec!["ops.internal".to_owned()]);
        for (authority, hosts) in [
            (None, &[Some("127.0.0.1:50052")][..]),
            (None, &[Some("ops.internal")]),
            (None, &[]),
            (Some("ops.internal:50052"), &[]),
            (Some("10.0.0.1"), &[Some("10.0.0.1")]),
        ] {
            assert!(own.include_all(authority, hosts.iter().copied()), "{authority:?} {hosts:?}");
        }
        for (authority, hosts) in [
            (None, &[Some("evil.example")][..]),
            (None, &[Some("")]),
            (None, &[None]),
            (None, &[Some("127.0.0.1"), Some("evil.example")]),
            (Some("evil.example"), &[Some("127.0.0.1")]),
            (Some("127.0.0.1"), &[Some("evil.example")]),
        ] {
            assert!(!own.include_all(authority, hosts.iter().copied()), "{authority:?} {hosts:?}");
        }
    }

    proptest! {
        #[test]
        fn no_name_under_a_domain_of_somebody_else_is_ours(name in "[a-z0-9.\\[\\]:@-]{0,40}") {
            let foreign = name + ".example";
            prop_assert!(!OwnNames::default().include(&foreign));
        }
    }
}
