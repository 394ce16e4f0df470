use countersign_domain::limit::AddressPrefix;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Counts how many calls or streams each client has at the same time, and limits them.
#[derive(Clone, Debug)]
pub struct ConcurrencyLimit(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    most: usize,
    held: Mutex<HashMap<AddressPrefix, usize>>,
}

/// One call or stream of a client, until it is dropped.
#[derive(Debug)]
pub(super) struct ConcurrencyPermit {
    client: AddressPrefix,
    counted: ConcurrencyLimit,
}

impl ConcurrencyLimit {
    pub fn new(most: usize) -> Self {
        Self(Arc::new(Inner { most, held: Mutex::default() }))
    }

    /// `None` when the client is at its limit.
    pub(super) fn enter(&self, client: AddressPrefix) -> Option<ConcurrencyPermit> {
        let mut held = self.lock();
        let count = held.entry(client).or_default();
        if *count >= self.0.most {
            return None;
        }
        *count += 1;
        Some(ConcurrencyPermit { client, counted: self.clone() })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<AddressPrefix, usize>> {
        self.0.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for ConcurrencyPermit {
    fn drop(&mut self) {
        let mut held = self.counted.lock();
        if let Some(count) = held.get_mut(&self.client) {
            *count -= 1;
            if *count == 0 {
                held.remove(&self.client);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::IpAddr;

    fn client(address: &str) -> AddressPrefix {
        AddressPrefix::of(address.parse::<IpAddr>().unwrap())
    }

    #[test]
    fn a_client_has_as_many_as_it_may_and_one_more_when_one_has_ended() {
        let concurrency = ConcurrencyLimit::new(2);
        let first = concurrency.enter(client("2001:db8::1")).unwrap();
        let _second = concurrency.enter(client("2001:db8::2")).unwrap();
        assert!(concurrency.enter(client("2001:db8::3")).is_none(), "a subnet is one client");
        assert!(concurrency.enter(client("192.0.2.1")).is_some());
        drop(first);
        assert!(concurrency.enter(client("2001:db8::3")).is_some());
    }

    #[test]
    fn nothing_is_remembered_of_a_client_that_has_none() {
        let concurrency = ConcurrencyLimit::new(1);
        drop(concurrency.enter(client("192.0.2.1")));
        assert!(concurrency.lock().is_empty());
    }
}
