use countersign_domain::id::{SessionId, TenantId};
use std::{
    collections::HashMap,
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::Notify;

/// Generations of sessions that were used for the first time, until that is written down. What is lost with the
/// process, or for want of room, is noted at the next use.
#[derive(Clone, Debug, Default)]
pub struct FirstUses(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    waiting: Mutex<HashMap<SessionId, (TenantId, i64)>>,
    first: Notify,
}

/// About a megabyte.
const MOST: usize = 16_384;

impl FirstUses {
    /// Many calls at once with one generation are one use.
    pub fn note(&self, tenant: TenantId, session: SessionId, generation: i64) {
        let mut waiting = self.lock();
        if waiting.len() < MOST || waiting.contains_key(&session) {
            waiting.insert(session, (tenant, generation));
            self.0.first.notify_one();
        }
    }

    /// Everything that was noted since this was last asked.
    pub fn take(&self) -> impl Iterator<Item = (TenantId, SessionId, i64)> + use<> {
        let waiting = mem::take(&mut *self.lock());
        waiting.into_iter().map(|(session, (tenant, generation))| (tenant, session, generation))
    }

    /// Resolves when something is noted, perhaps before this was asked.
    pub async fn noted(&self) {
        self.0.first.notified().await;
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<SessionId, (TenantId, i64)>> {
        // Each change is one step: a panic leaves nothing half done.
        self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn session(number: usize) -> SessionId {
        SessionId::from_uuid(Uuid::from_u128(number as u128))
    }

    #[test]
    fn the_latest_generation_of_a_session_is_taken_once() {
        let uses = FirstUses::default();
        let tenant = countersign_domain::tenant::DEFAULT_TENANT;
        uses.note(tenant, session(1), 2);
        uses.note(tenant, session(1), 3);
        assert_eq!(uses.take().collect::<Vec<_>>(), [(tenant, session(1), 3)]);
        assert_eq!(uses.take().count(), 0);
    }

    #[test]
    fn what_finds_no_room_is_left_out() {
        let uses = FirstUses::default();
        let tenant = countersign_domain::tenant::DEFAULT_TENANT;
        for number in 0..=MOST {
            uses.note(tenant, session(number), 2);
        }
        uses.note(tenant, session(0), 3);
        let taken: Vec<_> = uses.take().collect();
        assert_eq!(taken.len(), MOST);
        assert!(taken.contains(&(tenant, session(0), 3)));
    }
}
