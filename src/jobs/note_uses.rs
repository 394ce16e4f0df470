use crate::{
    runtime::{Shutdown, sleep},
    usecase::session::NoteUses,
};
use std::time::Duration;

/// Uses within this time are stored in one round.
const GATHER: Duration = Duration::from_millis(250);

/// Stores which generations of sessions have been used, until the service stops, and once more at its end.
pub async fn note_uses(note: NoteUses, mut shutdown: Shutdown) {
    loop {
        let next = async {
            note.noted().await;
            sleep(GATHER).await;
        };
        let stopping = shutdown.unless(next).await.is_err();
        if let Err(fault) = note.store_uses().await {
            tracing::warn!(%fault, "the last use of some sessions was not recorded");
        }
        if stopping {
            return;
        }
    }
}
