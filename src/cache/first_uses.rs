use countersign_domain::id::{SessionId, TenantId};
use std::{
    collections::HashMap,
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::Notify;

/// Generations of sessions that were used for the first time, until they are stored. One that is lost with the process,
/// or for lack of room, is recorded at its next use.
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
    /// Records a use; concurrent calls with one generation count as one.
    pub fn note(&self, tenant: TenantId, session: SessionId, generation: i64) {
        let mut waiting = self.lock();
        if waiting.len() < MOST || waiting.contains_key(&session) {
            waiting.insert(session, (tenant, generation));
            self.0.first.notify_one();
        }
    }

    /// Everything that was recorded since the last call.
    pub fn take(&self) -> impl Iterator<Item = (TenantId, SessionId, i64)> + use<> {
        let waiting = mem::take(&mut *self.lock());
        waiting.into_iter().map(|(session, (tenant, generation))| (tenant, session, generation))
    }

    /// Resolves when a use is recorded, also if that was before this call.
    pub async fn noted(&self) {
        self.0.first.notified().await;
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<SessionId, (TenantId, i64)>> {
        // Each change is one step, so a panic leaves no incomplete change.
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
