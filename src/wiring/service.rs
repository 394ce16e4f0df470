use super::{
    Adapters, KeyOperations, RecordedOperations, StartFault, StoreOperations, World,
    audit::open_audit_log,
    capacity::{Capacity, call_bounds},
    use_cases::UseCases,
};
use crate::{
    cache::{SharedRedis, WakeUps},
    config::Config,
    grpc::{self, CallService, GrpcService, Incoming, Listener, OperatorsHandler, ServerLimits, UnderWay},
    http::{CallHandler, ops_router, well_known_router},
    jobs,
    passwords::Hasher,
    runtime::{Shutdown, raise_file_limit, sleep, spawn, timeout},
    store::Store,
    telemetry::{self, Metrics},
    usecase::{
        audit::SealEvents,
        gate::OperatorGate,
        housekeeping::{CountHashCosts, Purge, Ready},
        key::{MaintainKeys, PublishKeys},
        mail::DeliverMail,
        revocation::FollowRevocations,
        session::NoteUses,
    },
};
use axum::Router;
use countersign_domain::host::OwnNames;
use futures_util::future::{join_all, select_all};
use std::{sync::Arc, time::Duration};
use tokio::{net::TcpListener, task::JoinHandle};

/// A serving process, assembled and not yet started.
#[derive(Debug)]
pub struct Service {
    calls: CallHandler,
    operators: OperatorsHandler,
    /// The host names of the operators' listener.
    admin_names: Arc<OwnNames>,
    pages: Router,
    health: GrpcService,
    admin_health: GrpcService,
    ready: Ready,
    publish_keys: PublishKeys,
    related_origins: Vec<String>,
    metrics: Option<Metrics>,
    store: Store,
    wakeups: WakeUps,
    shared_redis: Option<SharedRedis>,
    capacity: Arc<Capacity>,
    /// The calls under way on the public listener, and on the operators' listener.
    under_way: UnderWay,
    admin_under_way: UnderWay,
    limits: ServerLimits,
    drain: Duration,
    /// Hashes passwords, and counts the hashes.
    pub hasher: Hasher,
    /// Sends the mails of the outbox.
    pub deliver_mail: DeliverMail,
    /// Deletes expired data.
    pub purge: Purge,
    /// Counts the accounts by the cost of their hashes.
    pub count_hash_costs: CountHashCosts,
    /// Maintains the keys.
    pub keys: MaintainKeys,
    /// What operators query.
    pub store_operations: StoreOperations,
    /// What operators do to accounts, roles, service accounts and sessions.
    pub operations: RecordedOperations,
    /// What operators do to keys and audiences.
    pub key_operations: KeyOperations,
    /// Reads the revocation feed.
    pub follow_revocations: FollowRevocations,
    /// Seals the audit log.
    pub seal_events: SealEvents,
    /// Stores which generations of sessions have been used.
    pub note_uses: NoteUses,
    /// How often the revocation feed is polled.
    look: Duration,
}

/// When the service stops: how long clients may take to read the last answers, and to complete requests.
const FLUSH: Duration = Duration::from_secs(1);
/// How long after draining everything but the calls may take to stop.
const FINISH: Duration = Duration::from_secs(2);

/// The sockets to listen on.
#[derive(Debug)]
pub struct Listeners {
    pub calls: TcpListener,
    /// For operators; `None` without such a listener.
    pub operators: Option<TcpListener>,
}

impl Service {
    /// # Errors
    /// With what is missing.
    pub async fn assemble(config: &Config, world: World, metrics: Option<Metrics>) -> Result<Self, StartFault> {
        let capacity = Capacity::of(config, raise_file_limit())?;
        let adapters = Box::pin(Adapters::start(config, world)).await?;
        open_audit_log(config).await?;
        let use_cases = UseCases::new(&adapters, config);
        let limits = server_limits(config);
        let follow_revocations = use_cases.follow_revocations();
        let services = use_cases.services(&follow_revocations);
        let (health, routes) = grpc::health_service();
        let routes = services.into_routes(routes, limits).map_err(no_reflection)?;
        let (under_way, admin_under_way) = (UnderWay::default(), UnderWay::default());
        let call_service =
            CallService::new(use_cases.authorize(Listener::Public), routes, call_bounds(config), under_way.clone());
        let calls = CallHandler::new(call_service, use_cases.browser_rules(), use_cases.astray_links());
        let calls = calls.map_err(|why| StartFault::because("browser.allowed_origins", why))?;
        let (admin_health, routes) = grpc::admin_health_service();
        let routes = use_cases.admin_services().into_routes(routes, limits).map_err(no_reflection)?;
        let gate = Listener::Operators(OperatorGate { token: adapters.operator_token.clone() });
        let admin_names = Arc::new(OwnNames::new(config.admin.hosts.clone()));
        let call_service =
            CallService::new(use_cases.authorize(gate), routes, call_bounds(config), admin_under_way.clone());
        Ok(Self {
            calls,
            operators: OperatorsHandler::new(call_service, admin_names.clone()),
            admin_names,
            pages: use_cases.pages(),
            health,
            admin_health,
            ready: use_cases.ready(),
            metrics,
            capacity: Arc::new(capacity),
            under_way,
            admin_under_way,
            limits,
            drain: config.server.drain_timeout,
            deliver_mail: use_cases.deliver_mail(),
            purge: use_cases.purge(),
            count_hash_costs: use_cases.count_hash_costs().await,
            keys: use_cases.tend_keys(),
            store_operations: use_cases.store_operations(),
            operations: use_cases.recorded_operations(),
            key_operations: use_cases.key_operations(),
            publish_keys: use_cases.publish_keys(),
            related_origins: config.passkeys.related_origins(&config.browser.allowed_origins),
            follow_revocations,
            seal_events: use_cases.seal_events(),
            note_uses: use_cases.note_uses(),
            look: config.verification.poll_interval,
            store: adapters.store,
            wakeups: adapters.wakeups,
            shared_redis: adapters.shared_redis,
            hasher: adapters.hasher,
        })
    }

    /// Serves calls and runs jobs until `shutdown`; then lets the calls under way and the jobs finish for the drain
    /// timeout and a little longer. Unfinished work is dropped.
    ///
    /// # Errors
    /// When the listener fails.
    pub async fn serve(self, listeners: Listeners, shutdown: Shutdown) -> Result<(), StartFault> {
        let mut jobs = self.start_jobs(&shutdown);
        let operators = listeners.operators.map(|listener| {
            let answering = Box::pin(self.answer_operators(listener, shutdown.clone()));
            spawn(async move {
                if let Err(fault) = answering.await {
                    tracing::error!(%fault, "the operators' listener failed");
                }
            })
        });
        let (store, wakeups, shared_redis) = (self.store.clone(), self.wakeups.clone(), self.shared_redis.clone());
        let (mut stop, longest) = (shutdown.clone(), self.drain + FINISH);
        let too_long = async move {
            stop.requested().await;
            sleep(longest).await;
        };
        tokio::pin!(too_long);
        tokio::select! {
            served = self.answer_calls(listeners.calls, shutdown.clone()) => served?,
            fault = first_to_fail(&mut jobs, shutdown) => return Err(fault),
        }
        let finish = async {
            // A job that panicked has logged that already.
            join_all(jobs.into_iter().chain(operators).filter(|job| !job.is_finished())).await;
            wakeups.close();
            if let Some(shared_redis) = shared_redis {
                shared_redis.close();
            }
            store.close().await;
        };
        tokio::select! {
            () = finish => {}
            () = &mut too_long => tracing::warn!("background jobs did not finish in time and are aborted"),
        }
        Ok(())
    }

    /// Answers calls and probes of operators, until `shutdown`.
    ///
    /// # Errors
    /// When the listener fails.
    pub fn answer_operators(
        &self,
        listener: TcpListener,
        mut shutdown: Shutdown,
    ) -> impl Future<Output = Result<(), StartFault>> + Send + use<> {
        let (metrics, hasher, feed) = (self.metrics.clone(), self.hasher.clone(), self.follow_revocations.feed.clone());
        let exposition = move || {
            telemetry::set_feed(feed.followers(), feed.len(), feed.state().borrow().looked.elapsed());
            telemetry::set_hasher_queue(hasher.queue_depth());
            metrics.as_ref().map_or_else(String::new, Metrics::render)
        };
        let probes = ops_router(self.ready.clone(), self.admin_names.clone(), exposition);
        let (watchers, under_way) = (self.seal_events.watchers.clone(), self.admin_under_way.clone());
        let too_long = drained(under_way.clone(), self.drain, shutdown.clone());
        let stopping = async move {
            shutdown.requested().await;
            // Otherwise the streams would be calls under way that never end.
            watchers.close();
            under_way.stop();
        };
        let (calls, limits) = (self.operators.clone(), self.limits);
        let incoming = Incoming::new(listener, self.capacity.operators.clone());
        let (health, ready) = (self.admin_health.clone(), self.ready.clone());
        async move {
            health.set_serving(ready.is_ready().await).await;
            tokio::select! {
                served = Box::pin(grpc::serve(calls, probes, incoming, limits, stopping)) =>
                    served.map_err(|error| StartFault::because("the operators' listener failed", error)),
                () = too_long => Ok(()),
            }
        }
    }

    /// Answers calls and runs no jobs: mails stay in the outbox until [`Service::deliver_mail`] is run.
    ///
    /// # Errors
    /// When the listener fails.
    pub async fn answer_calls(self, listener: TcpListener, shutdown: Shutdown) -> Result<(), StartFault> {
        self.health.set_serving(self.ready.is_ready().await).await;
        let incoming = Incoming::new(listener, self.capacity.calls.clone());
        let (mut stop, under_way) = (shutdown.clone(), self.under_way.clone());
        let feed = self.follow_revocations.feed.clone();
        let stopping = async move {
            stop.requested().await;
            // Otherwise the streams would be calls under way that never end.
            feed.close();
            under_way.stop();
        };
        let pages = self.pages.merge(well_known_router(self.publish_keys, &self.related_origins));
        let served = Box::pin(grpc::serve(self.calls, pages, incoming, self.limits, stopping));
        tokio::select! {
            served = served => served.map_err(|error| StartFault::because("serving failed", error)),
            () = drained(self.under_way, self.drain, shutdown) => Ok(()),
        }
    }

    /// Starts the background jobs.
    fn start_jobs(&self, shutdown: &Shutdown) -> [JoinHandle<()>; 8] {
        let both = [self.health.clone(), self.admin_health.clone()];
        let report = move |serving| {
            let both = both.clone();
            async move {
                for health in both {
                    health.set_serving(serving).await;
                }
            }
        };
        [
            spawn(jobs::send_mail(self.deliver_mail.clone(), self.wakeups.clone(), shutdown.clone())),
            spawn(jobs::follow_revocations(
                self.follow_revocations.clone(),
                self.wakeups.clone(),
                self.look,
                shutdown.clone(),
            )),
            spawn(jobs::purge(self.purge.clone(), shutdown.clone())),
            spawn(jobs::count_hash_costs(self.count_hash_costs.clone(), shutdown.clone())),
            spawn(jobs::seal_events(self.seal_events.clone(), self.wakeups.clone(), shutdown.clone())),
            spawn(jobs::note_uses(self.note_uses.clone(), shutdown.clone())),
            spawn(jobs::rotate_keys(self.keys.clone(), self.wakeups.clone(), shutdown.clone())),
            spawn(jobs::watch_health(self.ready.clone(), report, shutdown.clone())),
        ]
    }
}

fn no_reflection(why: String) -> StartFault {
    StartFault::because("reflection", why)
}

fn server_limits(config: &Config) -> ServerLimits {
    ServerLimits {
        concurrent_streams: config.server.max_concurrent_streams,
        message_bytes: config.server.max_message_bytes,
        connection_age: config.server.max_connection_age,
    }
}

/// Resolves once the service stops and nothing is left to wait for: no call is under way, and clients had time to read
/// the last answers. It does not wait for connections alone, since anybody can keep one open.
async fn drained(under_way: UnderWay, most: Duration, mut shutdown: Shutdown) {
    shutdown.requested().await;
    let finished = async {
        loop {
            under_way.none().await;
            sleep(FLUSH).await;
            if under_way.is_none() {
                return;
            }
        }
    };
    if timeout(most, finished).await.is_none() {
        tracing::warn!("calls did not finish within server.drain_timeout and are aborted");
    }
}

/// A job that ends before the service does has panicked. A service without it would look healthy, so it is better to
/// stop and be restarted.
async fn first_to_fail(jobs: &mut [JoinHandle<()>], shutdown: Shutdown) -> StartFault {
    let (ended, ..) = select_all(jobs.iter_mut()).await;
    if shutdown.is_requested() {
        std::future::pending::<()>().await;
    }
    StartFault::because("a background job ended", ended.err().map_or_else(String::new, |error| error.to_string()))
}
