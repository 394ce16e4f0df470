use super::{KeyDesk, Means};
use crate::{
    config::{Config, Profile},
    grpc::{AccountDoor, Admit, DevMailboxDoor, Listener, SessionDoor, VerificationDoor},
    http::{AstrayLinks, BrowserRules, PageRules, pages_router},
    keys::EventKeys,
    telemetry::LineBudget,
    usecase::{
        Idempotency, UnitsOfWork,
        account::{
            ChangePassword, ConfirmEmailChange, DeleteMe, ExportMe, MailRequest, Me, OperateAccounts, PasswordDesk,
            Register, RequestEmailChange, RequestReset, ResendVerification, Reset, UpdateMe, Verify,
        },
        action::{Claim, Mint},
        gate::{Authenticate, FindTenant, PasswordGate, RecordDenial, SessionPasswordGate, Throttle},
        housekeeping::{CountHashCosts, Purge, Ready, Retention},
        key::{CountTokens, PublishKeys, TendKeys},
        mail::{DeliverMail, MailServerWatch, PrepareMail},
        revocation::{FollowRevocations, WatchRevocations},
        service::OperateServices,
        session::{EndSessions, IssueTokens, ListSessions, RecogniseSession, RevokeSessions},
        verification::{HandOutKeys, Introspect},
    },
};
use axum::Router;
use countersign_domain::{
    action::ActionLives, client_address::TrustedProxies, password::PasswordPolicy, session::SessionLives,
};
use std::{sync::Arc, time::Duration};

/// Hands every story what it needs.
pub(super) struct Stories<'a> {
    pub(super) means: &'a Means,
    pub(super) config: &'a Config,
}

impl Stories<'_> {
    pub(super) fn account_door(&self) -> AccountDoor {
        AccountDoor {
            register: Register {
                work: self.work(),
                policy: self.config.accounts.registration.clone(),
                ring: self.means.ring.clone(),
                passwords: self.password_desk(),
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
                passwords: self.password_desk(),
                idempotency: self.idempotency(),
                lookout: self.lookout(),
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
            passwords: self.password_desk(),
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

    pub(super) fn session_door(&self) -> SessionDoor {
        let Means { store, world, .. } = self.means;
        SessionDoor {
            list: ListSessions { store: store.clone(), clock: world.clock.clone() },
            revoke: RevokeSessions { work: self.work(), denial: self.denial() },
        }
    }

    pub(super) fn verification_door(&self, follow: &FollowRevocations) -> VerificationDoor {
        let Means { store, ring, news, world, .. } = self.means;
        VerificationDoor {
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
            store: self.means.store.clone(),
            feed: self.means.feed.clone(),
            clock: self.means.world.clock.clone(),
            reload: self.means.reload.clone(),
            looking: Arc::default(),
        }
    }

    pub(super) fn operate_services(&self) -> OperateServices {
        OperateServices { work: self.work(), audiences: self.key_desk().create_audience }
    }

    pub(super) fn end_sessions(&self) -> EndSessions {
        EndSessions { work: self.work() }
    }

    /// Only with the `dev` profile, only while mail goes to files, and only where nobody but this machine can ask: whoever
    /// reads the mails can take over every account.
    pub(super) fn dev_mailbox_door(&self) -> Option<DevMailboxDoor> {
        let is_private = self.config.profile == Profile::Dev && self.config.listen.ip().is_loopback();
        let mailbox = self.means.mailbox.clone().filter(|_| is_private)?;
        Some(DevMailboxDoor { mailbox })
    }

    pub(super) fn admit(&self, listener: Listener) -> Admit {
        Admit {
            listener,
            find_tenant: FindTenant { store: self.means.store.clone() },
            authenticate: self.authenticate(),
            recognise: self.recognise(),
            throttle: self.throttle(),
            entropy: self.means.world.entropy.clone(),
            proxies: TrustedProxies::new(self.config.server.trusted_proxies.clone()),
            refusals: self.means.refusals.clone(),
            denial: self.denial(),
            wrong_tokens: Arc::new(LineBudget::new(1, Duration::from_mins(1))),
            development: self.config.profile == Profile::Dev,
        }
    }

    fn denial(&self) -> Arc<RecordDenial> {
        Arc::new(RecordDenial { work: self.work(), throttle: self.throttle() })
    }

    pub(super) fn deliver_mail(&self) -> DeliverMail {
        let Means { store, ring, world, renderer, composer, transport, .. } = self.means;
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
        let (store, clock) = (self.means.store.clone(), self.means.world.clock.clone());
        Purge { store, forget_events: self.forget_events(), retention, clock }
    }

    pub(super) fn tend_keys(&self) -> TendKeys {
        let Means { store, ring, reload, .. } = self.means;
        TendKeys {
            count: CountTokens { store: store.clone(), ring: ring.clone() },
            rotate: self.key_desk().rotate,
            reload: reload.clone(),
        }
    }

    pub(super) fn key_desk(&self) -> KeyDesk {
        KeyDesk::new(&self.work(), &self.means.smith)
    }

    pub(super) fn publish_keys(&self) -> PublishKeys {
        PublishKeys { ring: self.means.ring.clone() }
    }

    pub(super) fn operate_accounts(&self) -> OperateAccounts {
        OperateAccounts { work: self.work() }
    }

    pub(super) fn ready(&self) -> Ready {
        Ready { store: self.means.store.clone(), clock: self.means.world.clock.clone() }
    }

    pub(super) fn work(&self) -> UnitsOfWork {
        let Means { store, ring, world, .. } = self.means;
        UnitsOfWork {
            store: store.clone(),
            keys: EventKeys::Ring(ring.clone()),
            clock: world.clock.clone(),
            entropy: world.entropy.clone(),
        }
    }

    fn idempotency(&self) -> Idempotency {
        Idempotency { store: self.means.store.clone(), ring: self.means.ring.clone() }
    }

    pub(super) fn throttle(&self) -> Throttle {
        let Means { limiter, own_limiter, ring, .. } = self.means;
        Throttle { shared: limiter.clone(), own: own_limiter.clone(), ring: ring.clone() }
    }

    pub(super) fn me(&self) -> Me {
        Me { store: self.means.store.clone() }
    }

    fn mail_request(&self) -> MailRequest {
        MailRequest {
            work: self.work(),
            idempotency: self.idempotency(),
            throttle: self.throttle(),
            captcha: self.captcha_gate(),
        }
    }

    fn password_desk(&self) -> PasswordDesk {
        let passwords = &self.config.passwords;
        PasswordDesk {
            work: self.work(),
            policy: PasswordPolicy { min_chars: passwords.min_length, max_bytes: passwords.max_bytes },
            remembered: passwords.history,
            breaches: self.means.breaches.clone(),
            hasher: self.means.hasher.clone(),
            guesses: self.guess_gate(),
            throttle: self.throttle(),
        }
    }

    pub(super) fn password_gate(&self) -> PasswordGate {
        PasswordGate {
            hasher: self.means.hasher.clone(),
            costs_of_nobody: self.means.costs_of_nobody.clone(),
            max_bytes: self.config.passwords.max_bytes,
        }
    }

    /// It has counted once, where that is a matter of a moment.
    pub(super) async fn count_hash_costs(&self) -> CountHashCosts {
        let count = CountHashCosts { store: self.means.store.clone(), costs: self.means.costs_of_nobody.clone() };
        count.run_at_start().await;
        count
    }

    fn session_password_gate(&self) -> SessionPasswordGate {
        SessionPasswordGate { work: self.work(), gate: self.password_gate() }
    }

    fn claim(&self) -> Claim {
        Claim {
            work: self.work(),
            ring: self.means.ring.clone(),
            news: self.means.news.clone(),
            throttle: self.throttle(),
            code_tries: self.action_lives().code_tries,
        }
    }

    pub(super) fn authenticate(&self) -> Authenticate {
        let Means { store, ring, news, world, .. } = self.means;
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
        RecogniseSession { ring: self.means.ring.clone(), news: self.means.news.clone() }
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
        PageRules { mailbox: self.dev_mailbox_door().is_some(), https, captcha }
    }

    /// What browsers are served by.
    pub(super) fn browser_rules(&self) -> BrowserRules {
        BrowserRules { origins: self.config.browser.allowed_origins.clone(), clock: self.means.world.clock.clone() }
    }

    pub(super) fn issue_tokens(&self) -> IssueTokens {
        IssueTokens {
            ring: self.means.ring.clone(),
            issuer: self.config.keys.issuer.clone(),
            lives: self.session_lives(),
            entropy: self.means.world.entropy.clone(),
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
