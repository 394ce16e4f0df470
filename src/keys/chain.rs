use super::{HeldKey, KeyRing, MacKey, RingFault};
use aws_lc_rs::digest;
use countersign_domain::{
    audit::{BareEvents, ChainEnds, HashChainKey, HashChainKeys},
    key::{KeyPurpose, KeyState},
};
use std::{collections::HashMap, sync::Arc};

/// The keys of the audit log: one seals, and all verify what they sealed.
#[derive(Debug)]
pub struct ChainKeys {
    active: String,
    keys: HashMap<String, ChainKey>,
}

/// One of the keys.
#[derive(Debug)]
pub struct ChainKey(MacKey);

/// Where a writer of events finds the key for their codes. The keys of a running service are rotated; a command has the
/// keys that it opened, or can only read events.
#[derive(Clone, Debug)]
pub enum EventKeys {
    Ring(Arc<KeyRing>),
    Opened(Arc<ChainKeys>),
    /// Why the keys cannot be opened.
    Missing(Arc<str>),
}

impl EventKeys {
    /// The current keys.
    ///
    /// # Errors
    /// With the reason why there are none.
    pub fn chain(&self) -> Result<Arc<ChainKeys>, String> {
        match self {
            Self::Ring(ring) => Ok(ring.chain()),
            Self::Opened(keys) => Ok(keys.clone()),
            Self::Missing(why) => Err(why.to_string()),
        }
    }
}

const LINK: &str = "countersign audit link 1";
/// The link of an event with a code covers the code, so that the code cannot be removed.
const LINK_WITH_CODE: &str = "countersign audit link 2";
const ENDS: &str = "countersign audit head 1";
const EVENT: &str = "countersign audit event 1";
const BARE: &str = "countersign audit bare 1";

impl ChainKeys {
    /// # Errors
    /// When there is not exactly one active key.
    pub fn of(held: &[HeldKey]) -> Result<Self, RingFault> {
        let missing = RingFault::Missing(KeyPurpose::Audit);
        let ours = || held.iter().filter(|key| key.material.slot.purpose == KeyPurpose::Audit);
        let mut active = ours().filter(|key| key.state == KeyState::Active);
        let (Some(one), None) = (active.next(), active.next()) else { return Err(missing) };
        let key = |key: &HeldKey| (key.material.id.clone(), ChainKey(MacKey::new(key.material.secret.reveal())));
        Ok(Self { active: one.material.id.clone(), keys: ours().map(key).collect() })
    }

    /// The key that seals, and its id.
    pub fn active(&self) -> Option<(&str, &ChainKey)> {
        Some((&self.active, self.keys.get(&self.active)?))
    }

    /// A code that stays the same for years. For values that must not change when keys are rotated automatically: these
    /// keys are not. `context` separates the code from links and heads.
    pub fn lasting_tag(&self, context: &str, parts: &[&[u8]]) -> Option<[u8; 32]> {
        Some(self.active()?.1.0.tag(context, parts))
    }
}

impl HashChainKeys for ChainKeys {
    type Key = ChainKey;

    fn find(&self, id: &str) -> Option<&ChainKey> {
        self.keys.get(id)
    }

    fn commit_to_origin(salt: &[u8], address: &str, user_agent: &str) -> [u8; 32] {
        commit_to_origin(salt, address, user_agent)
    }
}

impl HashChainKey for ChainKey {
    fn link(&self, previous: &[u8], position: i64, entry: &[u8]) -> [u8; 32] {
        self.0.tag(LINK, &[previous, &position.to_be_bytes(), entry])
    }

    fn link_with_code(&self, previous: &[u8], position: i64, entry: &[u8], code: (&str, &[u8])) -> [u8; 32] {
        let (code_key, code) = code;
        self.0.tag(LINK_WITH_CODE, &[previous, &position.to_be_bytes(), entry, code_key.as_bytes(), code])
    }

    fn code(&self, entry: &[u8]) -> [u8; 32] {
        self.0.tag(EVENT, &[entry])
    }

    fn bare_mac(&self, bare: BareEvents) -> [u8; 32] {
        let (position, until) = (bare.position.to_be_bytes(), bare.until.as_micros().to_be_bytes());
        self.0.tag(BARE, &[bare.tenant.as_bytes(), &position, &until])
    }

    fn mac(&self, ends: ChainEnds<'_>) -> [u8; 32] {
        let (position, anchor) = (ends.position.to_be_bytes(), ends.anchor_position.to_be_bytes());
        self.0.tag(ENDS, &[ends.tenant.as_bytes(), &position, ends.link, &anchor, ends.anchor_link])
    }
}

/// A commitment to address and user agent of an event. It reveals nothing once these and the salt are deleted; with the
/// salt, all addresses could be tried, because there are few.
pub fn commit_to_origin(salt: &[u8], address: &str, user_agent: &str) -> [u8; 32] {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in [b"countersign audit origin 1".as_slice(), salt, address.as_bytes(), user_agent.as_bytes()] {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part);
    }
    let mut bytes = [0; 32];
    bytes.copy_from_slice(context.finish().as_ref());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use countersign_domain::{id::TenantId, tenant::DEFAULT_TENANT, time::Timestamp};

    #[test]
    fn a_link_holds_for_its_event_in_its_place_behind_its_predecessor_and_no_other() {
        let key = ChainKey(MacKey::new(&[7; 32]));
        let link = key.link(&[1; 32], 5, b"event");
        assert!(key.is_link(&link, &[1; 32], 5, b"event"));
        assert!(!key.is_link(&link, &[2; 32], 5, b"event"));
        assert!(!key.is_link(&link, &[1; 32], 6, b"event"));
        assert!(!key.is_link(&link, &[1; 32], 5, b"other"));
        assert!(!key.is_link(&link[..31], &[1; 32], 5, b"event"));
        assert!(!ChainKey(MacKey::new(&[8; 32])).is_link(&link, &[1; 32], 5, b"event"));
    }

    #[test]
    fn the_code_of_an_event_is_no_link_and_a_link_covers_the_code() {
        let key = ChainKey(MacKey::new(&[7; 32]));
        let code = key.code(b"event");
        assert!(key.is_code(&code, b"event"));
        assert!(!key.is_code(&code, b"other"));
        assert!(!key.is_code(&[], b"event"));
        assert!(!ChainKey(MacKey::new(&[8; 32])).is_code(&code, b"event"));
        let link = key.link_with_code(&[1; 32], 5, b"event", ("key", &code));
        let others = [
            key.link(&[1; 32], 5, b"event"),
            key.link_with_code(&[1; 32], 5, b"event", ("ke", &code)),
            key.link_with_code(&[1; 32], 5, b"event", ("key", &[])),
            key.link_with_code(&[2; 32], 5, b"event", ("key", &code)),
            key.link_with_code(&[1; 32], 6, b"event", ("key", &code)),
            code,
        ];
        assert!(others.iter().all(|other| *other != link));
    }

    #[test]
    fn the_record_of_events_without_codes_holds_for_its_tenant_position_and_time() {
        let key = ChainKey(MacKey::new(&[7; 32]));
        let bare = BareEvents { tenant: DEFAULT_TENANT, position: 9, until: Timestamp::from_seconds(1_800_000_000) };
        let mac = key.bare_mac(bare);
        assert!(key.is_bare_mac(&mac, bare));
        for other in [
            BareEvents { position: 10, ..bare },
            BareEvents { until: Timestamp::from_seconds(1_900_000_000), ..bare },
            BareEvents { tenant: TenantId::from_uuid(uuid::Uuid::from_u128(7)), ..bare },
        ] {
            assert!(!key.is_bare_mac(&mac, other), "{other:?}");
        }
    }

    #[test]
    fn the_code_of_a_head_is_no_link_and_changes_with_each_of_its_parts() {
        let key = ChainKey(MacKey::new(&[7; 32]));
        let ends = ChainEnds {
            tenant: DEFAULT_TENANT,
            position: 9,
            link: &[1; 32],
            anchor_position: 3,
            anchor_link: &[2; 32],
        };
        let mac = key.mac(ends);
        assert!(key.is_mac(&mac, ends));
        for other in [
            ChainEnds { position: 8, ..ends },
            ChainEnds { link: &[3; 32], ..ends },
            ChainEnds { anchor_position: 4, ..ends },
            ChainEnds { anchor_link: &[3; 32], ..ends },
            ChainEnds { tenant: TenantId::from_uuid(uuid::Uuid::from_u128(7)), ..ends },
        ] {
            assert!(!key.is_mac(&mac, other), "{other:?}");
        }
    }

    #[test]
    fn a_commitment_depends_on_salt_address_and_user_agent_and_on_where_one_ends() {
        let commitment = commit_to_origin(&[1; 16], "10.0.0.1", "curl");
        assert_eq!(commitment, commit_to_origin(&[1; 16], "10.0.0.1", "curl"));
        assert_ne!(commitment, commit_to_origin(&[2; 16], "10.0.0.1", "curl"));
        assert_ne!(commitment, commit_to_origin(&[1; 16], "10.0.0.1c", "url"));
    }
}
