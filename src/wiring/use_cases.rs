use super::{Adapters, KeyOperations, RecordedOperations, StoreOperations};
use crate::{
    config::{Config, Profile},
    grpc::{AccountHandler, Admit, DevMailboxHandler, Listener, SessionHandler, VerificationHandler},
    http::{AstrayLinks, BrowserRules, PageRules, pages_router},
    keys::EventKeys,
    telemetry::LineBudget,
    usecase::{
        Idempotency, UnitsOfWork,
        account::{
            ChangePassword, ConfirmEmailChange, DeleteMe, ExportMe, MailRequest, Me, PasswordSetter, Register,
            RequestEmailChange, RequestReset, ResendVerification, Reset, UpdateMe, Verify,
        },
        action::{Claim, Mint},
        gate::{Authenticate, FindTenant, PasswordGate, RecordDenial, SessionPasswordGate, Throttle},
        housekeeping::{CountHashCosts, Purge, Ready, Retention},
        key::{CountTokens, PublishKeys, TendKeys},
        mail::{DeliverMail, MailServerWatch, PrepareMail},
        revocation::{FollowRevocations, WatchRevocations},
        session::{IssueTokens, ListSessions, RecogniseSession, RevokeSessions},
        verification::{HandOutKeys, Introspect},
    },
};
use axum::Router;
use countersign_domain::{
    action::ActionLives, client_address::TrustedProxies, password::PasswordPolicy, session::SessionLives,
};
use std::{sync::Arc, time::Duration};

/// Hands every use case what it needs.
pub(super) struct UseCases<'a> {
    pub(super) adapters: &'a Adapters,
    pub(super) config: &'a Config,
}

impl UseCases<'_> {
    pub(super) fn account_handler(&self) -> AccountHandler {
        AccountHandler {
            register: Register {
                work: self.work(),
                policy: self.config.accounts.registration.clone(),
                ring: self.adapters.ring.clone(),
                passwords: self.password_setter(),
                idempotency: self.idempotency(),
                throttle: self.throttle(),
                captcha: self.captcha_gate(),
            },
            verify: Verify {
                work: self.work(),
                policy: self.config.accounts.registration.clone(),
                claim: self.claim(),
                idempotency: self.idempotency(),
            },
            resend_verification: ResendVerification(self.mail_request()),
            request_reset: RequestReset(self.mail_request()),
            reset: Reset {
                work: self.work(),
                claim: self.claim(),
                passwords: self.password_setter(),
                idempotency: self.idempotency(),
                device_recognition: self.device_recognition(),
            },
            me: self.me(),
            update_me: self.update_me(),
            change_password: self.change_password(),
            request_email_change: self.request_email_change(),
            confirm_email_change: ConfirmEmailChange {
                work: self.work(),
                claim: self.claim(),
                idempotency: self.idempotency(),
            },
            export_me: ExportMe { work: self.work(), me: self.me() },
            delete_me: DeleteMe { work: self.work(), proof: self.session_password_gate() },
        }
    }

    fn update_me(&self) -> UpdateMe {
        UpdateMe {
            work: self.work(),
            proof: self.session_password_gate(),
            throttle: self.throttle(),
            username_reserved: self.config.accounts.username_reserved,
        }
    }

    fn change_password(&self) -> ChangePassword {
        ChangePassword {
            work: self.work(),
            proof: self.session_password_gate(),
            passwords: self.password_setter(),
            idempotency: self.idempotency(),
            throttle: self.throttle(),
        }
    }

    fn request_email_change(&self) -> RequestEmailChange {
        RequestEmailChange {
            work: self.work(),
            policy: self.config.accounts.registration.clone(),
            proof: self.session_password_gate(),
            idempotency: self.idempotency(),
            throttle: self.throttle(),
        }
    }

    pub(super) fn session_handler(&self) -> SessionHandler {
        let Adapters { store, world, .. } = self.adapters;
        SessionHandler {
            list: ListSessions { store: store.clone(), clock: world.clock.clone() },
            revoke: RevokeSessions { work: self.work(), denial: self.denial() },
        }
    }

    pub(super) fn verification_handler(&self, follow: &FollowRevocations) -> VerificationHandler {
        let Adapters { store, ring, news, world, .. } = self.adapters;
        VerificationHandler {
            watch: WatchRevocations {
                follow: follow.clone(),
                clock: world.clock.clone(),
                heartbeat: self.config.verification.heartbeat,
                longest: self.config.server.max_connection_age,
            },
            hand_out_keys: HandOutKeys {
                issuer: self.config.keys.issuer.clone(),
                ring: ring.clone(),
                news: news.clone(),
            },
            introspect: Introspect {
                store: store.clone(),
                ring: ring.clone(),
                throttle: self.throttle(),
                watch_use: self.watch_use(),
                news: news.clone(),
                clock: world.clock.clone(),
            },
        }
    }

    pub(super) fn follow_revocations(&self) -> FollowRevocations {
        FollowRevocations {
            store: self.adapters.store.clone(),
            feed: self.adapters.feed.clone(),
            clock: self.adapters.world.clock.clone(),
            reload: self.adapters.reload.clone(),
            looking: Arc::default(),
        }
    }

    /// Only with the `dev` profile, only while mail goes to files, and only where nobody but this machine can ask: whoever
    /// reads the mails can take over every account.
    pub(super) fn dev_mailbox_handler(&self) -> Option<DevMailboxHandler> {
        let is_private = self.config.profile == Profile::Dev && self.config.listen.ip().is_loopback();
        let mailbox = self.adapters.mailbox.clone().filter(|_| is_private)?;
        Some(DevMailboxHandler { mailbox })
    }

    pub(super) fn admit(&self, listener: Listener) -> Admit {
        Admit {
            listener,
            find_tenant: FindTenant { store: self.adapters.store.clone() },
            authenticate: self.authenticate(),
            recognise: self.recognise(),
            throttle: self.throttle(),
            entropy: self.adapters.world.entropy.clone(),
            proxies: TrustedProxies::new(self.config.server.trusted_proxies.clone()),
            refusals: self.adapters.refusals.clone(),
            denial: self.denial(),
            wrong_tokens: Arc::new(LineBudget::new(1, Duration::from_mins(1))),
            development: self.config.profile == Profile::Dev,
        }
    }

    fn denial(&self) -> Arc<RecordDenial> {
        Arc::new(RecordDenial { work: self.work(), throttle: self.throttle() })
    }

    pub(super) fn deliver_mail(&self) -> DeliverMail {
        let Adapters { store, ring, world, renderer, composer, transport, .. } = self.adapters;
        let mint = Mint {
            store: store.clone(),
            ring: ring.clone(),
            lives: self.action_lives(),
            entropy: world.entropy.clone(),
        };
        DeliverMail {
            store: store.clone(),
            prepare: PrepareMail {
                store: store.clone(),
                mint,
                clock: world.clock.clone(),
                pages_url: self.config.links.base_url.as_ref().unwrap_or(&self.config.public_url).to_string(),
                product: self.config.mail.product().to_owned(),
            },
            renderer: renderer.clone(),
            composer: composer.clone(),
            transport: transport.clone(),
            watch: MailServerWatch::default(),
            clock: world.clock.clone(),
            entropy: world.entropy.clone(),
            max_attempts: self.config.mail.max_attempts,
            timeout: self.config.mail.timeout,
        }
    }

    pub(super) fn purge(&self) -> Purge {
        let retention = Retention {
            unverified: self.config.accounts.unverified_retention,
            dead_mails: self.config.mail.dead_retention,
            audit: self.config.audit.retention,
        };
        let (store, clock) = (self.adapters.store.clone(), self.adapters.world.clock.clone());
        Purge { store, forget_events: self.forget_events(), retention, clock }
    }

    pub(super) fn tend_keys(&self) -> TendKeys {
        let Adapters { store, ring, reload, .. } = self.adapters;
        TendKeys {
            count: CountTokens { store: store.clone(), ring: ring.clone() },
            rotate: self.key_operations().rotate,
            reload: reload.clone(),
        }
    }

    pub(super) fn store_operations(&self) -> StoreOperations {
        StoreOperations::new(&self.adapters.store, &self.adapters.world.clock)
    }

    pub(super) fn recorded_operations(&self) -> RecordedOperations {
        RecordedOperations::new(&self.work())
    }

    pub(super) fn key_operations(&self) -> KeyOperations {
        KeyOperations::new(&self.work(), &self.adapters.smith)
    }

    pub(super) fn publish_keys(&self) -> PublishKeys {
        PublishKeys { ring: self.adapters.ring.clone() }
    }

    pub(super) fn ready(&self) -> Ready {
        Ready { store: self.adapters.store.clone(), clock: self.adapters.world.clock.clone() }
    }

    pub(super) fn work(&self) -> UnitsOfWork {
        let Adapters { store, ring, world, .. } = self.adapters;
        UnitsOfWork {
            store: store.clone(),
            keys: EventKeys::Ring(ring.clone()),
            clock: world.clock.clone(),
            entropy: world.entropy.clone(),
        }
    }

    fn idempotency(&self) -> Idempotency {
        Idempotency { store: self.adapters.store.clone(), ring: self.adapters.ring.clone() }
    }

    pub(super) fn throttle(&self) -> Throttle {
        let Adapters { limiter, own_limiter, ring, .. } = self.adapters;
        Throttle { shared: limiter.clone(), own: own_limiter.clone(), ring: ring.clone() }
    }

    pub(super) fn me(&self) -> Me {
        Me { store: self.adapters.store.clone() }
    }

    fn mail_request(&self) -> MailRequest {
        MailRequest {
            work: self.work(),
            idempotency: self.idempotency(),
            throttle: self.throttle(),
            captcha: self.captcha_gate(),
        }
    }

    fn password_setter(&self) -> PasswordSetter {
        let passwords = &self.config.passwords;
        PasswordSetter {
            work: self.work(),
            policy: PasswordPolicy { min_chars: passwords.min_length, max_bytes: passwords.max_bytes },
            remembered: passwords.history,
            breaches: self.adapters.breaches.clone(),
            hasher: self.adapters.hasher.clone(),
            attempts: self.attempt_limiter(),
            throttle: self.throttle(),
        }
    }

    pub(super) fn password_gate(&self) -> PasswordGate {
        PasswordGate {
            hasher: self.adapters.hasher.clone(),
            costs_of_nobody: self.adapters.costs_of_nobody.clone(),
            max_bytes: self.config.passwords.max_bytes,
        }
    }

    /// It has counted once, where that is a matter of a moment.
    pub(super) async fn count_hash_costs(&self) -> CountHashCosts {
        let count = CountHashCosts { store: self.adapters.store.clone(), costs: self.adapters.costs_of_nobody.clone() };
        count.run_at_start().await;
        count
    }

    fn session_password_gate(&self) -> SessionPasswordGate {
        SessionPasswordGate { work: self.work(), gate: self.password_gate() }
    }

    fn claim(&self) -> Claim {
        Claim {
            work: self.work(),
            ring: self.adapters.ring.clone(),
            news: self.adapters.news.clone(),
            throttle: self.throttle(),
            code_tries: self.action_lives().code_tries,
        }
    }

    pub(super) fn authenticate(&self) -> Authenticate {
        let Adapters { store, ring, news, world, .. } = self.adapters;
        Authenticate {
            store: store.clone(),
            ring: ring.clone(),
            news: news.clone(),
            watch_use: self.watch_use(),
            denial: self.denial(),
            clock: world.clock.clone(),
        }
    }

    pub(super) fn recognise(&self) -> RecogniseSession {
        RecogniseSession { ring: self.adapters.ring.clone(), news: self.adapters.news.clone() }
    }

    /// The pages, unless the operator has their own.
    pub(super) fn pages(&self) -> Router {
        if self.config.browser.pages { pages_router(self.page_rules()) } else { Router::new() }
    }

    pub(super) fn astray_links(&self) -> Option<AstrayLinks> {
        self.config.browser.pages.then(|| AstrayLinks::new(self.page_rules()))
    }

    fn page_rules(&self) -> PageRules {
        let https = self.config.public_url.scheme() == "https";
        let captcha = self.config.captcha.as_ref().map(|captcha| captcha.provider);
        PageRules { mailbox: self.dev_mailbox_handler().is_some(), https, captcha }
    }

    /// What browsers are served by.
    pub(super) fn browser_rules(&self) -> BrowserRules {
        BrowserRules { origins: self.config.browser.allowed_origins.clone(), clock: self.adapters.world.clock.clone() }
    }

    pub(super) fn issue_tokens(&self) -> IssueTokens {
        IssueTokens {
            ring: self.adapters.ring.clone(),
            issuer: self.config.keys.issuer.clone(),
            lives: self.session_lives(),
            entropy: self.adapters.world.entropy.clone(),
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

    fn action_lives(&self) -> ActionLives {
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
