use arc_swap::ArcSwapOption;
use countersign_domain::{revocation::FeedMark, service::Service, time::Timestamp};
use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

/// Whether the session or the service of an access token was found live in the database. Kept beside the opened token.
#[derive(Debug, Default)]
pub struct Approval(ArcSwapOption<Approved>);

/// That the session or the service of a token was found live.
#[derive(Debug)]
pub struct Approved {
    /// The service account of the token; `None` for a session.
    pub service: Option<Service>,
    until: Timestamp,
    history: u64,
    /// The position in the revocation feed up to which nothing is against the token.
    position: AtomicI64,
}

impl Approval {
    /// Notes that the token was found live, by a query that began after `mark`, and counts as live until an instant.
    pub fn grant(&self, mark: FeedMark, until: Timestamp, service: Option<Service>) {
        let FeedMark { history, position } = mark;
        self.0.store(Some(Arc::new(Approved { service, until, history, position: AtomicI64::new(position) })));
    }

    /// What was noted, until its end. The revocation feed may have something against the token since.
    pub fn current(&self, now: Timestamp) -> Option<Arc<Approved>> {
        self.0.load_full().filter(|approved| now < approved.until)
    }
}

impl Approved {
    /// How far the revocation feed was compared with the token.
    pub fn mark(&self) -> FeedMark {
        FeedMark { history: self.history, position: self.position.load(Ordering::Relaxed) }
    }

    /// Notes that nothing in the feed up to here is against the token.
    pub fn extend(&self, mark: FeedMark) {
        self.position.fetch_max(mark.position, Ordering::Relaxed);
    }
}
