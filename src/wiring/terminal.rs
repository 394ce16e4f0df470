use super::{
    Adapters, KeyOperations, RecordedOperations, StartFault, StoreOperations, World, adapters, audit::audit_log,
};
use crate::{
    config::Config,
    keys::{ChainKeys, EventKeys, HeldKey},
    mail::Mailbox,
    store::Store,
    usecase::{
        UnitsOfWork,
        audit::{RestartAuditLog, VerifyAuditLog},
        key::KeyMaker,
        mail::MailStatus,
    },
};
use std::sync::Arc;

/// The environment of a command: an existing database of this release. Keys are opened only for commands that need
/// them.
#[derive(Debug)]
pub struct Terminal<'a> {
    config: &'a Config,
    world: World,
    store: Store,
}

/// The mails that were written to files, which need no database.
pub fn mailbox(config: &Config) -> Mailbox {
    Mailbox::new(&adapters::mail_dir(config))
}

impl<'a> Terminal<'a> {
    /// Opens the database. A command never changes the schema, and refuses a database of another release.
    ///
    /// # Errors
    /// When the database cannot be opened, or its schema is not of this release.
    pub async fn open(config: &'a Config) -> Result<Self, StartFault> {
        let store = Adapters::existing_store(config).await?;
        match store.pending_migrations().await {
            Ok(0) => Ok(Self { config, world: World::real(), store }),
            Ok(_) => Err(StartFault::because("the database is older than this release", "run `countersign migrate`")),
            Err(fault) => Err(StartFault::because("database_url", fault)),
        }
    }

    /// Operations that need only the database.
    pub fn store_operations(&self) -> StoreOperations {
        StoreOperations::new(&self.store, &self.world.clock)
    }

    /// Operations that are recorded in the audit log. If the key of events cannot be opened, an operation fails when it
    /// records an event.
    pub async fn recorded_operations(&self) -> RecordedOperations {
        RecordedOperations::new(&self.work(event_keys(self.chain_keys().await)))
    }

    /// Operations that create or open keys.
    ///
    /// # Errors
    /// When the key-encryption key does not open the existing keys: with another one, a command would add keys that no
    /// running service can open.
    pub async fn key_operations(&self) -> Result<KeyOperations, StartFault> {
        let (key_maker, held) = self.held_keys("the keys were not changed").await?;
        Ok(KeyOperations::new(&self.work(event_keys(chain_of(&held))), &key_maker))
    }

    /// # Errors
    /// When the settings of mail are invalid.
    pub fn mail_status(&self) -> Result<MailStatus, StartFault> {
        let (composer, transport) = (adapters::composer(self.config)?, adapters::transport(self.config)?);
        Ok(MailStatus { store: self.store.clone(), composer, transport })
    }

    /// # Errors
    /// When the key that seals the audit log cannot be opened.
    pub async fn verify_audit(&self) -> Result<VerifyAuditLog, StartFault> {
        let keys = self.chain_keys().await?;
        Ok(VerifyAuditLog { store: self.store.clone(), keys, clock: self.world.clock.clone() })
    }

    /// # Errors
    /// As [`Terminal::verify_audit`].
    pub async fn restart_audit(&self) -> Result<RestartAuditLog, StartFault> {
        let keys = self.chain_keys().await?;
        let work = self.work(EventKeys::Opened(keys.clone()));
        Ok(RestartAuditLog { work, keys, log: audit_log(self.config) })
    }

    fn work(&self, keys: EventKeys) -> UnitsOfWork {
        let World { clock, entropy, .. } = &self.world;
        UnitsOfWork { store: self.store.clone(), keys, clock: clock.clone(), entropy: entropy.clone() }
    }

    async fn chain_keys(&self) -> Result<Arc<ChainKeys>, StartFault> {
        let (_, held) = self.held_keys(AUDIT_KEYS).await?;
        chain_of(&held)
    }

    async fn held_keys(&self, what: &str) -> Result<(KeyMaker, Vec<HeldKey>), StartFault> {
        let key_maker = Adapters::existing_key_maker(self.config, &self.world)?;
        let opened = key_maker.open_all(&self.store.read()).await;
        let held = opened.map_err(|failure| StartFault::because(what, failure))?;
        Ok((key_maker, held))
    }
}

const AUDIT_KEYS: &str = "the keys of the audit log";

fn chain_of(held: &[HeldKey]) -> Result<Arc<ChainKeys>, StartFault> {
    let keys = ChainKeys::of(held).map_err(|fault| StartFault::because(AUDIT_KEYS, fault))?;
    Ok(Arc::new(keys))
}

fn event_keys(opened: Result<Arc<ChainKeys>, StartFault>) -> EventKeys {
    match opened {
        Ok(keys) => EventKeys::Opened(keys),
        Err(fault) => EventKeys::Missing(fault.to_string().into()),
    }
}
