use tokio::sync::watch;

/// Tells those who watch the trail that there may be more of it, and when there is nothing more to wait for.
#[derive(Clone, Debug)]
pub struct AuditLogWatchers(watch::Sender<Growth>);

/// How often it has risen.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Growth {
    risen: u64,
    pub(super) over: bool,
}

impl Default for AuditLogWatchers {
    fn default() -> Self {
        Self(watch::Sender::new(Growth::default()))
    }
}

impl AuditLogWatchers {
    /// Something was sealed, here or by another replica.
    pub fn rise(&self) {
        self.0.send_modify(|watchers| watchers.risen = watchers.risen.wrapping_add(1));
    }

    /// The service stops: those who watch would otherwise be calls under way that never end.
    pub fn close(&self) {
        self.0.send_modify(|watchers| watchers.over = true);
    }

    pub(super) fn watch(&self) -> watch::Receiver<Growth> {
        self.0.subscribe()
    }
}
