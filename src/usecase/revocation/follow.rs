use crate::{
    cache::Feed,
    runtime::{Clock, Stopwatch},
    store::{Store, StoreFault, revocation},
    usecase::key::ReloadKeys,
};
use countersign_domain::{
    revocation::{FeedCursor, Revocation},
    time::Timestamp,
};
use std::sync::Arc;
use tokio::sync::Mutex;

/// Reads the new entries of the revocation feed, and gives sequence numbers to entries that have none yet.
#[derive(Clone, Debug)]
pub struct FollowRevocations {
    pub store: Store,
    pub feed: Feed,
    pub clock: Clock,
    pub reload: ReloadKeys,
    /// One poll at a time: two would process every entry twice.
    pub looking: Arc<Mutex<()>>,
}

/// Entries in one query.
const PAGE: u64 = 10_000;

impl FollowRevocations {
    /// # Errors
    /// When the database does not answer.
    #[tracing::instrument(level = "debug", name = "revocation.follow", skip_all)]
    pub async fn follow(&self) -> Result<(), StoreFault> {
        let _looking = self.looking.lock().await;
        let looked = Stopwatch::start();
        let (head, now) = (self.head().await?, self.clock.now());
        let mut read = self.feed.state().borrow().position;
        if head < read {
            tracing::warn!(
                read,
                head,
                "the revocation feed went back to an earlier state: the database was replaced or restored"
            );
            read = self.start_again(now, head).await?;
        }
        while read < head {
            let page;
            (page, read) = self.page(read, head, now).await?;
            self.feed.advance(page, read, now);
        }
        self.feed.advance(Vec::new(), read, now);
        self.feed.confirm_current(looked);
        Ok(())
    }

    /// The last sequence number, once every committed entry has one.
    async fn head(&self) -> Result<i64, StoreFault> {
        let outlook = revocation::outlook(&self.store.read()).await?;
        if !outlook.waiting {
            return Ok(outlook.head);
        }
        let tx = self.store.begin().await?;
        let head = revocation::place(&tx).await?;
        tx.commit().await?;
        Ok(head)
    }

    /// Reads the whole feed again. Returns the last sequence number that was read.
    async fn start_again(&self, now: Timestamp, head: i64) -> Result<i64, StoreFault> {
        let (mut all, mut read) = (Vec::new(), 0);
        while read < head {
            let page;
            (page, read) = self.page(read, head, now).await?;
            all.extend(page);
        }
        self.feed.replace(all, read);
        Ok(read)
    }

    /// Returns some entries after a sequence number, and the sequence number up to which they are complete.
    async fn page(
        &self,
        read: i64,
        head: i64,
        now: Timestamp,
    ) -> Result<(Vec<(FeedCursor, Revocation)>, i64), StoreFault> {
        let page = revocation::after(&self.store.read(), read, now, PAGE).await?;
        let is_last = page.len() < usize::try_from(PAGE).unwrap_or(usize::MAX);
        // Entries that are missing between the last one and the head expired before this query.
        let last = page.last().map_or(0, |entry| entry.position);
        if page.iter().any(|entry| entry.revocation.kind.concerns_everybody()) {
            // A follower that receives a change of keys fetches them at once, and must not get the old ones. If the
            // keys cannot be loaded, revocations do not wait for them: backends fetch the keys again on their own.
            if let Err(fault) = self.reload.reload().await {
                tracing::warn!(%fault, "keys that changed according to the revocation feed could not be loaded");
            }
        }
        let read = if is_last { head.max(last) } else { last };
        Ok((page.into_iter().map(|entry| (entry.cursor(), entry.revocation)).collect(), read))
    }
}
