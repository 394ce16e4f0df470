//! Verifies a chain, its head, and the events that wait to be sealed.

use super::{
    chain_key::HashChainKeys,
    event::RecordedEvent,
    finding::{Finding, Summary},
    head::{Head, HeadFault},
    walk::Walk,
};
use crate::id::{AccountId, EventId, TenantId};
use std::{collections::HashSet, time::Duration};

/// A link that a reader kept, and its position. A link is bound to everything before it, so the reader also knows of
/// the restarts before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    pub position: i64,
    pub link: Vec<u8>,
}

/// Verifies one chain. The caller gives it the sealed events in the order of their positions, then those that wait. It
/// keeps only findings.
#[derive(Debug)]
pub struct Verification<'a, K> {
    keys: &'a K,
    tenant: TenantId,
    head: Option<&'a Head>,
    seen: Option<&'a Seen>,
    walk: Walk<'a, K>,
    /// The first position of the chain.
    first: i64,
    is_as_seen: bool,
    has_codes: bool,
    /// Findings about events that are not sealed.
    unsealed: Vec<(Option<EventId>, Finding)>,
}

/// A running service seals an event within a fraction of a second. An event that waits for longer means that no service
/// runs, or that sealing fails.
const LONG: Duration = Duration::from_secs(5 * 60);

impl<'a, K: HashChainKeys> Verification<'a, K> {
    /// Begins with the chain of a tenant and its head. `seen` is a link to check.
    pub fn begin(keys: &'a K, tenant: TenantId, head: Option<&'a Head>, seen: Option<&'a Seen>) -> Self {
        let walk = Walk::from(keys, tenant, head);
        let first = walk.position();
        let is_as_seen = seen.is_none_or(|seen| is_at(seen, first, walk.link()));
        Self { keys, tenant, head, seen, walk, first, is_as_seen, has_codes: false, unsealed: Vec::new() }
    }

    /// Takes the next sealed event. Events before the beginning are given as well: they should have been deleted.
    /// `deleted` are the accounts that are known to have been deleted.
    pub fn sealed(&mut self, event: RecordedEvent, deleted: &HashSet<AccountId>) {
        let Some(position) = event.position else { return };
        self.has_codes |= event.mac.is_some();
        let is_outside = position <= self.first || self.head.is_some_and(|head| position > head.position);
        if is_outside {
            self.walk.note(Some(position), Some(event.id), Finding::Outside);
            return;
        }
        self.is_as_seen |= self.seen.is_some_and(|seen| is_at(seen, position, event.link.as_deref()));
        self.walk.step(event, deleted);
    }

    /// Takes an event that sealing rejected, because the service did not write it.
    pub fn rejected(&mut self, event: &RecordedEvent) {
        self.unsealed.push((Some(event.id), Finding::MadeUp));
    }

    /// Takes an event that waits. It is judged as sealing will judge it, so that a forged event is found before it
    /// would be sealed.
    pub fn waiting(&mut self, event: &RecordedEvent, takes_bare: bool) {
        if !event.code(self.keys).is_ours(takes_bare) {
            self.unsealed.push((Some(event.id), Finding::MadeUp));
        }
    }

    /// Takes the number of events that wait, and the age of the oldest.
    pub fn waited(&mut self, events: u64, age: Duration) {
        if age > LONG {
            self.unsealed.push((None, Finding::Waiting { events, age }));
        }
    }

    /// The result, once everything was given.
    pub fn end(mut self) -> Summary {
        self.judge_seen();
        self.judge_head();
        for (event, finding) in std::mem::take(&mut self.unsealed) {
            self.walk.note(None, event, finding);
        }
        let Self { tenant, head, walk, first, .. } = self;
        let (events, last) = (walk.events(), head.map_or_else(|| walk.position(), |head| head.position));
        let link = head.map_or_else(|| walk.link().unwrap_or_default().to_vec(), |head| head.link.clone());
        let (found, more) = walk.end();
        Summary { tenant, events, first: first.saturating_add(1), last, link, found, more }
    }

    fn judge_seen(&mut self) {
        let Some(seen) = self.seen else { return };
        if self.is_as_seen {
            self.walk.drop_known_restarts(seen.position);
            return;
        }
        let finding = if seen.position < self.first { Finding::SeenForgotten } else { Finding::NotAsSeen };
        self.walk.note(Some(seen.position), None, finding);
    }

    fn judge_head(&mut self) {
        let Some(head) = self.head else {
            if self.walk.events() > 0 {
                self.walk.note(None, None, Finding::HeadMissing);
            }
            return;
        };
        match head.check_ends(self.keys) {
            Err(HeadFault::UnknownKey) => self.walk.note(None, None, Finding::HeadKeyUnknown),
            Err(HeadFault::Changed) => self.walk.note(None, None, Finding::HeadChanged),
            // A release that seals events with codes always records up to where events are without them.
            Ok(()) if head.check_bare(self.keys).is_err() || head.bare.is_none() && self.has_codes => {
                self.walk.note(None, None, Finding::HeadChanged);
            }
            Ok(()) => {}
        }
        if self.walk.position() < head.position {
            self.walk.note(Some(self.walk.position() + 1), None, Finding::CutOff { up_to: head.position });
        } else if self.walk.link() != Some(head.link.as_slice()) {
            self.walk.note(Some(head.position), None, Finding::EndDiffers);
        }
    }
}

fn is_at(seen: &Seen, position: i64, link: Option<&[u8]>) -> bool {
    seen.position == position && link == Some(seen.link.as_slice())
}

#[cfg(test)]
mod tests;
