use super::open::{OpenConnection, micros};
use crate::{runtime::Stopwatch, telemetry};
use countersign_domain::{
    client_address::TrustedProxies,
    limit::{AddressPrefix, AddressSite},
};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap},
    net::IpAddr,
    ops::Bound::{Excluded, Unbounded},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// The connections of one listener: how many there are, from which clients, and which one is closed when there is no
/// slot left.
///
/// A client is an IPv4 address or an IPv6 /64, as for every other limit ([`AddressPrefix`]), and has a limit of its
/// own. When all slots are taken, a new connection takes the slot of an idle one: of the site with the most connections
/// ([`AddressSite`]), there of the client with the most, and among equals of the connection that is idle for longest. A
/// client with fewer connections than the new one's loses none. So idle connections block nobody, even from many
/// addresses; connections that have just begun are not closed for the next one; and a client that loses a connection
/// can connect again.
///
/// Connections of trusted proxies count only in the total, and are never closed for others: one connection serves many
/// people.
#[derive(Debug)]
pub(super) struct ConnectionTable {
    listener: &'static str,
    most: usize,
    most_of_client: usize,
    proxies: TrustedProxies,
    open: Mutex<Open>,
    /// The clock of idle times.
    since: Stopwatch,
}

#[derive(Debug, Default)]
struct Open {
    all: usize,
    of_clients: BTreeMap<AddressPrefix, Vec<Arc<OpenConnection>>>,
    of_sites: HashMap<AddressSite, usize>,
    /// The last client that the search looked at; `None` when it looked at all.
    looked: Option<AddressPrefix>,
    /// Whether the log says that the limit is reached. This is logged again after slots were free.
    is_crowded: bool,
}

/// The order in which connections are closed for a new one: connections of the site, connections of the client, idle
/// since when.
type Rank = (usize, usize, Reverse<u64>);

/// The most clients and connections that one search looks at, because it locks the table. With 4096 connections in
/// total, the default, a search looks at all of them. With more, the next search continues where this one stopped.
const LOOKS: usize = 2 * 4096;

/// A slot in the table, given back when it is dropped.
#[derive(Debug)]
pub(super) struct ConnectionSlot {
    pub(super) connection: Arc<OpenConnection>,
    client: Option<AddressPrefix>,
    table: Arc<ConnectionTable>,
}

/// Why a connection is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Its client has as many connections as a client may have.
    OfClient,
    /// All slots are taken, and none can be freed for it.
    OfAll,
}

impl Refusal {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::OfClient => "per_client",
            Self::OfAll => "total",
        }
    }
}

impl ConnectionTable {
    pub(super) fn new(listener: &'static str, most: usize, most_of_client: usize, proxies: TrustedProxies) -> Self {
        Self { listener, most, most_of_client, proxies, open: Mutex::default(), since: Stopwatch::start() }
    }

    /// Takes a slot for a connection from `peer`.
    ///
    /// # Errors
    /// When the connection must be refused.
    pub(super) fn take_slot(self: &Arc<Self>, peer: IpAddr) -> Result<ConnectionSlot, Refusal> {
        let client = (!self.proxies.trusts(peer)).then(|| AddressPrefix::of(peer));
        let mut open = self.lock();
        if client.is_some_and(|client| open.of_client(client) >= self.most_of_client) {
            return Err(Refusal::OfClient);
        }
        if open.all >= self.most {
            if !open.is_crowded {
                open.is_crowded = true;
                tracing::warn!(
                    listener = self.listener,
                    connections = open.all,
                    "the connection limit is reached: idle connections of the clients with the most are closed for new \
                     ones"
                );
            }
            let displaced = open.displace(client, micros(self.since.elapsed())).ok_or(Refusal::OfAll)?;
            displaced.close();
            telemetry::count_connection_closed(self.listener, "evicted");
        }
        let connection = Arc::new(OpenConnection::new(self.since));
        open.all += 1;
        if let Some(client) = client {
            open.of_clients.entry(client).or_default().push(connection.clone());
            *open.of_sites.entry(client.into()).or_default() += 1;
        }
        telemetry::set_connections(self.listener, open.all);
        Ok(ConnectionSlot { connection, client, table: self.clone() })
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    fn of_client(&self, client: AddressPrefix) -> usize {
        self.of_clients.get(&client).map_or(0, Vec::len)
    }

    fn of_site(&self, client: AddressPrefix) -> usize {
        self.of_sites.get(&client.into()).copied().unwrap_or_default()
    }

    /// Removes the idle connection that comes first in the order, and returns it.
    fn displace(&mut self, newcomer: Option<AddressPrefix>, now: u64) -> Option<Arc<OpenConnection>> {
        let (client, connection) = self.find_idle(newcomer, now)?;
        self.remove(client, &connection);
        Some(connection)
    }

    fn find_idle(&mut self, newcomer: Option<AddressPrefix>, now: u64) -> Option<(AddressPrefix, Arc<OpenConnection>)> {
        let own = newcomer.map_or((0, 0), |client| (self.of_site(client), self.of_client(client)));
        let mut best: Option<(Rank, AddressPrefix, &Arc<OpenConnection>)> = None;
        let (mut looks, mut looked) = (0, None);
        let after = self.looked.map_or(Unbounded, Excluded);
        let clients = self.of_clients.range((after, Unbounded)).chain(&self.of_clients).take(self.of_clients.len());
        for (client, connections) in clients {
            if looks >= LOOKS {
                break;
            }
            (looks, looked) = (looks + 1, Some(*client));
            let (of_site, of_client) = (self.of_site(*client), connections.len());
            let has_fewer = of_site <= own.0 && of_client < own.1;
            let is_behind = best.is_some_and(|((site, client, _), ..)| (site, client) > (of_site, of_client));
            if newcomer == Some(*client) || has_fewer || is_behind {
                continue;
            }
            looks += of_client;
            for connection in connections {
                let Some(idle) = connection.idle_since(now) else { continue };
                let rank = (of_site, of_client, Reverse(idle));
                if best.is_none_or(|(found, ..)| found < rank) {
                    best = Some((rank, *client, connection));
                }
            }
        }
        let found = best.map(|(_, client, connection)| (client, connection.clone()));
        self.looked = looked.filter(|_| looks >= LOOKS);
        found
    }

    /// A connection that was removed for a new one is no longer in the table when it ends.
    fn remove(&mut self, client: AddressPrefix, connection: &Arc<OpenConnection>) {
        let Some(connections) = self.of_clients.get_mut(&client) else { return };
        let Some(at) = connections.iter().position(|other| Arc::ptr_eq(other, connection)) else { return };
        connections.swap_remove(at);
        if connections.is_empty() {
            self.of_clients.remove(&client);
        }
        let site = client.into();
        match self.of_sites.get_mut(&site) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(self.of_sites.remove(&site)),
        }
        self.all -= 1;
    }
}

impl Drop for ConnectionSlot {
    fn drop(&mut self) {
        let (table, mut open) = (&self.table, self.table.lock());
        match self.client {
            Some(client) => open.remove(client, &self.connection),
            None => open.all -= 1,
        }
        telemetry::set_connections(table.listener, open.all);
        if open.is_crowded && open.all <= table.most - table.most.div_ceil(10) {
            open.is_crowded = false;
            tracing::info!(
                listener = table.listener,
                connections = open.all,
                "the connections are well below their limit again"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt as _;
    use std::time::Duration;

    fn table(most: usize, most_of_client: usize) -> Arc<ConnectionTable> {
        let proxies = TrustedProxies::new(vec!["10.0.0.0/8".parse().unwrap()]);
        Arc::new(ConnectionTable::new("public", most, most_of_client, proxies))
    }

    fn take_slot(table: &Arc<ConnectionTable>, address: &str) -> Result<ConnectionSlot, Refusal> {
        table.take_slot(address.parse().unwrap())
    }

    fn is_closed(place: &ConnectionSlot) -> bool {
        let is_closed = place.connection.closed().now_or_never().is_some();
        if is_closed {
            // Reading the close consumes it, so it is restored for the next check.
            place.connection.close();
        }
        is_closed
    }

    /// Makes the connections idle, the first for longest.
    fn idle_in_order(places: &[&ConnectionSlot]) {
        for (place, since) in places.iter().zip(1..) {
            place.connection.rest_since(since);
        }
    }

    #[test]
    fn the_addresses_of_one_subnet_are_one_client() {
        let table = table(10, 2);
        let _held = [take_slot(&table, "2001:db8::1").unwrap(), take_slot(&table, "2001:db8::2").unwrap()];
        assert_eq!(take_slot(&table, "2001:db8::3").unwrap_err(), Refusal::OfClient);
        let _others = [take_slot(&table, "2001:db8:0:1::1").unwrap(), take_slot(&table, "192.0.2.1").unwrap()];
        let _mapped = take_slot(&table, "::ffff:192.0.2.1").unwrap();
        assert_eq!(take_slot(&table, "192.0.2.1").unwrap_err(), Refusal::OfClient, "a mapped address is one of IPv4");
    }

    #[test]
    fn a_place_that_is_given_back_is_free_again() {
        let table = table(10, 1);
        drop(take_slot(&table, "192.0.2.1").unwrap());
        let _again = take_slot(&table, "192.0.2.1").unwrap();
        assert_eq!(table.lock().all, 1);
    }

    #[test]
    fn when_there_is_no_room_a_newcomer_takes_the_place_of_who_has_most_and_is_idle_for_longest() {
        let table = table(4, 4);
        let crowd: Vec<_> = (0..3).map(|_| take_slot(&table, "192.0.2.1").unwrap()).collect();
        let other = take_slot(&table, "192.0.2.2").unwrap();
        idle_in_order(&[&crowd[1], &crowd[2], &crowd[0]]);
        let newcomer = take_slot(&table, "192.0.2.3").unwrap();
        assert_eq!(crowd.iter().map(is_closed).collect::<Vec<_>>(), [false, true, false]);
        assert!(!is_closed(&other) && !is_closed(&newcomer));
        assert_eq!(table.lock().all, 4);
        drop(crowd);
        assert_eq!(table.lock().all, 2, "the displaced one was counted once");
    }

    #[test]
    fn of_clients_with_equally_many_the_connection_that_is_idle_for_longest_makes_room() {
        let table = table(10, 10);
        let idle: Vec<_> = (0..10).map(|n| take_slot(&table, &format!("192.0.2.{n}")).unwrap()).collect();
        idle_in_order(&idle.iter().rev().collect::<Vec<_>>());
        let newcomers: Vec<_> = (0..15)
            .map(|n| {
                let newcomer = take_slot(&table, &format!("198.51.100.{}", 20 - n)).unwrap();
                newcomer.connection.rest_since(100 + n);
                newcomer
            })
            .collect();
        assert!(idle.iter().all(is_closed), "a connection stays that is idle for longer than those which were closed");
        let closed: Vec<_> = newcomers.iter().map(is_closed).collect();
        assert_eq!(closed, [[true; 5], [false; 5], [false; 5]].concat());
    }

    #[test]
    fn whoever_has_as_many_as_others_takes_the_place_of_another_and_nobody_that_of_one_who_has_fewer() {
        let table = table(2, 4);
        let (one, other) = (take_slot(&table, "192.0.2.1").unwrap(), take_slot(&table, "192.0.2.2").unwrap());
        idle_in_order(&[&one, &other]);
        let second = take_slot(&table, "192.0.2.1").unwrap();
        second.connection.rest_since(3);
        assert!(is_closed(&other) && !is_closed(&one), "nobody takes their own place");
        drop(other);
        assert_eq!(take_slot(&table, "192.0.2.1").unwrap_err(), Refusal::OfAll);
        let _back = take_slot(&table, "192.0.2.2").unwrap();
        assert!(is_closed(&one));
        assert_eq!(table.lock().all, 2);
    }

    #[test]
    fn the_many_subnets_of_one_ipv6_site_make_room_before_others() {
        let table = table(6, 4);
        let crowd: Vec<_> = (0..3).map(|n| take_slot(&table, &format!("2001:db8:0:{n}::1")).unwrap()).collect();
        let others: Vec<_> = (0..2).map(|_| take_slot(&table, "192.0.2.1").unwrap()).collect();
        let alone = take_slot(&table, "2001:db8:1::1").unwrap();
        idle_in_order(&[&alone, &others[0], &others[1], &crowd[1], &crowd[0], &crowd[2]]);
        // Also of its own site: the owner of a site has as many subnets as they like.
        let newcomer = take_slot(&table, "2001:db8:0:ffff::1").unwrap();
        newcomer.connection.rest_since(7);
        assert_eq!(crowd.iter().map(is_closed).collect::<Vec<_>>(), [false, true, false]);
        // A client with more connections than one subnet has, and fewer than the site.
        let _third = take_slot(&table, "192.0.2.1").unwrap();
        assert_eq!(crowd.iter().map(is_closed).collect::<Vec<_>>(), [true, true, false]);
        assert!(!is_closed(&alone) && !is_closed(&newcomer) && !others.iter().any(is_closed));
        drop((crowd, newcomer));
        assert_eq!(table.lock().of_sites.len(), 2, "a site is forgotten with its last connection");
    }

    #[test]
    fn of_more_clients_than_there_is_time_to_look_at_each_is_looked_at_in_the_end() {
        let table = table(LOOKS, 10);
        let address = |n: usize| format!("198.{}.{}.{}", 18 + n / 65_536, n / 256 % 256, n % 256);
        let mut held: Vec<_> = (0..LOOKS - 1).map(|n| take_slot(&table, &address(n)).unwrap()).collect();
        held.push(take_slot(&table, &address(LOOKS - 2)).unwrap());
        let newcomers = [take_slot(&table, "192.0.2.1").unwrap(), take_slot(&table, "192.0.2.2").unwrap()];
        let closed: Vec<_> = (0..LOOKS).filter(|n| is_closed(&held[*n])).collect();
        assert_eq!(closed.len(), newcomers.len());
        assert!(closed.iter().any(|n| *n >= LOOKS - 2), "the client that has most was not looked at: {closed:?}");
    }

    #[test]
    fn a_connection_with_a_call_under_way_is_closed_for_nobody() {
        let table = table(2, 2);
        let held = [take_slot(&table, "192.0.2.1").unwrap(), take_slot(&table, "192.0.2.1").unwrap()];
        let calls = [held[0].connection.begin_call(), held[1].connection.begin_call()];
        assert_eq!(take_slot(&table, "192.0.2.2").unwrap_err(), Refusal::OfAll);
        drop(calls);
        let _newcomer = take_slot(&table, "192.0.2.2").unwrap();
    }

    #[test]
    fn an_answer_under_way_keeps_its_connection_for_as_long_as_it_may_take() {
        let table = table(2, 2);
        let held = [take_slot(&table, "192.0.2.1").unwrap(), take_slot(&table, "192.0.2.1").unwrap()];
        let answer = held[0].connection.begin_answer(Duration::from_mins(1));
        // Its client does not read this answer.
        let _unread = held[1].connection.begin_answer(Duration::ZERO);
        let newcomer = take_slot(&table, "192.0.2.2").unwrap();
        assert_eq!(held.iter().map(is_closed).collect::<Vec<_>>(), [false, true]);
        drop(answer);
        idle_in_order(&[&held[0], &newcomer]);
        let _second = take_slot(&table, "192.0.2.3").unwrap();
        assert!(is_closed(&held[0]));
    }

    #[test]
    fn what_a_trusted_proxy_opens_counts_in_all_and_is_closed_for_nobody() {
        let table = table(3, 1);
        let proxy: Vec<_> = (0..3).map(|_| take_slot(&table, "10.0.0.1").unwrap()).collect();
        assert_eq!(take_slot(&table, "192.0.2.1").unwrap_err(), Refusal::OfAll);
        drop(proxy);
        assert_eq!(table.lock().all, 0);
    }
}
