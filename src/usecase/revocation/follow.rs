use crate::{
    cache::Feed,
    runtime::Clock,
    store::{Store, StoreFault, revocation},
};
use std::sync::Arc;
use tokio::sync::Mutex;

/// Reads what the feed has become since the last look, giving its entries their places where nobody has yet.
#[derive(Clone, Debug)]
pub struct FollowRevocations {
    pub store: Store,
    pub feed: Feed,
    pub clock: Clock,
    /// One look at a time: two would take in everything twice.
    pub looking: Arc<Mutex<()>>,
}

/// Entries of one question.
const PAGE: u64 = 10_000;

impl FollowRevocations {
    /// Resolves when this process has revoked something.
    pub async fn revoked(&self) {
        self.store.revoked().await;
    }

    /// Returns whether entries were given their places: then other processes do not know of them yet.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn run(&self) -> Result<bool, StoreFault> {
        let _looking = self.looking.lock().await;
        let now = self.clock.now();
        let outlook = revocation::outlook(&self.store.read()).await?;
        let mut head = outlook.head;
        if outlook.waiting {
            let tx = self.store.begin().await?;
            head = revocation::place(&tx).await?;
            tx.commit().await?;
        }
        let mut read = self.feed.tide().borrow().head;
        if head < read {
            tracing::warn!(read, head, "the feed of revocations went back: the database is another than before");
            self.feed.restart();
            read = 0;
        }
        while read < head {
            let page = revocation::after(&self.store.read(), read, now, PAGE).await?;
            let is_last = page.len() < usize::try_from(PAGE).unwrap_or(usize::MAX);
            // What is missing between the last entry and the head was over before it was read.
            let last = page.last().map_or(0, |entry| entry.position);
            read = if is_last { head.max(last) } else { last };
            self.feed.advance(page.into_iter().map(|entry| (entry.cursor(), entry.revocation)).collect(), read, now);
        }
        self.feed.advance(Vec::new(), read, now);
        Ok(outlook.waiting)
    }
}
