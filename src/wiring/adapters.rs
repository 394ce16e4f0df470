use super::StartFault;
use crate::{
    cache::{Feed, FirstUses, FollowerSlots, Limiter, Lockout, SharedRedis, WakeUps},
    captcha::Captcha,
    config::{Config, LimitStore, Profile},
    countries::Countries,
    keys::{
        FileAccess, KekFault, KeyEncryptionKey, KeyEncryptionKeys, KeyRing, OperatorToken, load_kek,
        load_or_create_kek, load_or_create_operator_token,
    },
    mail::{Composer, ComposerSettings, DkimSigner, FileTransport, Mailbox, Renderer, SmtpTransport, Transport},
    passkeys::{Passkeys, RelyingParty},
    passwords::{Hasher, HasherSettings},
    runtime::{Clock, Entropy},
    store::{DatabaseSettings, Interference, SignalListener, Store},
    telemetry::RefusalLog,
    usecase::{
        audit::{AuditLogWatchers, UpgradeAuditLog},
        gate::{BreachGate, DecoyHashCosts},
        key::{KeyMaker, KeyUpdates, PrepareKeys, ReloadKeys},
    },
};
use countersign_domain::{key::KeySchedule, signal::Signal};
use std::{
    fs,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};

/// The environment of a process: the clock, random bytes, and faults of the database. Tests provide their own.
#[derive(Clone, Debug)]
pub struct World {
    pub clock: Clock,
    pub entropy: Entropy,
    pub interference: Interference,
}

impl World {
    /// The environment of a real process.
    pub fn real() -> Self {
        Self { clock: Clock::system(), entropy: Entropy::system(), interference: Interference::default() }
    }
}

/// The adapters of a service, ready for use.
#[derive(Debug)]
pub struct Adapters {
    pub(super) world: World,
    pub(super) store: Store,
    pub(super) ring: Arc<KeyRing>,
    pub(super) key_maker: KeyMaker,
    pub(super) reload: ReloadKeys,
    pub(super) key_updates: KeyUpdates,
    pub(super) hasher: Hasher,
    pub(super) decoy_costs: DecoyHashCosts,
    pub(super) wakeups: WakeUps,
    /// Counts the calls to all replicas, if they share a Redis.
    pub(super) limiter: Limiter,
    /// Counts the calls to this process.
    pub(super) own_limiter: Limiter,
    /// The Redis in which all replicas count.
    pub(super) shared_redis: Option<SharedRedis>,
    pub(super) lockout: Lockout,
    pub(super) countries: Countries,
    /// `None` when no provider is configured.
    pub(super) captcha: Option<Captcha>,
    /// Checks nothing when no list is configured.
    pub(super) breaches: BreachGate,
    pub(super) feed: Feed,
    pub(super) first_uses: FirstUses,
    pub(super) audit_watchers: AuditLogWatchers,
    pub(super) refusals: RefusalLog,
    /// `None` where the service has no domain name.
    pub(super) passkeys: Option<Passkeys>,
    /// `None`: nobody is an operator.
    pub(super) operator_token: Option<OperatorToken>,
    pub(super) renderer: Arc<Renderer>,
    pub(super) composer: Arc<Composer>,
    pub(super) transport: Arc<Transport>,
    /// The folder of mails, when mails are written to files.
    pub(super) mailbox: Option<Mailbox>,
}

impl Adapters {
    /// Opens the database, migrates it, prepares the keys and starts the hasher.
    ///
    /// # Errors
    /// With what is missing.
    pub async fn start(config: &Config, world: World) -> Result<Self, StartFault> {
        create_private_dir(&config.data_dir)?;
        let wakeups = match &config.redis_url {
            Some(url) => WakeUps::redis(url).await.map_err(|fault| StartFault::because("redis_url", fault))?,
            None => WakeUps::local(),
        };
        let feed = feed(config);
        let listener = listener(wakeups.clone(), feed.clone());
        let store = Self::open_store(config, true, (world.interference.clone(), listener)).await?;
        let migrated = store.migrate().await;
        migrated.map_err(|fault| StartFault::because("the schema cannot be migrated", fault))?;
        let key_maker =
            Self::key_maker(config, &world, |dir| load_or_create_kek(dir, file_access(config), &world.entropy))?;
        let keys = PrepareKeys { store: store.clone(), key_maker: key_maker.clone() };
        let ring = keys.prepare(&config.keys.issuer).await;
        let ring = Arc::new(ring.map_err(|failure| StartFault::because("the keys are not ready", failure))?);
        upgrade_audit_log(&store, &ring, &world).await?;
        let reload =
            ReloadKeys { store: store.clone(), key_maker: key_maker.clone(), ring: ring.clone(), turn: Arc::default() };
        let hasher = hasher(config, &world)?;
        let own_limiter = Limiter::local(world.clock.clone(), config.limits.sizes.clone());
        let shared_redis = shared_redis(config).await?;
        let (limiter, lockout) = counters(config, &world.clock, (&own_limiter, shared_redis.as_ref()));
        let (captcha, breaches) = super::outbound::adapters(config)?;
        let (countries, renderer) = (countries(config)?, renderer(config)?);
        Ok(Self {
            key_updates: KeyUpdates::new(reload.clone(), world.clock.clone()),
            operator_token: operator_token(config, &world)?,
            audit_watchers: AuditLogWatchers::default(),
            first_uses: FirstUses::default(),
            decoy_costs: DecoyHashCosts::new(ring.clone(), hasher.current_cost()),
            refusals: RefusalLog::default(),
            world,
            store,
            ring,
            key_maker,
            reload,
            hasher,
            wakeups,
            limiter,
            own_limiter,
            shared_redis,
            lockout,
            countries,
            captcha,
            breaches,
            passkeys: passkeys(config)?,
            feed,
            renderer: Arc::new(renderer),
            composer: Arc::new(composer(config)?),
            transport: Arc::new(transport(config)?),
            mailbox: config.smtp_url.is_none().then(|| Mailbox::new(&mail_dir(config))),
        })
    }

    /// Only the database, created if it does not exist. The schema is not changed.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub async fn store(config: &Config) -> Result<Store, StartFault> {
        create_private_dir(&config.data_dir)?;
        Self::open_store(config, true, Default::default()).await
    }

    /// Only the database, for commands that need an existing one.
    ///
    /// # Errors
    /// When it cannot be opened or does not exist.
    pub async fn existing_store(config: &Config) -> Result<Store, StartFault> {
        let opened = Self::open_store(config, false, Default::default()).await;
        opened.map_err(|fault| {
            StartFault::because(&fault.to_string(), "run `countersign migrate` to create a missing database")
        })
    }

    /// Creates and opens keys, for commands: they use the existing key-encryption key and create none.
    ///
    /// # Errors
    /// When there is no key-encryption key, or it is invalid.
    pub fn existing_key_maker(config: &Config, world: &World) -> Result<KeyMaker, StartFault> {
        Self::key_maker(config, world, |dir| load_kek(dir, file_access(config)))
    }

    fn key_maker(
        config: &Config,
        world: &World,
        beside: impl FnOnce(&Path) -> Result<KeyEncryptionKey, KekFault>,
    ) -> Result<KeyMaker, StartFault> {
        let present = match &config.keys.kek {
            Some(bytes) => KeyEncryptionKey::new(*bytes.reveal()),
            None => beside(&config.data_dir).map_err(|fault| StartFault::because("keys.kek", fault))?,
        };
        let previous = config.keys.previous_kek.as_ref().map(|bytes| KeyEncryptionKey::new(*bytes.reveal()));
        Ok(KeyMaker {
            keks: KeyEncryptionKeys::new(present, previous),
            schedule: KeySchedule {
                signing_rotation: config.keys.signing_rotation,
                encryption_rotation: config.keys.encryption_rotation,
                session_life: config.sessions.absolute_ttl,
            },
            clock: world.clock.clone(),
            entropy: world.entropy.clone(),
        })
    }

    async fn open_store(
        config: &Config,
        create: bool,
        (interference, listener): (Interference, SignalListener),
    ) -> Result<Store, StartFault> {
        let settings = DatabaseSettings {
            url: config.database_url.clone(),
            max_connections: config.database.max_connections,
            acquire_timeout: config.database.acquire_timeout,
            create,
            interference,
            listener,
        };
        Store::connect(&settings).await.map_err(|fault| StartFault::because("database_url", fault))
    }
}

fn feed(config: &Config) -> Feed {
    let followed = &config.verification;
    Feed::new(FollowerSlots::new(followed.max_followers, followed.max_followers_per_service))
}

async fn upgrade_audit_log(store: &Store, ring: &KeyRing, world: &World) -> Result<(), StartFault> {
    let upgrade = UpgradeAuditLog { store: store.clone(), keys: ring.chain(), clock: world.clock.clone() };
    upgrade.upgrade().await.map_err(|fault| StartFault::because("the audit log is not ready", fault))
}

/// The Redis in which all replicas count, if they share one.
async fn shared_redis(config: &Config) -> Result<Option<SharedRedis>, StartFault> {
    match (config.limits.store, &config.redis_url) {
        (LimitStore::Redis, Some(url)) => {
            let shared_redis = SharedRedis::connect(url).await;
            Ok(Some(shared_redis.map_err(|fault| StartFault::because("redis_url", fault))?))
        }
        _ => Ok(None),
    }
}

/// What counts calls and wrong passwords: for all replicas together where there is a Redis to share.
fn counters(config: &Config, clock: &Clock, (own, shared): (&Limiter, Option<&SharedRedis>)) -> (Limiter, Lockout) {
    let rule = config.lockout.rule;
    match shared {
        Some(redis) => (
            Limiter::shared(redis.clone(), clock.clone(), config.limits.sizes.clone()),
            Lockout::shared(redis.clone(), clock.clone(), rule),
        ),
        None => (own.clone(), Lockout::local(clock.clone(), rule)),
    }
}

/// The folder to which mails are written.
pub(super) fn mail_dir(config: &Config) -> PathBuf {
    config.data_dir.join("mail")
}

fn create_private_dir(dir: &PathBuf) -> Result<(), StartFault> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .map_err(|error| StartFault::because("data_dir", format!("{}: {error}", dir.display())))
}

/// What this process does at once when it has committed something.
fn listener(wakeups: WakeUps, feed: Feed) -> SignalListener {
    SignalListener::new(move |signal| {
        if signal == Signal::Revoked {
            feed.note_growth();
        }
        wakeups.ring(signal);
    })
}

/// The operators' token. Only a development machine generates one.
fn operator_token(config: &Config, world: &World) -> Result<Option<OperatorToken>, StartFault> {
    if let Some(token) = &config.admin.token {
        return Ok(Some(OperatorToken::new(token)));
    }
    if config.admin_listen.is_none() {
        return Ok(None);
    }
    if config.profile == Profile::Production {
        tracing::warn!("admin.token is not set: every call of AuditService is refused");
        return Ok(None);
    }
    let made = load_or_create_operator_token(&config.data_dir, file_access(config), &world.entropy);
    made.map(Some).map_err(|fault| StartFault::because("admin.token", fault))
}

/// Who may read the files of secrets in the data folder.
pub(super) fn file_access(config: &Config) -> FileAccess {
    if config.allow_group_access { FileAccess::OwnGroups } else { FileAccess::OwnerAlone }
}

fn hasher(config: &Config, world: &World) -> Result<Hasher, StartFault> {
    let passwords = &config.passwords;
    let settings = HasherSettings {
        memory_kib: passwords.argon2_memory_kib,
        iterations: passwords.argon2_iterations,
        parallelism: passwords.argon2_parallelism,
        workers: passwords.workers,
        queue: passwords.queue,
    };
    let hasher = Hasher::start(settings, world.entropy.clone());
    hasher.map_err(|fault| StartFault::because("the password hasher cannot start", fault))
}

fn passkeys(config: &Config) -> Result<Option<Passkeys>, StartFault> {
    let Some(id) = &config.passkeys.rp_id else { return Ok(None) };
    let other_origins = config.passkeys.other_origins(&config.browser.allowed_origins);
    let party =
        RelyingParty { id, name: config.mail.product(), origin: &config.public_url, other_origins: &other_origins };
    Passkeys::new(party).map(Some).map_err(|fault| StartFault::because("passkeys.rp_id", fault))
}

fn countries(config: &Config) -> Result<Countries, StartFault> {
    let countries = config.risk.geoip_database.as_deref().map_or_else(|| Ok(Countries::default()), Countries::open);
    countries.map_err(|fault| StartFault::because("risk.geoip_database", fault))
}

fn renderer(config: &Config) -> Result<Renderer, StartFault> {
    let renderer = Renderer::new(config.mail.templates_dir.as_deref());
    renderer.map_err(|fault| StartFault::because("mail.templates_dir", fault))
}

pub(super) fn composer(config: &Config) -> Result<Composer, StartFault> {
    let mail = &config.mail;
    let dkim = match &mail.dkim {
        Some(dkim) => Some(
            DkimSigner::new(&dkim.domain, &dkim.selector, &dkim.key)
                .map_err(|fault| StartFault::because("mail.dkim_key", fault))?,
        ),
        None => None,
    };
    Composer::new(ComposerSettings {
        from_name: mail.from.name.clone().unwrap_or_default(),
        from: mail.from.address.clone(),
        reply_to: mail.reply_to.as_ref().map(|mailbox| mailbox.address.clone()),
        dkim,
        message_id_domain: mail.from.domain().to_owned(),
    })
    .map_err(|fault| StartFault::because("mail.from", fault))
}

pub(super) fn transport(config: &Config) -> Result<Transport, StartFault> {
    if let Some(smtp) = smtp(config)? {
        return Ok(Transport::Smtp(smtp));
    }
    let files = FileTransport::new(&mail_dir(config));
    files.map(Transport::Files).map_err(|error| StartFault::because("the mail folder", error))
}

/// The transport to the mail server, if one is configured. It connects only when it is used.
pub(super) fn smtp(config: &Config) -> Result<Option<SmtpTransport>, StartFault> {
    let Some(url) = &config.smtp_url else { return Ok(None) };
    let host = config.public_url.host_str().unwrap_or("localhost");
    let helo = config.mail.helo_name.as_deref().unwrap_or(host);
    let smtp = SmtpTransport::new(url, helo, config.mail.timeout);
    smtp.map(Some).map_err(|fault| StartFault::because("smtp_url", fault))
}
