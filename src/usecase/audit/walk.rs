use super::{
    Finding, Found,
    code::{Code, link_of},
    restart::read_told,
};
use crate::{
    keys::{ChainKey, ChainKeys, commit_to_origin},
    store::audit::AuditRow,
};
use countersign_domain::{
    audit::EventKind,
    id::{AccountId, TenantId},
};
use std::collections::{BTreeMap, HashSet};
use subtle::ConstantTimeEq as _;

/// Goes along a chain, event by event, and remembers what does not fit.
#[derive(Debug)]
pub(super) struct Walk<'a> {
    keys: &'a ChainKeys,
    tenant: TenantId,
    /// The last position at which an event may bear no code.
    bare: i64,
    /// The position of the event before, and its link where that is known.
    position: i64,
    previous: Option<Vec<u8>>,
    events: u64,
    /// Those whose links do not hold, with what stood before them.
    suspects: Vec<(AuditRow, Vec<u8>)>,
    unknown: BTreeMap<String, (i64, u64)>,
    found: Vec<Found>,
    more: u64,
}

/// Findings that are kept; whoever has as many has understood.
const MOST_FOUND: usize = 1_000;
/// Events of which it is asked whether they come from somewhere else. Each is tried in the place of each other.
const MOST_SUSPECTS: usize = 16;

impl<'a> Walk<'a> {
    /// From behind this position, where this link is. Up to the position `bare` events may bear no code of their own.
    pub(super) fn from(
        keys: &'a ChainKeys,
        tenant: TenantId,
        (position, link): (i64, Option<Vec<u8>>),
        bare: i64,
    ) -> Self {
        Self {
            keys,
            tenant,
            bare,
            position,
            previous: link,
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

    pub(super) fn note(&mut self, position: Option<i64>, row: Option<&AuditRow>, finding: Finding) {
        if self.found.len() >= MOST_FOUND {
            self.more += 1;
            return;
        }
        self.found.push(Found { tenant: self.tenant, position, event: row.map(|row| row.id), finding });
    }

    /// The next event. `deleted` are the accounts of which it is known that they were deleted.
    pub(super) fn step(&mut self, row: AuditRow, deleted: &HashSet<AccountId>) {
        let Some(position) = row.position else { return };
        self.events += 1;
        if position > self.position.saturating_add(1) {
            self.note(Some(self.position + 1), None, Finding::Missing { up_to: position - 1 });
            self.previous = None;
        }
        self.position = position;
        if row.kind == EventKind::AuditRestarted.name() {
            let (behind, why) = read_told(row.object.as_deref());
            let behind = behind.unwrap_or(position - 1);
            self.note(Some(position), Some(&row), Finding::Restarted { behind, why });
        }
        let previous = std::mem::replace(&mut self.previous, row.link.clone());
        if row.salt.is_none() && row.accounts().all(|account| !deleted.contains(&account)) {
            self.note(Some(position), Some(&row), Finding::Unexplained);
        }
        let (Some(digest), Some(link)) = (sound_digest(&row), row.link.as_deref()) else {
            self.note(Some(position), Some(&row), Finding::Changed);
            return;
        };
        let name = row.link_key.as_deref().unwrap_or_default();
        let Some(key) = self.keys.find(name) else {
            self.unknown.entry(name.to_owned()).or_insert((position, 0)).1 += 1;
            return;
        };
        // Behind a gap nobody knows what this one was bound to.
        if let Some(previous) = previous
            && !self.is_bound(key, link, &previous, &row, &digest)
        {
            if self.suspects.len() < MOST_SUSPECTS {
                self.suspects.push((row, previous));
            } else {
                self.note(Some(position), Some(&row), Finding::Changed);
            }
            return;
        }
        self.judge_code(position, &row);
    }

    /// A replica of a release that knew no codes may have sealed an event that bears one, while it still ran.
    fn is_bound(&self, key: &ChainKey, link: &[u8], previous: &[u8], row: &AuditRow, digest: &[u8; 32]) -> bool {
        let Some(position) = row.position else { return false };
        let is_link = |made: [u8; 32]| bool::from(made.as_slice().ct_eq(link));
        is_link(link_of(key, previous, position, row, digest))
            || position <= self.bare && key.is_link(link, previous, position, &row.entry(digest).encode())
    }

    fn judge_code(&mut self, position: i64, row: &AuditRow) {
        match Code::of(row, self.keys) {
            Code::Holds => {}
            Code::Missing if position <= self.bare => {}
            Code::UnknownKey => {
                let key = row.mac_key.clone().unwrap_or_default();
                self.unknown.entry(key).or_insert((position, 0)).1 += 1;
            }
            Code::Missing | Code::Wrong => self.note(Some(position), Some(row), Finding::MadeUp),
        }
        if row.rejected_at.is_some() {
            self.note(Some(position), Some(row), Finding::Changed);
        }
    }

    /// Somebody has seen that the chain led to this position, and kept it: they know of the restarts before it. What else there is to
    /// find was not done before their eyes.
    pub(super) fn vouch(&mut self, up_to: i64) {
        let is_known = |found: &Found| {
            matches!(found.finding, Finding::Restarted { .. })
                && found.position.is_some_and(|position| position <= up_to)
        };
        self.found.retain(|found| !is_known(found));
    }

    /// Everything that was found, by position, and how much more there was.
    pub(super) fn end(mut self) -> (Vec<Found>, u64) {
        for (row, finding) in self.judged() {
            self.note(row.position, Some(&row), finding);
        }
        for (key, (position, events)) in std::mem::take(&mut self.unknown) {
            self.note(Some(position), None, Finding::KeyUnknown { key, events });
        }
        self.found.sort_by_key(|found| found.position);
        (self.found, self.more)
    }

    /// What became of the suspects. One that fits somewhere else was moved; one that fits where it is, behind what should be
    /// there, only follows another suspect; any other was changed.
    fn judged(&self) -> Vec<(AuditRow, Finding)> {
        let places: Vec<i64> = self.suspects.iter().filter_map(|(row, _)| row.position).collect();
        let links: Vec<&[u8]> = self.suspects.iter().filter_map(|(row, _)| row.link.as_deref()).collect();
        let before = self.suspects.iter().map(|(_, previous)| previous.clone());
        // Where the link alone was changed, this is what it was.
        let mended = self.suspects.iter().filter_map(|(row, previous)| self.made(row, previous, row.position?));
        let behind: Vec<Vec<u8>> =
            before.chain(links.iter().map(|link| link.to_vec())).chain(mended.map(|link| link.to_vec())).collect();
        let fits = |row: &AuditRow, position: i64| {
            let made = behind.iter().filter_map(|previous| self.made(row, previous, position));
            made.into_iter().any(|link| links.contains(&link.as_slice()))
        };
        // One whose own link holds behind what should be there only follows another suspect.
        let is_own = |row: &AuditRow, position: i64| {
            behind
                .iter()
                .filter_map(|previous| self.made(row, previous, position))
                .any(|link| row.link.as_deref() == Some(&link[..]))
        };
        let judge = |row: &AuditRow| match places.iter().find(|position| fits(row, **position)) {
            Some(position) if Some(*position) != row.position => Some(Finding::Moved { was: *position }),
            Some(position) if is_own(row, *position) => None,
            _ => Some(Finding::Changed),
        };
        self.suspects.iter().filter_map(|(row, _)| Some((row.clone(), judge(row)?))).collect()
    }

    fn made(&self, row: &AuditRow, previous: &[u8], position: i64) -> Option<[u8; 32]> {
        let key = self.keys.find(row.link_key.as_deref()?)?;
        Some(link_of(key, previous, position, row, &sound_digest(row)?))
    }
}

/// What the event is committed to, if that is what it says; once that is forgotten, there must be nothing to forget.
pub(super) fn sound_digest(row: &AuditRow) -> Option<[u8; 32]> {
    let digest: [u8; 32] = row.digest.as_deref()?.try_into().ok()?;
    let is_sound = match &row.salt {
        Some(salt) => commit_to_origin(salt, &row.address, &row.user_agent) == digest,
        None => row.address.is_empty() && row.user_agent.is_empty(),
    };
    is_sound.then_some(digest)
}
