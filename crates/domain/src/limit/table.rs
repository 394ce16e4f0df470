use super::{Draw, Limit, LimitKey, Quota};
use ipnet::IpNet;

const COUNT: usize = Limit::ALL.len();

/// The parts of a call. A light draw costs one part.
const LIGHT_PARTS: u32 = 10;
/// The factor for addresses of a shared network: an office of 2,000 people logs in at nine o'clock.
pub const SHARED_TIMES: u32 = 40;

/// The sizes of all limits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sizes {
    usual: [Quota; COUNT],
    /// For addresses of `networks`.
    shared: [Quota; COUNT],
    networks: Vec<IpNet>,
}

impl Sizes {
    /// `percent` of every quota.
    #[must_use]
    pub fn scaled(percent: u32) -> Self {
        let usual = Limit::ALL.map(|limit| limit.quota().scaled(percent));
        let shared = usual.map(|quota| quota.times(SHARED_TIMES));
        Self { usual, shared, networks: Vec::new() }
    }

    /// Sets the size of a limit, and its size for addresses of shared networks.
    #[must_use]
    pub fn with(mut self, limit: Limit, usual: Quota, shared: Quota) -> Self {
        self.usual[limit as usize] = usual;
        self.shared[limit as usize] = shared;
        self
    }

    /// Sets the networks in which many people share each address. An IPv6 network that is smaller than an address
    /// prefix contains none.
    #[must_use]
    pub fn with_shared_networks(self, networks: Vec<IpNet>) -> Self {
        Self { networks, ..self }
    }

    /// A quarter of every quota: for each replica while replicas cannot count in a shared Redis.
    #[must_use]
    pub fn stricter(&self) -> Self {
        let quarter = |quotas: [Quota; COUNT]| quotas.map(Quota::stricter);
        Self { usual: quarter(self.usual), shared: quarter(self.shared), networks: self.networks.clone() }
    }

    /// The size of a limit for addresses outside of shared networks.
    pub fn usual(&self, limit: Limit) -> Quota {
        self.usual[limit as usize]
    }

    /// The size of a limit for addresses of shared networks.
    pub fn shared(&self, limit: Limit) -> Quota {
        self.shared[limit as usize]
    }

    pub fn shared_networks(&self) -> &[IpNet] {
        &self.networks
    }

    /// The size of a limit for a key.
    pub fn of(&self, limit: Limit, key: LimitKey) -> Quota {
        if self.is_shared(key) { self.shared[limit as usize] } else { self.usual[limit as usize] }
    }

    /// The quota for a draw, and its cost there. A draw that the defined quota can grant is never refused for ever by a
    /// smaller one.
    pub fn terms_of(&self, draw: &Draw) -> (Quota, u32) {
        let (mut quota, mut defined) = (self.of(draw.limit, draw.key), draw.limit.quota());
        if draw.is_light {
            // The same period in smaller calls: the stored instant fits both.
            (quota, defined) = (quota.times(LIGHT_PARTS), defined.times(LIGHT_PARTS));
        }
        (quota, quota.cost_of(draw.cost, defined))
    }

    fn is_shared(&self, key: LimitKey) -> bool {
        !self.networks.is_empty()
            && key.address().is_some_and(|address| self.networks.iter().any(|network| network.contains(&address)))
    }
}

impl Draw {
    /// The same draw at the cost of a part of a call.
    #[must_use]
    pub fn light(self) -> Self {
        Self { is_light: true, ..self }
    }

    /// The difference between the whole draw and the light one.
    #[must_use]
    pub fn rest(self) -> Self {
        Self { is_light: true, cost: LIGHT_PARTS - 1, ..self }
    }

    /// Adds up two draws from one key.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let is_light = self.is_light || other.is_light;
        let cost = |draw: Self| {
            let parts = if is_light && !draw.is_light { LIGHT_PARTS } else { 1 };
            draw.cost.max(1).saturating_mul(parts)
        };
        Self { cost: cost(self).saturating_add(cost(other)), is_light, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        limit::{Verdict, decide},
        time::Timestamp,
    };
    use core::net::IpAddr;
    use std::time::Duration;

    const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

    fn from(address: &str) -> LimitKey {
        address.parse::<IpAddr>().unwrap().into()
    }

    fn login(address: &str) -> Draw {
        Draw::one(Limit::LoginsPerIp, from(address))
    }

    /// How many draws are granted at once.
    fn grants(sizes: &Sizes, draw: Draw) -> u32 {
        let (mut tat, mut granted) = (None, 0);
        let (quota, cost) = sizes.terms_of(&draw);
        while let Verdict::Allowed { tat: next } = decide(tat, NOW, quota, cost) {
            (tat, granted) = (Some(next), granted + 1);
        }
        granted
    }

    #[test]
    fn a_light_draw_is_a_tenth_and_with_its_rest_a_whole_one() {
        let sizes = Sizes::scaled(100);
        let burst = Limit::LoginsPerIp.quota().burst();
        assert_eq!(grants(&sizes, login("192.0.2.1")), burst);
        assert_eq!(grants(&sizes, login("192.0.2.1").light()), 10 * burst);
        let both = login("192.0.2.1").light().and(login("192.0.2.1").rest());
        assert_eq!(grants(&sizes, both), burst);
        let mixed = login("192.0.2.1").and(login("192.0.2.1").light());
        assert_eq!(mixed, Draw { cost: 11, is_light: true, ..login("192.0.2.1") });
    }

    #[test]
    fn addresses_of_a_shared_network_have_sizes_of_their_own_and_nobody_else_has() {
        let (usual, shared) = (Quota::new(3, Duration::from_secs(3)), Quota::new(7, Duration::from_secs(7)));
        let networks = ["203.0.113.0/24", "2001:db8:1::/48"].map(|network| network.parse().unwrap());
        let sizes = Sizes::scaled(100).with(Limit::LoginsPerIp, usual, shared);
        let sizes = sizes.with_shared_networks(networks.to_vec());
        for (address, expected) in [
            ("203.0.113.9", 7),
            ("::ffff:203.0.113.9", 7),
            ("64:ff9b::cb00:7109", 7),
            ("2001:db8:1:ffff::1", 7),
            ("2001:db8:2::1", 3),
            ("203.0.114.9", 3),
        ] {
            assert_eq!(grants(&sizes, login(address)), expected, "{address}");
        }
        let recipient = Draw::one(Limit::MailsPerRecipient, LimitKey::mac([1; 32]));
        assert_eq!(grants(&sizes, recipient), Limit::MailsPerRecipient.quota().burst());
        assert_eq!(grants(&sizes.stricter(), login("203.0.113.9")), 1);
    }
}
