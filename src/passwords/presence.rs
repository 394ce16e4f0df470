use std::sync::{Arc, Weak};

/// Whoever waits for a verdict. It is dropped with the call: by its end, its deadline, or a caller who hangs up.
#[derive(Debug, Default)]
pub struct Caller(Arc<()>);

/// Whether a [`Caller`] still waits.
#[derive(Clone, Debug)]
pub struct Presence(Weak<()>);

impl Caller {
    pub fn presence(&self) -> Presence {
        Presence(Arc::downgrade(&self.0))
    }
}

impl Presence {
    pub fn is_gone(&self) -> bool {
        self.0.strong_count() == 0
    }
}
