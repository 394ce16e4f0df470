use crate::{
    cache::{Topic, WakeUps},
    runtime::Clock,
    store::{StoreFault, Tx, revocation},
};
use countersign_domain::{revocation::RevocationKind, tenant::DEFAULT_TENANT};

/// Tells replicas and verifiers that keys changed.
#[derive(Clone, Debug)]
pub struct Announce {
    pub wakeups: WakeUps,
    pub clock: Clock,
}

/// What changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Announcement {
    /// A key was staged, took over, or was forgotten after its time: whoever holds keys looks again before long.
    KeySetChanged,
    /// This key counts no more, from now on.
    KeyRetired { kid: String },
}

impl Announce {
    /// Commits the transaction that changed keys, with a line in the feed that verifiers follow, and calls the replicas. Never
    /// called before: whoever looks at once must find it.
    ///
    /// # Errors
    /// When the database does not confirm it.
    pub async fn commit(&self, tx: Tx, what: &Announcement) -> Result<(), StoreFault> {
        // Keys have no secrets in their ids, and a signing key is everybody's.
        let (kind, target) = match what {
            Announcement::KeySetChanged => (RevocationKind::KeySet, ""),
            Announcement::KeyRetired { kid } => (RevocationKind::Key, kid.as_str()),
        };
        revocation::append(&tx, DEFAULT_TENANT, kind, target, self.clock.now()).await?;
        tx.commit().await?;
        match what {
            Announcement::KeySetChanged => tracing::debug!("the set of keys changed"),
            Announcement::KeyRetired { kid } => tracing::warn!(kid, "a key counts no more"),
        }
        self.wakeups.ring(Topic::Keys);
        Ok(())
    }
}
