//! A stored log, small enough to be written down, and changes to it.

use crate::{
    audit::{
        Bare, BareEvents, ChainEnds, EventKind, Found, HashChainKey, HashChainKeys, Head, RecordedEvent, Seen, Summary,
        Verification, chain::NO_LINK, describe_restart,
    },
    id::{AccountId, EventId},
    tenant::DEFAULT_TENANT,
    time::Timestamp,
};
use std::{
    collections::{BTreeMap, HashSet},
    hash::{DefaultHasher, Hash as _, Hasher as _},
    ops::RangeInclusive,
    time::Duration,
};
use uuid::Uuid;

/// Replaces HMAC: another key, another context or another part gives another code.
#[derive(Clone, Debug)]
pub(super) struct Key(u64);

impl Key {
    fn tag(&self, context: &str, parts: &[&[u8]]) -> [u8; 32] {
        let mut tag = [0; 32];
        for (at, piece) in tag.chunks_exact_mut(8).enumerate() {
            let mut hasher = DefaultHasher::new();
            (self.0, at, context, parts).hash(&mut hasher);
            piece.copy_from_slice(&hasher.finish().to_be_bytes());
        }
        tag
    }
}

impl HashChainKey for Key {
    fn link(&self, previous: &[u8], position: i64, entry: &[u8]) -> [u8; 32] {
        self.tag("link", &[previous, &position.to_be_bytes(), entry])
    }

    fn link_with_code(&self, previous: &[u8], position: i64, entry: &[u8], code: (&str, &[u8])) -> [u8; 32] {
        self.tag("link with code", &[previous, &position.to_be_bytes(), entry, code.0.as_bytes(), code.1])
    }

    fn code(&self, entry: &[u8]) -> [u8; 32] {
        self.tag("event", &[entry])
    }

    fn bare_mac(&self, bare: BareEvents) -> [u8; 32] {
        let until = bare.until.as_micros().to_be_bytes();
        self.tag("bare", &[bare.tenant.as_bytes(), &bare.position.to_be_bytes(), &until])
    }

    fn mac(&self, ends: ChainEnds<'_>) -> [u8; 32] {
        let (position, anchor) = (ends.position.to_be_bytes(), ends.anchor_position.to_be_bytes());
        self.tag("head", &[ends.tenant.as_bytes(), &position, ends.link, &anchor, ends.anchor_link])
    }
}

#[derive(Clone, Debug)]
pub(super) struct Keys(BTreeMap<&'static str, Key>);

impl HashChainKeys for Keys {
    type Key = Key;

    fn find(&self, id: &str) -> Option<&Key> {
        self.0.get(id)
    }

    fn commit_to_origin(salt: &[u8], address: &str, user_agent: &str) -> [u8; 32] {
        Key(0).tag("origin", &[salt, address.as_bytes(), user_agent.as_bytes()])
    }
}

/// The stored events of a tenant, and the other arguments of a verification. The methods that change it can be chained.
pub(super) struct Log {
    pub(super) keys: Keys,
    active: &'static str,
    pub(super) head: Option<Head>,
    pub(super) sealed: Vec<RecordedEvent>,
    rejected: Vec<RecordedEvent>,
    waiting: Vec<RecordedEvent>,
    age: Duration,
    takes_bare: bool,
    pub(super) deleted: HashSet<AccountId>,
    seen: Option<Seen>,
}

/// The account that events concern.
pub(super) const SOMEBODY: AccountId = AccountId::from_uuid(Uuid::from_u128(77));

/// Reads and writes the log.
impl Log {
    pub(super) fn empty() -> Self {
        Self {
            keys: Keys(BTreeMap::from([("one", Key(1)), ("two", Key(2))])),
            active: "one",
            head: None,
            sealed: Vec::new(),
            rejected: Vec::new(),
            waiting: Vec::new(),
            age: Duration::ZERO,
            takes_bare: false,
            deleted: HashSet::new(),
            seen: None,
        }
    }

    /// A chain of `events` events, each with its code.
    pub(super) fn of(events: u8) -> Self {
        let mut log = Self::empty();
        let (position, anchor_position, mac_key, mac) = Default::default();
        let (link, anchor_link) = (NO_LINK.to_vec(), NO_LINK.to_vec());
        let bare = Some(Bare::no_more(0));
        let head = Head { tenant: DEFAULT_TENANT, position, link, anchor_position, anchor_link, mac_key, mac, bare };
        log.head = Some(head);
        log.sign_head();
        for _ in 0..events {
            log.seal(|_| {});
        }
        log
    }

    fn key(&self) -> &Key {
        &self.keys.0[self.active]
    }

    /// An event as the service writes it, after `change`. All fields of two events differ.
    fn written(&self, change: impl FnOnce(&mut RecordedEvent)) -> RecordedEvent {
        let number = self.sealed.iter().filter_map(|event| event.position).max().unwrap_or_default() + 1;
        let number = u8::try_from(number).unwrap();
        let (address, user_agent) = (format!("192.0.2.{number}"), format!("curl/{number}"));
        let salt = [number; 16];
        let digest = Keys::commit_to_origin(&salt, &address, &user_agent);
        let mut event = RecordedEvent {
            id: EventId::from_uuid(Uuid::from_u128(number.into())),
            tenant: DEFAULT_TENANT,
            happened_at: Timestamp::from_seconds(number.into()),
            kind: EventKind::LoggedIn.name().to_owned(),
            outcome: "ok".to_owned(),
            reason: None,
            actor: None,
            account: Some(SOMEBODY),
            session: None,
            service: None,
            object: None,
            trace_id: format!("trace-{number}"),
            position: None,
            link: None,
            link_key: None,
            digest: Some(digest.to_vec()),
            salt: Some(salt.to_vec()),
            mac: None,
            mac_key: Some(self.active.to_owned()),
            rejected_at: None,
            address,
            user_agent,
        };
        change(&mut event);
        event.mac = Some(self.key().code(&event.entry(&digest).encode()).to_vec());
        event
    }

    /// The next event, changed after it was written.
    pub(super) fn next(&self, change: impl FnOnce(&mut RecordedEvent)) -> RecordedEvent {
        let mut event = self.written(|_| {});
        change(&mut event);
        event
    }

    pub(super) fn link(&self, position: i64) -> Vec<u8> {
        self.sealed.iter().find(|event| event.position == Some(position)).unwrap().link.clone().unwrap()
    }

    fn at(&mut self, position: i64) -> &mut RecordedEvent {
        self.sealed.iter_mut().find(|event| event.position == Some(position)).unwrap()
    }

    fn bind(&mut self, mut event: RecordedEvent) {
        let digest = event.digest.as_deref().unwrap().try_into().unwrap();
        let key = self.key().clone();
        self.head.as_mut().unwrap().bind(&mut event, &digest, (self.active, &key));
        self.sealed.push(event);
        self.sign_head();
    }

    /// Computes the codes of the head.
    fn sign_head(&mut self) -> &mut Self {
        let (id, key) = (self.active, self.key().clone());
        let head = self.head.as_mut().unwrap();
        (head.mac, head.mac_key) = (key.mac(head.ends()).to_vec(), id.to_owned());
        let bare_mac = head.bare_events().map(|bare| key.bare_mac(bare).to_vec());
        if let (Some(bare), Some(mac)) = (&mut head.bare, bare_mac) {
            (bare.mac, bare.mac_key) = (mac, id.to_owned());
        }
        self
    }

    pub(super) fn verify(&mut self) -> Summary {
        self.sealed.sort_by_key(|event| event.position);
        let mut verification = Verification::begin(&self.keys, DEFAULT_TENANT, self.head.as_ref(), self.seen.as_ref());
        for event in &self.sealed {
            verification.sealed(event.clone(), &self.deleted);
        }
        for event in &self.rejected {
            verification.rejected(event);
        }
        for event in &self.waiting {
            verification.waiting(event, self.takes_bare);
        }
        verification.waited(self.waiting.len() as u64, self.age);
        verification.end()
    }

    /// Position and finding, as in `3 Changed`; `-` without a position.
    pub(super) fn found(&mut self) -> Vec<String> {
        let written_down = |found: &Found| {
            let position = found.position.map_or_else(|| "-".to_owned(), |position| position.to_string());
            format!("{position} {:?}", found.finding)
        };
        self.verify().found.iter().map(written_down).collect()
    }
}

/// What the service does.
impl Log {
    /// Seals one more event, changed after it was written: sealing does not check it here.
    pub(super) fn seal(&mut self, change: impl FnOnce(&mut RecordedEvent)) -> &mut Self {
        self.bind(self.next(change));
        self
    }

    /// Seals an event with this actor and this account.
    pub(super) fn seal_about(&mut self, actor: Option<AccountId>, account: Option<AccountId>) -> &mut Self {
        self.bind(self.written(|event| (event.actor, event.account) = (actor, account)));
        self
    }

    pub(super) fn seal_restart(&mut self, behind: i64, why: &str) -> &mut Self {
        self.seal_restart_that_says(&describe_restart(behind, why))
    }

    pub(super) fn seal_restart_that_says(&mut self, text: &str) -> &mut Self {
        let kind = EventKind::AuditRestarted.name().to_owned();
        self.bind(self.written(|event| (event.kind, event.object) = (kind, Some(text.to_owned()))));
        self
    }

    pub(super) fn wait(&mut self, change: impl FnOnce(&mut RecordedEvent)) -> &mut Self {
        self.waiting.push(self.next(change));
        self
    }

    pub(super) fn reject(&mut self, events: usize) -> &mut Self {
        self.rejected.extend(vec![self.next(without_code); events]);
        self
    }

    pub(super) fn rotate(&mut self, key: &'static str) -> &mut Self {
        self.active = key;
        self
    }

    /// Deletes events up to this position after their retention.
    pub(super) fn forget(&mut self, up_to: i64) -> &mut Self {
        let link = self.link(up_to);
        self.change_head(|head| (head.anchor_position, head.anchor_link) = (up_to, link)).sign_head().drop(1..=up_to)
    }

    /// Records that events up to this position may be without a code.
    pub(super) fn record(&mut self, position: i64) -> &mut Self {
        self.change_head(|head| head.bare = Some(Bare::no_more(position))).sign_head()
    }

    pub(super) fn take_bare(&mut self) -> &mut Self {
        self.takes_bare = true;
        self
    }

    pub(super) fn delete_account(&mut self) -> &mut Self {
        self.deleted.insert(SOMEBODY);
        self
    }

    pub(super) fn age(&mut self, seconds: u64) -> &mut Self {
        self.age = Duration::from_secs(seconds);
        self
    }

    /// A reader kept the link at this position.
    pub(super) fn see(&mut self, position: i64) -> &mut Self {
        self.seen = Some(Seen { position, link: self.link(position) });
        self
    }

    /// A reader kept the link of another position for this one.
    pub(super) fn see_as(&mut self, position: i64, link_at: i64) -> &mut Self {
        self.seen = Some(Seen { position, link: self.link(link_at) });
        self
    }

    /// A reader kept another link.
    pub(super) fn see_another(&mut self, position: i64) -> &mut Self {
        self.seen = Some(Seen { position, link: vec![7; 32] });
        self
    }
}

/// What an attacker does.
impl Log {
    pub(super) fn change(&mut self, position: i64, change: impl FnOnce(&mut RecordedEvent)) -> &mut Self {
        change(self.at(position));
        self
    }

    pub(super) fn change_head(&mut self, change: impl FnOnce(&mut Head)) -> &mut Self {
        change(self.head.as_mut().unwrap());
        self
    }

    pub(super) fn change_record(&mut self, change: impl FnOnce(&mut Bare)) -> &mut Self {
        self.change_head(|head| change(head.bare.as_mut().unwrap()))
    }

    pub(super) fn drop(&mut self, positions: RangeInclusive<i64>) -> &mut Self {
        self.sealed.retain(|event| !positions.contains(&event.position.unwrap()));
        self
    }

    pub(super) fn drop_head(&mut self) -> &mut Self {
        self.head = None;
        self
    }

    /// Moves the end back to this position.
    pub(super) fn end_at(&mut self, position: i64) -> &mut Self {
        let link = self.link(position);
        self.change_head(|head| (head.position, head.link) = (position, link))
    }

    pub(super) fn exchange(&mut self, one: i64, other: i64) -> &mut Self {
        self.change(one, |event| event.position = Some(1_000));
        self.change(other, |event| event.position = Some(one));
        self.change(1_000, |event| event.position = Some(other))
    }

    pub(super) fn exchange_links(&mut self, one: i64, other: i64) -> &mut Self {
        let links = (self.link(one), self.link(other));
        self.change(one, |event| event.link = Some(links.1)).change(other, |event| event.link = Some(links.0))
    }

    /// Renumbers the remaining events from one on.
    pub(super) fn close_ranks(&mut self) -> &mut Self {
        (1..).zip(&mut self.sealed).for_each(|(position, event)| event.position = Some(position));
        self
    }

    /// Inserts a copy of an event behind it. The positions of all later events grow by one.
    pub(super) fn copy(&mut self, position: usize) -> &mut Self {
        self.sealed.insert(position, self.sealed[position - 1].clone());
        self.close_ranks()
    }

    pub(super) fn insert(&mut self, position: i64) -> &mut Self {
        self.sealed.push(self.next(|event| event.position = Some(position)));
        self
    }

    /// Deletes the origin of an event.
    pub(super) fn blank(&mut self, position: i64) -> &mut Self {
        self.change(position, |event| {
            (event.salt, event.address, event.user_agent) = (None, String::new(), String::new());
        })
    }

    /// Changes the key that sealed everything, and keeps its id.
    pub(super) fn make_up_a_key(&mut self) -> &mut Self {
        self.keys.0.insert("one", Key(3));
        self
    }

    pub(super) fn lose_key(&mut self, id: &str) -> &mut Self {
        self.keys.0.remove(id);
        self
    }

    /// Restores everything as it was after this number of events.
    pub(super) fn put_back(&mut self, events: u8) -> &mut Self {
        let seen = self.seen.take();
        *self = Self { seen, ..Self::of(events) };
        self
    }
}

/// An event as a release without codes wrote it.
pub(super) fn without_code(event: &mut RecordedEvent) {
    (event.mac, event.mac_key) = (None, None);
}
