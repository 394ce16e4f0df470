//! Events of the audit log: as they are recorded, as they are stored, and the checks that need one event only.

use super::{
    EventKind,
    chain::ChainedEvent,
    chain_key::{HashChainKey, HashChainKeys, is_same},
};
use crate::{
    id::{AccountId, EventId, ServiceId, SessionId, TenantId},
    refusal::Reason,
    time::Timestamp,
};

/// An event to record: who did what to whom, from where, and with what outcome.
#[derive(Clone, Debug)]
pub struct AuditEvent {
    pub id: EventId,
    pub happened_at: Timestamp,
    pub kind: EventKind,
    /// `None` when it succeeded.
    pub refused: Option<Reason>,
    /// The account that acted, when it was authenticated.
    pub actor: Option<AccountId>,
    /// The account that the event concerns, where known.
    pub account: Option<AccountId>,
    pub session: Option<SessionId>,
    /// The service that the event concerns.
    pub service: Option<ServiceId>,
    /// Any other object that the event concerns: the id of a key, the name of an audience.
    pub object: Option<String>,
    pub origin: EventOrigin,
    pub trace_id: String,
}

impl AuditEvent {
    /// The event as the hash chain covers it.
    pub fn entry(&self, tenant: TenantId) -> ChainedEvent<'_> {
        ChainedEvent {
            id: self.id,
            tenant,
            happened_at: self.happened_at,
            kind: self.kind.name(),
            outcome: self.outcome(),
            reason: self.refused.map(Reason::name),
            actor: self.actor,
            account: self.account,
            session: self.session,
            service: self.service,
            object: self.object.as_deref(),
            trace_id: &self.trace_id,
            origin: &self.origin.digest,
        }
    }

    /// The outcome as it is stored.
    pub fn outcome(&self) -> &'static str {
        if self.refused.is_none() { "ok" } else { "refused" }
    }
}

/// The code that proves that the service itself wrote an event, and the id of the key that made it.
#[derive(Clone, Debug)]
pub struct EventCode {
    pub key: String,
    pub mac: [u8; 32],
}

/// The origin of an event, with the commitment that the hash chain covers.
#[derive(Clone, Debug)]
pub struct EventOrigin {
    pub address: String,
    pub user_agent: String,
    pub salt: [u8; 16],
    pub digest: [u8; 32],
}

/// An event as it is stored. A text field may have been written by another release, with a value unknown to this one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedEvent {
    pub id: EventId,
    pub tenant: TenantId,
    pub happened_at: Timestamp,
    pub kind: String,
    pub outcome: String,
    pub reason: Option<String>,
    pub actor: Option<AccountId>,
    pub account: Option<AccountId>,
    pub session: Option<SessionId>,
    pub service: Option<ServiceId>,
    pub object: Option<String>,
    pub address: String,
    pub user_agent: String,
    pub trace_id: String,
    /// `None` until it is sealed.
    pub position: Option<i64>,
    pub link: Option<Vec<u8>>,
    pub link_key: Option<String>,
    /// `None` once address and user agent are deleted.
    pub salt: Option<Vec<u8>>,
    /// `None` until it is sealed, in a row of a release without hash chains.
    pub digest: Option<Vec<u8>>,
    /// The code that the service made when it wrote the event, and the id of its key; `None` in a row of a release
    /// without codes.
    pub mac: Option<Vec<u8>>,
    pub mac_key: Option<String>,
    /// When sealing found that the service did not write the event.
    pub rejected_at: Option<Timestamp>,
}

/// Whether the service wrote an event, or somebody who can write to the database did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// The service wrote the event, and it is as it was written.
    Holds,
    /// The event has no code: a release without codes wrote it, or somebody who can write to the database.
    Missing,
    /// The key of the code is not present.
    UnknownKey,
    /// The code does not match the event.
    Wrong,
}

impl Code {
    /// Whether the event may be sealed. `takes_bare`: whether an event without a code may be sealed, too.
    pub fn is_ours(self, takes_bare: bool) -> bool {
        match self {
            Self::Holds => true,
            Self::Missing => takes_bare,
            Self::UnknownKey | Self::Wrong => false,
        }
    }
}

impl RecordedEvent {
    /// The event as the hash chain covers it, with `origin` as its commitment.
    pub fn entry<'a>(&'a self, origin: &'a [u8; 32]) -> ChainedEvent<'a> {
        ChainedEvent {
            id: self.id,
            tenant: self.tenant,
            happened_at: self.happened_at,
            kind: &self.kind,
            outcome: &self.outcome,
            reason: self.reason.as_deref(),
            actor: self.actor,
            account: self.account,
            session: self.session,
            service: self.service,
            object: self.object.as_deref(),
            trace_id: &self.trace_id,
            origin,
        }
    }

    /// The accounts that the event names.
    pub fn accounts(&self) -> impl Iterator<Item = AccountId> {
        self.actor.into_iter().chain(self.account)
    }

    /// Checks the code of the event.
    pub fn code<K: HashChainKeys>(&self, keys: &K) -> Code {
        let (mac, name) = match (&self.mac, &self.mac_key) {
            (None, None) => return Code::Missing,
            (Some(mac), Some(name)) => (mac, name),
            _ => return Code::Wrong,
        };
        let Some(key) = keys.find(name) else { return Code::UnknownKey };
        let holds = self.sound_digest::<K>().is_some_and(|digest| key.is_code(mac, &self.entry(&digest).encode()));
        if holds { Code::Holds } else { Code::Wrong }
    }

    /// The commitment to the origin, if it matches the stored origin. After the origin was deleted, address and user
    /// agent must be empty.
    pub(super) fn sound_digest<K: HashChainKeys>(&self) -> Option<[u8; 32]> {
        let digest: [u8; 32] = self.digest.as_deref()?.try_into().ok()?;
        let is_sound = match &self.salt {
            Some(salt) => K::commit_to_origin(salt, &self.address, &self.user_agent) == digest,
            None => self.address.is_empty() && self.user_agent.is_empty(),
        };
        is_sound.then_some(digest)
    }

    /// The link that this key gives the event at this position. It covers the code, if there is one.
    pub(super) fn link_by(
        &self,
        key: &impl HashChainKey,
        previous: &[u8],
        position: i64,
        digest: &[u8; 32],
    ) -> [u8; 32] {
        let entry = self.entry(digest).encode();
        if self.mac.is_none() && self.mac_key.is_none() {
            return key.link(previous, position, &entry);
        }
        let code = (self.mac_key.as_deref().unwrap_or_default(), self.mac.as_deref().unwrap_or_default());
        key.link_with_code(previous, position, &entry, code)
    }

    /// The link that the key named by the event gives. `None` if that key is not present, or the origin does not match
    /// its commitment.
    pub(super) fn link_behind<K: HashChainKeys>(&self, keys: &K, previous: &[u8], position: i64) -> Option<[u8; 32]> {
        let key = keys.find(self.link_key.as_deref()?)?;
        Some(self.link_by(key, previous, position, &self.sound_digest::<K>()?))
    }

    /// Whether the event is as it was sealed, with `previous` as the link before it.
    pub fn is_bound<K: HashChainKeys>(&self, keys: &K, previous: &[u8]) -> bool {
        let made = self.position.and_then(|position| self.link_behind(keys, previous, position));
        made.zip(self.link.as_deref()).is_some_and(|(made, link)| is_same(&made, link))
    }

    /// The same check of a link that does not cover the code: a replica of a release without codes made it.
    pub fn is_bound_without_code<K: HashChainKeys>(&self, keys: &K, previous: &[u8]) -> bool {
        let holds = (|| {
            let key = keys.find(self.link_key.as_deref()?)?;
            let entry = self.entry(&self.sound_digest::<K>()?).encode();
            Some(key.is_link(self.link.as_deref()?, previous, self.position?, &entry))
        })();
        holds.unwrap_or(false)
    }
}
