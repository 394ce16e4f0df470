use super::{Adapters, KeyOperations, RecordedOperations, StoreOperations};
use crate::{
    config::{Config, Profile},
    grpc::{Authorize, Listener, Services, SessionHandler, VerificationHandler},
    keys::{EventKeys, KeyRing},
    runtime::{Clock, Entropy},
    store::Store,
    telemetry::LineBudget,
    usecase::{
        Idempotency, UnitsOfWork,
        action::Claim,
        gate::{
            Authenticate, FindHolder, FindTenant, OwnerGate, PasswordGate, RecordDenial, SessionPasswordGate,
            SessionTries, Throttle,
        },
        key::{KeyUpdates, PublishKeys},
        revocation::{FollowRevocations, WatchRevocations},
        session::{IssueTokens, ListSessions, RecogniseSession, RevokeSessions},
        verification::{HandOutKeys, Introspect},
    },
};
use countersign_domain::{action::ActionLives, client_address::TrustedProxies, session::SessionLives};
use std::{sync::Arc, time::Duration};

/// Builds every use case of a service. The use cases that commands need as well are built in `operations.rs`.
pub(super) struct UseCases<'a> {
    pub(super) adapters: &'a Adapters,
    pub(super) config: &'a Config,
    work: UnitsOfWork,
    throttle: Throttle,
    denial: Arc<RecordDenial>,
}

impl<'a> UseCases<'a> {
    pub(super) fn new(adapters: &'a Adapters, config: &'a Config) -> Self {
        let Adapters { store, ring, world, limiter, own_limiter, .. } = adapters;
        let work = UnitsOfWork {
            store: store.clone(),
            keys: EventKeys::Ring(ring.clone()),
            clock: world.clock.clone(),
            entropy: world.entropy.clone(),
        };
        let throttle = Throttle { shared: limiter.clone(), own: own_limiter.clone(), ring: ring.clone() };
        let denial = Arc::new(RecordDenial { work: work.clone(), throttle: throttle.clone() });
        Self { adapters, config, work, throttle, denial }
    }
}

/// The parts that several use cases share.
impl UseCases<'_> {
    pub(super) fn work(&self) -> UnitsOfWork {
        self.work.clone()
    }

    pub(super) fn throttle(&self) -> Throttle {
        self.throttle.clone()
    }

    fn denial(&self) -> Arc<RecordDenial> {
        self.denial.clone()
    }

    pub(super) fn store(&self) -> Store {
        self.adapters.store.clone()
    }

    pub(super) fn clock(&self) -> Clock {
        self.adapters.world.clock.clone()
    }

    pub(super) fn entropy(&self) -> Entropy {
        self.adapters.world.entropy.clone()
    }

    pub(super) fn ring(&self) -> Arc<KeyRing> {
        self.adapters.ring.clone()
    }

    pub(super) fn key_updates(&self) -> KeyUpdates {
        self.adapters.key_updates.clone()
    }

    pub(super) fn idempotency(&self) -> Idempotency {
        Idempotency { store: self.store(), ring: self.ring() }
    }

    pub(super) fn claim(&self) -> Claim {
        Claim {
            work: self.work(),
            ring: self.ring(),
            key_updates: self.key_updates(),
            throttle: self.throttle(),
            code_tries: self.action_lives().code_tries,
        }
    }

    pub(super) fn issue_tokens(&self) -> IssueTokens {
        IssueTokens {
            ring: self.ring(),
            issuer: self.config.keys.issuer.clone(),
            lives: self.session_lives(),
            entropy: self.entropy(),
        }
    }

    pub(super) fn session_lives(&self) -> SessionLives {
        let sessions = &self.config.sessions;
        SessionLives {
            access: sessions.access_ttl,
            idle: sessions.idle_ttl,
            absolute: sessions.absolute_ttl,
            refresh_grace: sessions.refresh_grace,
        }
    }

    pub(super) fn action_lives(&self) -> ActionLives {
        let links = &self.config.links;
        ActionLives {
            verify: links.verify_ttl,
            reset: links.reset_ttl,
            email_change: links.email_change_ttl,
            code: links.code_ttl,
            code_tries: u16::try_from(links.code_tries).unwrap_or(u16::MAX),
        }
    }
}

/// The checks before use cases.
impl UseCases<'_> {
    pub(super) fn authorize(&self, listener: Listener) -> Authorize {
        Authorize {
            listener,
            find_tenant: FindTenant { store: self.store() },
            authenticate: self.authenticate(),
            recognise: self.recognise(),
            throttle: self.throttle(),
            entropy: self.entropy(),
            proxies: TrustedProxies::new(self.config.server.trusted_proxies.clone()),
            refusals: self.adapters.refusals.clone(),
            denial: self.denial(),
            wrong_tokens: Arc::new(LineBudget::new(1, Duration::from_mins(1))),
            development: self.config.profile == Profile::Dev,
        }
    }

    fn find_holder(&self) -> FindHolder {
        FindHolder { store: self.store(), feed: self.adapters.feed.clone() }
    }

    pub(super) fn authenticate(&self) -> Authenticate {
        Authenticate {
            find_holder: self.find_holder(),
            ring: self.ring(),
            key_updates: self.key_updates(),
            watch_use: self.watch_use(),
            denial: self.denial(),
            clock: self.clock(),
        }
    }

    pub(super) fn recognise(&self) -> RecogniseSession {
        RecogniseSession { ring: self.ring(), key_updates: self.key_updates() }
    }

    pub(super) fn password_gate(&self) -> PasswordGate {
        PasswordGate {
            hasher: self.adapters.hasher.clone(),
            decoy_costs: self.adapters.decoy_costs.clone(),
            max_bytes: self.config.passwords.max_bytes,
        }
    }

    pub(super) fn session_tries(&self) -> SessionTries {
        SessionTries { work: self.work() }
    }

    pub(super) fn owner_gate(&self) -> OwnerGate {
        OwnerGate { password: self.session_password_gate("current_password"), clock: self.clock() }
    }

    /// `field` is the field of the request with the password.
    pub(super) fn session_password_gate(&self, field: &'static str) -> SessionPasswordGate {
        SessionPasswordGate { tries: self.session_tries(), gate: self.password_gate(), field }
    }
}

impl UseCases<'_> {
    pub(super) fn services(&self, follow: &FollowRevocations) -> Services {
        Services {
            account: self.account_handler(),
            auth: self.auth_handler(),
            factor: self.factor_handler(),
            session: self.session_handler(),
            verification: self.verification_handler(follow),
            dev_mailbox: self.dev_mailbox_handler(),
            reflection: self.config.server.reflection,
        }
    }

    fn session_handler(&self) -> SessionHandler {
        SessionHandler {
            list: ListSessions { store: self.store(), clock: self.clock() },
            revoke: RevokeSessions { work: self.work(), denial: self.denial() },
        }
    }

    fn verification_handler(&self, follow: &FollowRevocations) -> VerificationHandler {
        VerificationHandler {
            watch: WatchRevocations {
                follow: follow.clone(),
                clock: self.clock(),
                heartbeat: self.config.verification.heartbeat,
                longest: self.config.server.max_connection_age,
            },
            hand_out_keys: HandOutKeys {
                issuer: self.config.keys.issuer.clone(),
                ring: self.ring(),
                key_updates: self.key_updates(),
            },
            introspect: Introspect {
                find_holder: self.find_holder(),
                ring: self.ring(),
                throttle: self.throttle(),
                watch_use: self.watch_use(),
                key_updates: self.key_updates(),
                clock: self.clock(),
            },
        }
    }

    pub(super) fn publish_keys(&self) -> PublishKeys {
        PublishKeys { ring: self.ring() }
    }

    pub(super) fn store_operations(&self) -> StoreOperations {
        StoreOperations::new(&self.work.store, &self.work.clock)
    }

    pub(super) fn recorded_operations(&self) -> RecordedOperations {
        RecordedOperations::new(&self.work)
    }

    pub(super) fn key_operations(&self) -> KeyOperations {
        KeyOperations::new(&self.work, &self.adapters.key_maker)
    }
}
