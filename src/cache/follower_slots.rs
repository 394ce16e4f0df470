use countersign_domain::id::ServiceId;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::Notify;

/// Slots for followers of the feed, limited in total and for each service, so that one service cannot take all of them.
#[derive(Clone, Debug)]
pub struct FollowerSlots(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    taken: Mutex<Taken>,
    most: usize,
    most_of_one: usize,
    first: Notify,
}

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    by: HashMap<ServiceId, usize>,
}

/// A slot, free again when it is dropped.
#[derive(Debug)]
pub struct FollowerSlot {
    slots: FollowerSlots,
    service: ServiceId,
}

impl FollowerSlots {
    pub fn new(most: usize, most_of_one: usize) -> Self {
        Self(Arc::new(Inner { taken: Mutex::default(), most, most_of_one, first: Notify::new() }))
    }

    /// `None` when this service can have no more.
    pub fn take(&self, service: ServiceId) -> Option<FollowerSlot> {
        let mut taken = self.lock();
        let of_one = taken.by.get(&service).copied().unwrap_or_default();
        if taken.all >= self.0.most || of_one >= self.0.most_of_one {
            return None;
        }
        taken.by.insert(service, of_one + 1);
        taken.all += 1;
        if taken.all == 1 {
            self.0.first.notify_one();
        }
        Some(FollowerSlot { slots: self.clone(), service })
    }

    /// The number of slots that are taken.
    pub fn taken(&self) -> usize {
        self.lock().all
    }

    /// Resolves when a slot is taken while all were free.
    pub async fn first(&self) {
        self.0.first.notified().await;
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.0.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for FollowerSlot {
    fn drop(&mut self) {
        let mut taken = self.slots.lock();
        taken.all -= 1;
        if let Some(of_one) = taken.by.get_mut(&self.service) {
            *of_one -= 1;
            if *of_one == 0 {
                taken.by.remove(&self.service);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(number: u128) -> ServiceId {
        ServiceId::from_uuid(uuid::Uuid::from_u128(number))
    }

    #[test]
    fn one_service_cannot_take_the_places_of_the_others() {
        let slots = FollowerSlots::new(3, 2);
        let greedy: Vec<_> = std::iter::from_fn(|| slots.take(service(1))).collect();
        assert_eq!(greedy.len(), 2);
        let modest = slots.take(service(2)).unwrap();
        assert!(slots.take(service(3)).is_none(), "all are taken");
        drop(greedy);
        assert_eq!(slots.taken(), 1);
        assert!(slots.take(service(1)).is_some());
        drop(modest);
        assert!(slots.lock().by.is_empty() && slots.taken() == 0);
    }

    #[tokio::test]
    async fn whoever_waits_for_followers_hears_of_the_first_and_not_of_the_second() {
        let slots = FollowerSlots::new(3, 3);
        let is_told = async || crate::runtime::timeout(std::time::Duration::ZERO, slots.first()).await.is_some();
        assert!(!is_told().await);
        let one = slots.take(service(1)).unwrap();
        assert!(is_told().await);
        let two = slots.take(service(2)).unwrap();
        assert!(!is_told().await);
        drop((one, two));
        let _again = slots.take(service(2)).unwrap();
        assert!(is_told().await);
    }
}
