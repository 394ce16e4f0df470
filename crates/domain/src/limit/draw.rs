use super::Limit;
use crate::id::{AccountId, ServiceId, SessionId, TenantId};
// From `core`, which has addresses and no sockets.
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::{fmt, time::Duration};

/// The part of an address that distinguishes subscribers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum AddressPrefix {
    /// The whole address: a router or a translator has one or few of them.
    V4([u8; 4]),
    /// The first 64 bits: a subnet (RFC 4291 section 2.5.1), within which a host may use any number of addresses (RFC
    /// 8981). A subscriber gets a /64 at least (RFC 6177).
    V6([u8; 8]),
}

/// RFC 6052 section 2.1.
const NAT64: [u8; 12] = [0x00, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0];

impl AddressPrefix {
    /// The prefix that counts as one caller.
    ///
    /// Two forms of IPv6 addresses contain an IPv4 address, and would otherwise make one caller of all clients with
    /// IPv4: mapped addresses, which a listener for both protocols reports (RFC 4291 section 2.5.5.2), and addresses of
    /// the well-known prefix, which a translator in front of an IPv6-only network reports (RFC 6052, RFC 7755). Neither
    /// can be forged: the answer to such an address goes to this host or to that translator. Prefixes that a network
    /// chose for its own translator cannot be recognized.
    pub fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => Self::V4(address.octets()),
            IpAddr::V6(address) => Self::of_v6(address),
        }
    }

    fn of_v6(address: Ipv6Addr) -> Self {
        if let Some(mapped) = address.to_ipv4_mapped() {
            return Self::V4(mapped.octets());
        }
        let octets = address.octets();
        if let (Some(prefix), Some(carried)) = (octets.first_chunk::<12>(), octets.last_chunk::<4>())
            && *prefix == NAT64
        {
            return Self::V4(*carried);
        }
        let [a, b, c, d, e, f, g, h, ..] = octets;
        Self::V6([a, b, c, d, e, f, g, h])
    }
}

/// The neighbourhood of a client: its IPv4 address alone, or the IPv6 /48 around its /64. A subscriber may get a whole
/// /48 (RFC 6177 section 2), and with it 65,536 prefixes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AddressSite(AddressPrefix);

impl From<AddressPrefix> for AddressSite {
    fn from(prefix: AddressPrefix) -> Self {
        Self(match prefix {
            AddressPrefix::V4(_) => prefix,
            AddressPrefix::V6([a, b, c, d, e, f, ..]) => AddressPrefix::V6([a, b, c, d, e, f, 0, 0]),
        })
    }
}

impl fmt::Display for AddressPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::V4(octets) => Ipv4Addr::from(octets).fmt(f),
            Self::V6(first) => write!(f, "{}/64", first_address(first)),
        }
    }
}

/// Whose calls are counted. Never an e-mail address or a user name: these are replaced by a MAC, so that Redis does not
/// contain them, and all keys have the same length.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct LimitKey(Kind);

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Address(AddressPrefix),
    Id([u8; 16]),
    Mac([u8; 16]),
}

impl LimitKey {
    /// The MAC of an identifier with its tenant. Half of the code is kept, as RFC 2104 section 5 allows.
    pub fn mac(tag: [u8; 32]) -> Self {
        let mut half = [0; 16];
        half.copy_from_slice(&tag[..16]);
        Self(Kind::Mac(half))
    }

    /// An address for the key: the first of its subnet.
    pub fn address(&self) -> Option<IpAddr> {
        match self.0 {
            Kind::Address(AddressPrefix::V4(octets)) => Some(Ipv4Addr::from(octets).into()),
            Kind::Address(AddressPrefix::V6(first)) => Some(first_address(first).into()),
            Kind::Id(_) | Kind::Mac(_) => None,
        }
    }
}

fn first_address(prefix: [u8; 8]) -> Ipv6Addr {
    let mut octets = [0; 16];
    octets[..8].copy_from_slice(&prefix);
    Ipv6Addr::from(octets)
}

impl From<AddressPrefix> for LimitKey {
    fn from(prefix: AddressPrefix) -> Self {
        Self(Kind::Address(prefix))
    }
}

impl From<IpAddr> for LimitKey {
    fn from(address: IpAddr) -> Self {
        AddressPrefix::of(address).into()
    }
}

impl From<TenantId> for LimitKey {
    fn from(id: TenantId) -> Self {
        Self(Kind::Id(*id.as_bytes()))
    }
}

impl From<AccountId> for LimitKey {
    fn from(id: AccountId) -> Self {
        Self(Kind::Id(*id.as_bytes()))
    }
}

impl From<SessionId> for LimitKey {
    fn from(id: SessionId) -> Self {
        Self(Kind::Id(*id.as_bytes()))
    }
}

impl From<ServiceId> for LimitKey {
    fn from(id: ServiceId) -> Self {
        Self(Kind::Id(*id.as_bytes()))
    }
}

impl fmt::Display for LimitKey {
    /// The first word is the kind, so that no two keys have the same text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Address(prefix) => write!(f, "address:{prefix}"),
            Kind::Id(bytes) => write!(f, "id:{:032x}", u128::from_be_bytes(*bytes)),
            Kind::Mac(bytes) => write!(f, "mac:{:032x}", u128::from_be_bytes(*bytes)),
        }
    }
}

impl fmt::Debug for LimitKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LimitKey({self})")
    }
}

/// The cost of one call in one limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Draw {
    pub limit: Limit,
    pub key: LimitKey,
    /// In calls; at least one.
    pub cost: u32,
    /// Whether `cost` is in parts of a call, for callers with proof that a brute-force attacker does not have.
    pub is_light: bool,
}

impl Draw {
    /// One call.
    pub fn one(limit: Limit, key: impl Into<LimitKey>) -> Self {
        Self { limit, key: key.into(), cost: 1, is_light: false }
    }
}

/// A call that drew more than there was. Nothing was charged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The limit with the longest wait.
    pub limit: Limit,
    /// How long the caller has to wait.
    pub retry_after: Duration,
}
