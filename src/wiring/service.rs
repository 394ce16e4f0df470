use super::{KeyDesk, Means, StartFault, World, doors::Stories, trail::open_audit_log};
use crate::{
    cache::{Together, WakeUps},
    config::Config,
    grpc::{self, Front, GrpcService, Incoming, IncomingLimits, Listener, OperatorsDoor, ServerLimits, Services},
    http::{CallDoor, ops_router, well_known_router},
    jobs,
    passwords::Hasher,
    runtime::{Shutdown, spawn, timeout},
    store::Store,
    telemetry::{self, Metrics},
    usecase::{
        account::OperateAccounts,
        audit::SealEvents,
        gate::OperatorGate,
        housekeeping::{Purge, Ready},
        key::{PublishKeys, TendKeys},
        mail::DeliverMail,
        revocation::FollowRevocations,
        service::OperateServices,
        session::EndSessions,
    },
};
use axum::Router;
use futures_util::future::select_all;
use std::time::Duration;
use tokio::{net::TcpListener, task::JoinHandle};

/// Everything a serving process does, assembled and not yet started.
#[derive(Debug)]
pub struct Service {
    calls: CallDoor,
    operators: OperatorsDoor,
    pages: Router,
    health: GrpcService,
    admin_health: GrpcService,
    ready: Ready,
    publish_keys: PublishKeys,
    metrics: Option<Metrics>,
    store: Store,
    wakeups: WakeUps,
    together: Option<Together>,
    incoming: IncomingLimits,
    limits: ServerLimits,
    drain: Duration,
    /// What hashes passwords, and counts the hashes.
    pub hasher: Hasher,
    /// Sends what the outbox holds.
    pub deliver_mail: DeliverMail,
    /// Deletes what is over.
    pub purge: Purge,
    /// Looks after the keys.
    pub keys: TendKeys,
    /// What operators do to keys and audiences.
    pub key_desk: KeyDesk,
    /// What operators do to accounts.
    pub accounts: OperateAccounts,
    /// What operators do to service accounts.
    pub services: OperateServices,
    /// How operators end sessions.
    pub end_sessions: EndSessions,
    /// Reads what was revoked.
    pub follow_revocations: FollowRevocations,
    /// Seals the audit trail.
    pub seal_events: SealEvents,
    /// How often it does.
    look: Duration,
}

/// Nobody on a working network needs this long for 24 bytes.
const PREFACE_LIMIT: Duration = Duration::from_secs(10);

/// Where to listen.
#[derive(Debug)]
pub struct Listeners {
    pub calls: TcpListener,
    /// For operators; `None` when they have no listener.
    pub operators: Option<TcpListener>,
}

impl Service {
    /// # Errors
    /// With what is missing.
    pub async fn assemble(config: &Config, world: World, metrics: Option<Metrics>) -> Result<Self, StartFault> {
        let means = Means::start(config, world).await?;
        open_audit_log(config).await?;
        let stories = Stories { means: &means, config };
        let limits = ServerLimits {
            concurrent_streams: config.server.max_concurrent_streams,
            message_bytes: config.server.max_message_bytes,
            connection_age: config.server.max_connection_age,
        };
        let follow_revocations = stories.follow_revocations();
        let services = Services {
            account: stories.account_door(),
            auth: stories.auth_door(),
            session: stories.session_door(),
            verification: stories.verification_door(&follow_revocations),
            dev_mailbox: stories.dev_mailbox_door(),
            reflection: config.server.reflection,
        };
        let (health, routes) = grpc::health_service();
        let routes = services.into_routes(routes, limits).map_err(|why| StartFault::because("reflection", why))?;
        let front = Front::new(stories.admit(Listener::Public), routes, config.server.request_timeout);
        let calls = CallDoor::new(front, stories.browser_rules());
        let calls = calls.map_err(|why| StartFault::because("browser.allowed_origins", why))?;
        let (admin_health, routes) = grpc::admin_health_service();
        let routes = stories.admin_services().into_routes(routes, limits);
        let routes = routes.map_err(|why| StartFault::because("reflection", why))?;
        let gate = Listener::Operators(OperatorGate { token: means.operator_token.clone() });
        let operators = OperatorsDoor::new(Front::new(stories.admit(gate), routes, config.server.request_timeout));
        Ok(Self {
            calls,
            operators,
            pages: stories.pages(),
            health,
            admin_health,
            ready: stories.ready(),
            metrics,
            incoming: IncomingLimits {
                connections: config.server.max_connections,
                connections_per_address: config.server.max_connections_per_address,
                preface: PREFACE_LIMIT,
            },
            limits,
            drain: config.server.drain_timeout,
            deliver_mail: stories.deliver_mail(),
            purge: stories.purge(),
            keys: stories.tend_keys(),
            key_desk: stories.key_desk(),
            publish_keys: stories.publish_keys(),
            accounts: stories.operate_accounts(),
            services: stories.operate_services(),
            end_sessions: stories.end_sessions(),
            follow_revocations,
            seal_events: stories.seal_events(),
            look: config.verification.look,
            store: means.store,
            wakeups: means.wakeups,
            together: means.together,
            hasher: means.hasher,
        })
    }

    /// Serves and works until `shutdown`, then lets the calls under way finish for as long as draining may take.
    ///
    /// # Errors
    /// When the listener fails.
    pub async fn run(self, listeners: Listeners, shutdown: Shutdown) -> Result<(), StartFault> {
        let mut jobs = self.start_jobs(&shutdown);
        if let Some(listener) = listeners.operators {
            let answering = Box::pin(self.answer_operators(listener, shutdown.clone()));
            spawn(async move {
                if let Err(fault) = answering.await {
                    tracing::error!(%fault, "the operators' listener failed");
                }
            });
        }
        let (store, wakeups, together) = (self.store.clone(), self.wakeups.clone(), self.together.clone());
        tokio::select! {
            served = self.answer_calls(listeners.calls, shutdown.clone()) => served?,
            fault = first_to_fail(&mut jobs, shutdown) => return Err(fault),
        }
        for job in jobs.into_iter().filter(|job| !job.is_finished()) {
            // One that panicked has said so already.
            let _ = job.await;
        }
        wakeups.close().await;
        if let Some(together) = together {
            together.close().await;
        }
        store.close().await;
        Ok(())
    }

    /// Answers what operators call and probe, until `shutdown`.
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
            telemetry::set_feed(feed.followers(), feed.len(), feed.tide().borrow().looked.elapsed());
            telemetry::set_hasher_queue(hasher.queue_depth());
            metrics.as_ref().map_or_else(String::new, Metrics::render)
        };
        let probes = ops_router(self.ready.clone(), exposition);
        let tide = self.seal_events.tide.clone();
        let stopping = async move {
            shutdown.requested().await;
            // Those who watch would otherwise be calls under way that never end.
            tide.close();
        };
        let (calls, incoming, limits) = (self.operators.clone(), Incoming::new(listener, self.incoming), self.limits);
        let (health, ready) = (self.admin_health.clone(), self.ready.clone());
        async move {
            health.set_serving(ready.run().await).await;
            let served = Box::pin(grpc::serve(calls, probes, incoming, limits, stopping)).await;
            served.map_err(|error| StartFault::because("serving operators failed", error))
        }
    }

    /// Answers calls and does nothing else: mails stay in the outbox until [`Service::deliver_mail`] is run.
    ///
    /// # Errors
    /// When the listener fails.
    pub async fn answer_calls(self, listener: TcpListener, shutdown: Shutdown) -> Result<(), StartFault> {
        self.health.set_serving(self.ready.run().await).await;
        let incoming = Incoming::new(listener, self.incoming);
        let (mut stop, mut drained) = (shutdown.clone(), shutdown);
        let feed = self.follow_revocations.feed.clone();
        let stopping = async move {
            stop.requested().await;
            // Those who follow would otherwise be calls under way that never end.
            feed.close();
        };
        let pages = self.pages.merge(well_known_router(self.publish_keys));
        let served = Box::pin(grpc::serve(self.calls, pages, incoming, self.limits, stopping));
        let drain = self.drain;
        let too_long = async move {
            drained.requested().await;
            timeout(drain, std::future::pending::<()>()).await;
        };
        tokio::select! {
            served = served => served.map_err(|error| StartFault::because("serving failed", error)),
            () = too_long => {
                tracing::warn!("calls were still under way when draining had taken long enough");
                Ok(())
            }
        }
    }

    /// Starts what goes on beside the calls.
    fn start_jobs(&self, shutdown: &Shutdown) -> [JoinHandle<()>; 6] {
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
            spawn(jobs::seal_events(self.seal_events.clone(), self.wakeups.clone(), shutdown.clone())),
            spawn(jobs::rotate_keys(self.keys.clone(), self.wakeups.clone(), shutdown.clone())),
            spawn(jobs::watch_health(self.ready.clone(), report, shutdown.clone())),
        ]
    }
}

/// A job that ends before the service does has panicked. Answering calls without it would look like health: better to stop,
/// and be started again.
async fn first_to_fail(jobs: &mut [JoinHandle<()>], shutdown: Shutdown) -> StartFault {
    let (ended, ..) = select_all(jobs.iter_mut()).await;
    if shutdown.is_requested() {
        std::future::pending::<()>().await;
    }
    StartFault::because("a background job ended", ended.err().map_or_else(String::new, |error| error.to_string()))
}
