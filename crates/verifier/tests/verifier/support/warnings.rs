//! The warnings of a verifier.

use std::{
    fmt,
    sync::{Arc, Mutex},
};

use tracing::{
    Event, Level, Metadata, Subscriber,
    field::{Field, Visit},
    span,
    subscriber::{DefaultGuard, set_default},
};

/// Collects the warnings of this thread until it is dropped.
pub(crate) struct Warnings {
    heard: Arc<Mutex<Vec<String>>>,
    _listening: DefaultGuard,
}

impl Warnings {
    pub(crate) fn listen() -> Self {
        let heard = Arc::default();
        let _listening = set_default(Ear(Arc::clone(&heard)));
        Self { heard, _listening }
    }

    /// How many warnings contain this text.
    pub(crate) fn of(&self, text: &str) -> usize {
        self.heard.lock().unwrap().iter().filter(|heard| heard.contains(text)).count()
    }
}

struct Ear(Arc<Mutex<Vec<String>>>);

impl Subscriber for Ear {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() == Level::WARN
    }

    fn event(&self, event: &Event<'_>) {
        let mut text = Text(String::new());
        event.record(&mut text);
        self.0.lock().unwrap().push(text.0);
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.push_str(&format!("{field}={value:?} "));
    }
}
