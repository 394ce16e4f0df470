use crate::{runtime::Stopwatch, telemetry};
use countersign_domain::{client_address::TrustedProxies, limit::AddressPrefix};
use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::sync::Notify;

/// The connections of one listener: how many there are, from where, and which of them is closed when there is no room.
///
/// A client is an IPv4 address or an IPv6 /64, as for every other limit ([`AddressPrefix`]). One client may have so many
/// connections. When all that there may be are taken, whoever has fewer than others takes the place of a connection that nobody
/// uses: one without a call under way, of the client that has most. So idle connections keep nobody out, however many addresses
/// they come from, and whoever loses one connects again.
///
/// What trusted proxies open counts only in all, and is never closed for others: behind one connection are many people.
#[derive(Debug)]
pub(super) struct ConnectionTable {
    listener: &'static str,
    most: usize,
    most_of_client: usize,
    proxies: TrustedProxies,
    open: Mutex<Open>,
    /// Since when idle times are counted.
    since: Stopwatch,
}

#[derive(Debug, Default)]
struct Open {
    all: usize,
    of_clients: HashMap<AddressPrefix, Vec<Arc<OpenConnection>>>,
    /// Whether operators were told that there is no room. Said again after there was some.
    is_crowded: bool,
}

/// A connection, as the calls on it know it.
#[derive(Debug)]
pub struct OpenConnection {
    /// For how long it is open.
    pub opened: Stopwatch,
    calls: AtomicUsize,
    /// Since when no call is under way, in milliseconds of the table.
    idle_since: AtomicU64,
    since: Stopwatch,
    closing: Notify,
}

/// A call is under way on a connection until this is dropped.
#[derive(Debug)]
pub struct CallOnConnection(Arc<OpenConnection>);

/// A place in the table, given back when it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) connection: Arc<OpenConnection>,
    client: Option<AddressPrefix>,
    table: Arc<ConnectionTable>,
}

/// Why a connection is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Its client has as many as one may have.
    OfClient,
    /// There is no room, and none can be made for it.
    OfAll,
}

impl Refusal {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::OfClient => "client",
            Self::OfAll => "all",
        }
    }
}

impl ConnectionTable {
    pub(super) fn new(listener: &'static str, most: usize, most_of_client: usize, proxies: TrustedProxies) -> Self {
        Self { listener, most, most_of_client, proxies, open: Mutex::default(), since: Stopwatch::start() }
    }

    /// Takes in a connection from `peer`.
    ///
    /// # Errors
    /// When it has to be refused.
    pub(super) fn admit(self: &Arc<Self>, peer: IpAddr) -> Result<Place, Refusal> {
        let client = (!self.proxies.trusts(peer)).then(|| AddressPrefix::of(peer));
        let mut open = self.lock();
        let own = client.map_or(0, |client| open.count(client));
        if client.is_some() && own >= self.most_of_client {
            return Err(Refusal::OfClient);
        }
        if open.all >= self.most {
            if !open.is_crowded {
                open.is_crowded = true;
                tracing::warn!(
                    listener = self.listener,
                    connections = open.all,
                    "there is no room for more connections: idle ones of the clients that have most are closed"
                );
            }
            let displaced = open.displace(own).ok_or(Refusal::OfAll)?;
            displaced.closing.notify_one();
            telemetry::count_connection_closed(self.listener, "displaced");
        }
        let connection = Arc::new(OpenConnection::new(self.since));
        open.all += 1;
        if let Some(client) = client {
            open.of_clients.entry(client).or_default().push(connection.clone());
        }
        telemetry::set_connections(self.listener, open.all);
        Ok(Place { connection, client, table: self.clone() })
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    fn count(&self, client: AddressPrefix) -> usize {
        self.of_clients.get(&client).map_or(0, Vec::len)
    }

    /// Takes the connection out that is missed least: of the client that has most, more than `own`, the one that is idle for
    /// longest.
    fn displace(&mut self, own: usize) -> Option<Arc<OpenConnection>> {
        let (mut most, mut found) = (own, None);
        for (client, connections) in &self.of_clients {
            if connections.len() > most
                && let Some(longest) = connections.iter().filter_map(|other| other.idle_since()).min()
            {
                (most, found) = (connections.len(), Some((*client, longest)));
            }
        }
        let (client, longest) = found?;
        let connections = self.of_clients.get(&client)?;
        let displaced = connections.iter().find(|other| other.idle_since() == Some(longest))?.clone();
        self.remove(client, &displaced);
        Some(displaced)
    }

    /// A connection that was displaced is not there any more when it ends.
    fn remove(&mut self, client: AddressPrefix, connection: &Arc<OpenConnection>) {
        let Some(connections) = self.of_clients.get_mut(&client) else { return };
        let Some(at) = connections.iter().position(|other| Arc::ptr_eq(other, connection)) else { return };
        connections.swap_remove(at);
        if connections.is_empty() {
            self.of_clients.remove(&client);
        }
        self.all -= 1;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let (table, mut open) = (&self.table, self.table.lock());
        match self.client {
            Some(client) => open.remove(client, &self.connection),
            None => open.all -= 1,
        }
        telemetry::set_connections(table.listener, open.all);
        if open.is_crowded && open.all <= table.most - table.most.div_ceil(10) {
            open.is_crowded = false;
            tracing::info!(listener = table.listener, connections = open.all, "there is room for connections again");
        }
    }
}

impl OpenConnection {
    fn new(since: Stopwatch) -> Self {
        let idle_since = AtomicU64::new(millis(since.elapsed()));
        let (opened, calls, closing) = (Stopwatch::start(), AtomicUsize::new(0), Notify::new());
        Self { opened, calls, idle_since, since, closing }
    }

    /// A call begins.
    pub fn begin_call(self: &Arc<Self>) -> CallOnConnection {
        self.calls.fetch_add(1, Ordering::AcqRel);
        CallOnConnection(self.clone())
    }

    /// Resolves when the connection is to be closed, once.
    pub(super) async fn closed(&self) {
        self.closing.notified().await;
    }

    /// `None` while a call is under way.
    fn idle_since(&self) -> Option<u64> {
        (self.calls.load(Ordering::Acquire) == 0).then(|| self.idle_since.load(Ordering::Acquire))
    }
}

impl Drop for CallOnConnection {
    fn drop(&mut self) {
        self.0.idle_since.store(millis(self.0.since.elapsed()), Ordering::Release);
        self.0.calls.fetch_sub(1, Ordering::AcqRel);
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt as _;

    fn table(most: usize, most_of_client: usize) -> Arc<ConnectionTable> {
        let proxies = TrustedProxies::new(vec!["10.0.0.0/8".parse().unwrap()]);
        Arc::new(ConnectionTable::new("calls", most, most_of_client, proxies))
    }

    fn admit(table: &Arc<ConnectionTable>, address: &str) -> Result<Place, Refusal> {
        table.admit(address.parse().unwrap())
    }

    fn is_closed(place: &Place) -> bool {
        place.connection.closed().now_or_never().is_some()
    }

    #[test]
    fn the_addresses_of_one_subnet_are_one_client() {
        let table = table(10, 2);
        let _held = [admit(&table, "2001:db8::1").unwrap(), admit(&table, "2001:db8::2").unwrap()];
        assert_eq!(admit(&table, "2001:db8::3").unwrap_err(), Refusal::OfClient);
        let _others = [admit(&table, "2001:db8:0:1::1").unwrap(), admit(&table, "192.0.2.1").unwrap()];
        let _mapped = admit(&table, "::ffff:192.0.2.1").unwrap();
        assert_eq!(admit(&table, "192.0.2.1").unwrap_err(), Refusal::OfClient, "a mapped address is one of IPv4");
    }

    #[test]
    fn a_place_that_is_given_back_is_free_again() {
        let table = table(10, 1);
        drop(admit(&table, "192.0.2.1").unwrap());
        let _again = admit(&table, "192.0.2.1").unwrap();
        assert_eq!(table.lock().all, 1);
    }

    #[test]
    fn when_there_is_no_room_a_newcomer_takes_the_place_of_who_has_most_and_is_idle_for_longest() {
        let table = table(4, 4);
        let crowd: Vec<_> = (0..3).map(|_| admit(&table, "192.0.2.1").unwrap()).collect();
        let other = admit(&table, "192.0.2.2").unwrap();
        crowd[0].connection.idle_since.store(7, Ordering::Release);
        crowd[1].connection.idle_since.store(5, Ordering::Release);
        crowd[2].connection.idle_since.store(6, Ordering::Release);
        let newcomer = admit(&table, "192.0.2.3").unwrap();
        assert_eq!(crowd.iter().map(is_closed).collect::<Vec<_>>(), [false, true, false]);
        assert!(!is_closed(&other) && !is_closed(&newcomer));
        assert_eq!(table.lock().all, 4);
        drop(crowd);
        assert_eq!(table.lock().all, 2, "the displaced one was counted once");
    }

    #[test]
    fn whoever_has_as_many_as_anybody_takes_no_place_of_others() {
        let table = table(2, 2);
        let _held = [admit(&table, "192.0.2.1").unwrap(), admit(&table, "192.0.2.2").unwrap()];
        assert_eq!(admit(&table, "192.0.2.1").unwrap_err(), Refusal::OfAll);
    }

    #[test]
    fn a_connection_with_a_call_under_way_is_closed_for_nobody() {
        let table = table(2, 2);
        let held = [admit(&table, "192.0.2.1").unwrap(), admit(&table, "192.0.2.1").unwrap()];
        let calls = [held[0].connection.begin_call(), held[1].connection.begin_call()];
        assert_eq!(admit(&table, "192.0.2.2").unwrap_err(), Refusal::OfAll);
        drop(calls);
        let _newcomer = admit(&table, "192.0.2.2").unwrap();
    }

    #[test]
    fn what_a_trusted_proxy_opens_counts_in_all_and_is_closed_for_nobody() {
        let table = table(3, 1);
        let proxy: Vec<_> = (0..3).map(|_| admit(&table, "10.0.0.1").unwrap()).collect();
        assert_eq!(admit(&table, "192.0.2.1").unwrap_err(), Refusal::OfAll);
        drop(proxy);
        assert_eq!(table.lock().all, 0);
    }
}
