//! Which event of a chain was changed, moved or taken out.

use super::{
    EventKind,
    chain::NO_LINK,
    chain_key::HashChainKeys,
    event::{Code, RecordedEvent},
    finding::{Finding, Found},
    head::Head,
    restart::read_restart,
};
use crate::id::{AccountId, EventId, TenantId};
use std::collections::{BTreeMap, HashSet};

/// Reads a chain, event by event, and collects findings.
#[derive(Debug)]
pub(super) struct Walk<'a, K> {
    keys: &'a K,
    tenant: TenantId,
    /// The last position at which an event may be without a code.
    bare: i64,
    /// The position of the previous event, and its link where known.
    position: i64,
    previous: Option<Vec<u8>>,
    events: u64,
    /// Events whose links do not match, each with the link before it.
    suspects: Vec<(RecordedEvent, Vec<u8>)>,
    unknown: BTreeMap<String, (i64, u64)>,
    found: Vec<Found>,
    more: u64,
}

/// The most findings that are kept. Nobody reads more.
const MOST_FOUND: usize = 1_000;
/// The most events that are compared with the positions of each other, to find those that were moved. Each is tried at
/// each position, so the work grows with the square.
const MOST_SUSPECTS: usize = 16;

impl<'a, K: HashChainKeys> Walk<'a, K> {
    /// Starts at the beginning of the chain: behind the anchor, or behind nothing when the chain has no head.
    pub(super) fn from(keys: &'a K, tenant: TenantId, head: Option<&Head>) -> Self {
        let (position, link) = match head {
            Some(head) => (head.anchor_position, head.anchor_link.clone()),
            None => (0, NO_LINK.to_vec()),
        };
        Self {
            keys,
            tenant,
            bare: head.map_or(i64::MAX, Head::bare_up_to),
            position,
            previous: Some(link),
            events: 0,
            suspects: Vec::new(),
            unknown: BTreeMap::new(),
            found: Vec::new(),
            more: 0,
        }
    }

    pub(super) fn position(&self) -> i64 {
        self.position
    }

    pub(super) fn link(&self) -> Option<&[u8]> {
        self.previous.as_deref()
    }

    pub(super) fn events(&self) -> u64 {
        self.events
    }

    pub(super) fn note(&mut self, position: Option<i64>, event: Option<EventId>, finding: Finding) {
        if self.found.len() >= MOST_FOUND {
            self.more += 1;
            return;
        }
        self.found.push(Found { tenant: self.tenant, position, event, finding });
    }

    /// Takes the next event. `deleted` are the accounts that are known to have been deleted.
    pub(super) fn step(&mut self, event: RecordedEvent, deleted: &HashSet<AccountId>) {
        let Some(position) = event.position else { return };
        self.events += 1;
        if position > self.position.saturating_add(1) {
            self.note(Some(self.position + 1), None, Finding::Missing { up_to: position - 1 });
            self.previous = None;
        }
        self.position = position;
        if event.kind == EventKind::AuditRestarted.name() {
            let (behind, why) = read_restart(event.object.as_deref());
            let behind = behind.unwrap_or(position - 1);
            self.note(Some(position), Some(event.id), Finding::Restarted { behind, why });
        }
        let previous = std::mem::replace(&mut self.previous, event.link.clone());
        if event.salt.is_none() && event.accounts().all(|account| !deleted.contains(&account)) {
            self.note(Some(position), Some(event.id), Finding::Unexplained);
        }
        if event.sound_digest::<K>().is_none() || event.link.is_none() {
            self.note(Some(position), Some(event.id), Finding::Changed);
            return;
        }
        let name = event.link_key.as_deref().unwrap_or_default();
        if self.keys.find(name).is_none() {
            self.unknown.entry(name.to_owned()).or_insert((position, 0)).1 += 1;
            return;
        }
        // Behind a gap, the link before this event is unknown.
        if let Some(previous) = previous
            && !self.is_bound(&event, &previous)
        {
            if self.suspects.len() < MOST_SUSPECTS {
                self.suspects.push((event, previous));
            } else {
                self.note(Some(position), Some(event.id), Finding::Changed);
            }
            return;
        }
        self.judge_code(position, &event);
    }

    /// During an upgrade a replica of a release without codes may seal an event that has one: its link does not cover
    /// the code.
    fn is_bound(&self, event: &RecordedEvent, previous: &[u8]) -> bool {
        let may_be_bare = event.position.is_some_and(|position| position <= self.bare);
        event.is_bound(self.keys, previous) || may_be_bare && event.is_bound_without_code(self.keys, previous)
    }

    fn judge_code(&mut self, position: i64, event: &RecordedEvent) {
        match event.code(self.keys) {
            Code::Holds => {}
            Code::Missing if position <= self.bare => {}
            Code::UnknownKey => {
                let key = event.mac_key.clone().unwrap_or_default();
                self.unknown.entry(key).or_insert((position, 0)).1 += 1;
            }
            Code::Missing | Code::Wrong => self.note(Some(position), Some(event.id), Finding::MadeUp),
        }
        if event.rejected_at.is_some() {
            self.note(Some(position), Some(event.id), Finding::Changed);
        }
    }

    /// Drops the restarts up to this position: the reader has a link from there or later, and knows of them. Other
    /// findings may be more recent than that link, and stay.
    pub(super) fn drop_known_restarts(&mut self, up_to: i64) {
        let is_known = |found: &Found| {
            matches!(found.finding, Finding::Restarted { .. })
                && found.position.is_some_and(|position| position <= up_to)
        };
        self.found.retain(|found| !is_known(found));
    }

    /// All findings by position, and how many more there were.
    pub(super) fn end(mut self) -> (Vec<Found>, u64) {
        for (position, event, finding) in self.judged() {
            self.note(position, Some(event), finding);
        }
        for (key, (position, events)) in std::mem::take(&mut self.unknown) {
            self.note(Some(position), None, Finding::KeyUnknown { key, events });
        }
        self.found.sort_by_key(|found| found.position);
        (self.found, self.more)
    }

    /// Judges the suspects. An event whose link matches at the position of another suspect was moved. An event whose
    /// link matches at its own position, once the event before it is restored, only follows another suspect. Any other
    /// was changed.
    fn judged(&self) -> Vec<(Option<i64>, EventId, Finding)> {
        let places: Vec<i64> = self.suspects.iter().filter_map(|(event, _)| event.position).collect();
        let links: Vec<&[u8]> = self.suspects.iter().filter_map(|(event, _)| event.link.as_deref()).collect();
        let before = self.suspects.iter().map(|(_, previous)| previous.clone());
        // If only the link was changed, this is the original link.
        let restored = self
            .suspects
            .iter()
            .filter_map(|(event, previous)| event.link_behind(self.keys, previous, event.position?));
        let behind: Vec<Vec<u8>> =
            before.chain(links.iter().map(|link| link.to_vec())).chain(restored.map(|link| link.to_vec())).collect();
        let made = |event: &RecordedEvent, position: i64| -> Vec<[u8; 32]> {
            behind.iter().filter_map(|previous| event.link_behind(self.keys, previous, position)).collect()
        };
        let fits =
            |event: &RecordedEvent, position: i64| made(event, position).iter().any(|link| links.contains(&&link[..]));
        // If the event's own link matches behind the restored link, the event only follows another suspect.
        let is_own = |event: &RecordedEvent, position: i64| {
            made(event, position).iter().any(|link| event.link.as_deref() == Some(&link[..]))
        };
        let judge = |event: &RecordedEvent| match places.iter().find(|position| fits(event, **position)) {
            Some(position) if Some(*position) != event.position => Some(Finding::Moved { was: *position }),
            Some(position) if is_own(event, *position) => None,
            _ => Some(Finding::Changed),
        };
        self.suspects.iter().filter_map(|(event, _)| Some((event.position, event.id, judge(event)?))).collect()
    }
}

/// Whether these events, the first of them behind the anchor, are as they were sealed. Accepted differences are
/// restarts, and everything up to the position `accepted`. `deleted` are the accounts that are known to have been
/// deleted.
pub fn is_whole<K: HashChainKeys>(
    keys: &K,
    head: &Head,
    events: &[RecordedEvent],
    deleted: &HashSet<AccountId>,
    accepted: i64,
) -> bool {
    let mut walk = Walk::from(keys, head.tenant, Some(head));
    for event in events {
        walk.step(event.clone(), deleted);
    }
    let (found, more) = walk.end();
    let is_accepted = |found: &Found| {
        matches!(found.finding, Finding::Restarted { .. })
            || found.position.is_some_and(|position| position <= accepted)
    };
    more == 0 && found.iter().all(is_accepted)
}
