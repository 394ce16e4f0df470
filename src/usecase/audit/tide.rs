use tokio::sync::watch;

/// Tells those who watch the trail that there may be more of it, and when there is nothing more to wait for.
#[derive(Clone, Debug)]
pub struct AuditTide(watch::Sender<Tide>);

/// How often it has risen.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tide {
    risen: u64,
    pub(super) over: bool,
}

impl Default for AuditTide {
    fn default() -> Self {
        Self(watch::Sender::new(Tide::default()))
    }
}

impl AuditTide {
    /// Something was sealed, here or by another replica.
    pub fn rise(&self) {
        self.0.send_modify(|tide| tide.risen = tide.risen.wrapping_add(1));
    }

    /// The service stops: those who watch would otherwise be calls under way that never end.
    pub fn close(&self) {
        self.0.send_modify(|tide| tide.over = true);
    }

    pub(super) fn watch(&self) -> watch::Receiver<Tide> {
        self.0.subscribe()
    }
}
