//! Follows the revocation feed.

use std::{collections::BTreeMap, time::Duration};

use countersign_token::KeyId;
use tokio::time::timeout;
use tonic::{Code, Status, Streaming, metadata::AsciiMetadataValue};

use crate::{
    backoff::Backoff,
    credentials::Drawn,
    fault::Fault,
    generated::{
        Revocation, RevocationSnapshot, WatchRevocationsRequest, WatchRevocationsResponse,
        watch_revocations_response::Event,
    },
    link::Link,
    reading::{Change, read},
    revocations::Draft,
    shared::Shared,
};

/// How long a stream may be silent before the service has announced its heartbeat interval.
const FIRST_SILENCE: Duration = Duration::from_secs(30);
/// How many heartbeats may be missing. Two may be late on a bad line; three in a row mean a broken connection.
const MISSED: u32 = 3;
/// The end of a stream that lived for this long is no failure.
const WORKED: Duration = Duration::from_secs(10);
const MAX_CURSOR: usize = 1024;

/// The position in the feed, kept from one stream to the next.
#[derive(Debug)]
pub(crate) struct Feed {
    cursor: String,
    silence: Duration,
    draft: Option<Snapshot>,
    /// Whether everything before the next message was received.
    complete: bool,
    /// Whether there was a snapshot before.
    followed: bool,
    /// Whether the warning was logged that the policy does not fit the heartbeat interval.
    warned: bool,
}

/// The parts of a snapshot that have arrived.
#[derive(Debug)]
struct Snapshot {
    tokens: Draft,
    keys: BTreeMap<KeyId, i64>,
}

impl Feed {
    pub(crate) fn new() -> Self {
        Self {
            cursor: String::new(),
            silence: FIRST_SILENCE,
            draft: None,
            complete: false,
            followed: false,
            warned: false,
        }
    }

    /// Follows the feed until the task is dropped.
    pub(crate) async fn follow(mut self, shared: &Shared, link: &Link) {
        let mut backoff = Backoff::default();
        loop {
            let begun = shared.clock.monotonic();
            let fault = self.watch(shared, link).await;
            // The failure that ended a stream of this length may be short: a restart of the service, a load balancer.
            if self.complete && shared.clock.monotonic().saturating_sub(begun) > WORKED {
                backoff.reset();
            }
            self.lost(shared, link, fault);
            tokio::time::sleep(backoff.next()).await;
        }
    }

    /// One stream, from its beginning to its end.
    async fn watch(&mut self, shared: &Shared, link: &Link) -> Fault {
        self.draft = None;
        self.complete = false;
        let (bearer, mut stream) = match self.open(link).await {
            Ok(opened) => opened,
            Err(fault) => return fault,
        };
        // Continues at the cursor, unless the service answers with a snapshot.
        let resumed = !self.cursor.is_empty();
        loop {
            let message = match timeout(self.silence, stream.message()).await {
                Ok(Ok(Some(message))) => message,
                Ok(Ok(None)) => return Fault::Ended,
                Ok(Err(status)) => {
                    // A stream ends with this code when its token expires: the next stream uses another token.
                    link.account.heed(&bearer, &status).await;
                    return self.broken(&status);
                }
                Err(_) => return Fault::Silent,
            };
            if let Err(fault) = self.take_in(message, resumed, shared, link) {
                // The changes after the last cursor are lost: only a snapshot replaces them.
                self.cursor.clear();
                return fault;
            }
        }
    }

    /// A message that is too large or not valid would arrive again after the same cursor. A cursor that is refused
    /// would be refused again.
    fn broken(&mut self, status: &Status) -> Fault {
        if matches!(status.code(), Code::OutOfRange | Code::Internal | Code::DataLoss | Code::InvalidArgument) {
            self.cursor.clear();
        }
        Fault::of(status)
    }

    async fn open(&mut self, link: &Link) -> Result<(AsciiMetadataValue, Streaming<WatchRevocationsResponse>), Fault> {
        let bearer = link.account.bearer().await.map_err(|drawn| {
            link.progress.drawn(drawn);
            match drawn {
                Drawn::Refused(fault) | Drawn::Failed(fault) => fault,
            }
        })?;
        let request = WatchRevocationsRequest { cursor: self.cursor.clone() };
        match link.account.calls().watch(bearer.clone(), request).await {
            Ok(stream) => Ok((bearer, stream)),
            Err(status) => {
                link.account.heed(&bearer, &status).await;
                // Only the cursor of a request can be invalid, so the next request has none and gets a snapshot.
                if status.code() == Code::InvalidArgument {
                    self.cursor.clear();
                }
                Err(Fault::of(&status))
            }
        }
    }

    fn take_in(
        &mut self,
        message: WatchRevocationsResponse,
        resumed: bool,
        shared: &Shared,
        link: &Link,
    ) -> Result<(), Fault> {
        if message.cursor.len() > MAX_CURSOR {
            return Err(Fault::Unreadable("a cursor"));
        }
        if let Some(time) = &message.server_time {
            link.clocks(time, shared);
        }
        let continues = resumed || self.complete;
        // An event of a later release may revoke something.
        match message.event.ok_or(Fault::Unreadable("an event that is not known"))? {
            Event::Snapshot(part) => self.snapshot(part, shared, link)?,
            _ if self.draft.is_some() || !continues => return Err(Fault::Unreadable("changes without a snapshot")),
            Event::Changes(changes) => apply(changes.revocations, shared, link)?,
            Event::Heartbeat(heartbeat) => self.expect_every(heartbeat.interval_seconds, link),
        }
        if self.draft.is_none() {
            if !message.cursor.is_empty() {
                self.cursor = message.cursor;
            }
            self.complete = true;
            link.heard(shared);
        }
        Ok(())
    }

    fn expect_every(&mut self, seconds: i64, link: &Link) {
        let interval = u64::try_from(seconds).unwrap_or(0).clamp(1, 300);
        self.silence = Duration::from_secs(interval) * MISSED;
        let impatient = link.policy.patience().is_some_and(|patience| self.silence > patience);
        if impatient && !std::mem::replace(&mut self.warned, true) {
            tracing::warn!(
                seconds = interval,
                "the heartbeat interval of the service is so long that the stale policy may refuse valid tokens"
            );
        }
    }

    fn snapshot(&mut self, part: RevocationSnapshot, shared: &Shared, link: &Link) -> Result<(), Fault> {
        let draft = self.draft.get_or_insert_with(|| Snapshot { tokens: Draft::new(), keys: BTreeMap::new() });
        let over = link.over(shared);
        for revocation in part.revocations {
            match read(revocation, &shared.marker)? {
                Change::Tokens(entry) if entry.expires_at > over => draft.tokens.add(entry),
                Change::Tokens(_) => {}
                Change::Key(kid, until) => drop(draft.keys.insert(kid, until)),
                Change::KeySet => link.refetch.soon(),
            }
            if draft.tokens.len() + draft.keys.len() > link.most_revocations {
                return Err(Fault::TooMany);
            }
        }
        if part.complete
            && let Some(Snapshot { tokens, keys }) = self.draft.take()
        {
            let held = tokens.len() + keys.len();
            shared.revocations.replace(tokens);
            shared.keys_changed(shared.keys.replace_revoked(keys))?;
            shared.observe(|observer| observer.revocations_applied(held, held));
            // A snapshot contains revocations, but not the key changes announced in the gap before it.
            if std::mem::replace(&mut self.followed, true) {
                link.refetch.soon();
            }
        }
        Ok(())
    }

    fn lost(&mut self, shared: &Shared, link: &Link, fault: Fault) {
        link.progress.failed(fault);
        if link.pulse.lost() {
            tracing::info!(%fault, "lost the connection to the revocation feed");
            shared.observe(|observer| observer.feed_lost(&fault));
        } else {
            tracing::debug!(%fault, "cannot connect to the revocation feed");
        }
    }
}

/// Applies changes in order: all valid ones, even if one is not valid.
fn apply(changes: Vec<Revocation>, shared: &Shared, link: &Link) -> Result<(), Fault> {
    let arrived = changes.len();
    let mut outcome = Ok(());
    for change in changes {
        match read(change, &shared.marker) {
            Ok(Change::Tokens(entry)) => shared.revocations.add(entry),
            Ok(Change::Key(kid, until)) => {
                tracing::info!(%kid, "a key was revoked");
                outcome = shared.keys_changed(shared.keys.revoke(kid, until)).and(outcome);
                link.refetch.soon();
            }
            Ok(Change::KeySet) => link.refetch.soon(),
            Err(fault) => outcome = Err(fault),
        }
    }
    let held = shared.revocations.len() + shared.keys.revoked();
    shared.observe(|observer| observer.revocations_applied(arrived, held));
    if held > link.most_revocations {
        return Err(Fault::TooMany);
    }
    outcome
}
