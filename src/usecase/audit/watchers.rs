use tokio::sync::watch;

/// Notifies the watchers of the audit log of new events, and of the end of the service.
#[derive(Clone, Debug)]
pub struct AuditLogWatchers(watch::Sender<Growth>);

/// How often new events were announced.
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
    /// Announces that events were sealed, here or by another replica.
    pub fn rise(&self) {
        self.0.send_modify(|watchers| watchers.risen = watchers.risen.wrapping_add(1));
    }

    /// Ends the streams when the service stops: otherwise the calls would never end.
    pub fn close(&self) {
        self.0.send_modify(|watchers| watchers.over = true);
    }

    pub(super) fn watch(&self) -> watch::Receiver<Growth> {
        self.0.subscribe()
    }
}
