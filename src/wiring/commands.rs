use super::{Adapters, KeyOperations, StartFault, World, adapters, trail::audit_log};
use crate::{
    config::Config,
    keys::{ChainKeys, EventKeys, HeldKey},
    mail::Mailbox,
    store::Store,
    usecase::{
        UnitsOfWork,
        account::{CreateAccount, OperateAccounts},
        audience::ListAudiences,
        audit::{ReadAudit, RestartTrail, VerifyTrail},
        key::ListKeys,
        mail::{MailStatus, OperateOutbox},
        role::OperateRoles,
        service::OperateServices,
        session::EndSessions,
    },
};
use std::sync::Arc;

/// The mails that were written to files.
pub fn mailbox(config: &Config) -> Mailbox {
    Mailbox::new(&adapters::mail_dir(config))
}

/// # Errors
/// When the database cannot be opened, or its schema is not of this release.
pub async fn operate_outbox(config: &Config) -> Result<OperateOutbox, StartFault> {
    Ok(OperateOutbox { store: current_store(config).await?, clock: World::real().clock })
}

/// # Errors
/// As [`operate_outbox`], and when the settings of mail cannot be used.
pub async fn mail_status(config: &Config) -> Result<MailStatus, StartFault> {
    let (composer, transport) = (adapters::composer(config)?, adapters::transport(config)?);
    Ok(MailStatus { store: current_store(config).await?, composer, transport })
}

/// # Errors
/// When the database cannot be opened, or its schema is not of this release.
pub async fn operate_accounts(config: &Config) -> Result<OperateAccounts, StartFault> {
    Ok(OperateAccounts { work: work(config).await? })
}

/// # Errors
/// When the database cannot be opened, or its schema is not of this release.
pub async fn create_account(config: &Config) -> Result<CreateAccount, StartFault> {
    Ok(CreateAccount { work: work(config).await? })
}

/// # Errors
/// When the database cannot be opened, or its schema is not of this release.
pub async fn operate_roles(config: &Config) -> Result<OperateRoles, StartFault> {
    Ok(OperateRoles { work: work(config).await? })
}

/// # Errors
/// As [`operate_keys`]: a new service may bring a new audience, which has keys.
pub async fn operate_services(config: &Config) -> Result<OperateServices, StartFault> {
    let audiences = operate_keys(config).await?.create_audience;
    Ok(OperateServices { work: audiences.work.clone(), audiences })
}

/// # Errors
/// When the database cannot be opened, or its schema is not of this release.
pub async fn end_sessions(config: &Config) -> Result<EndSessions, StartFault> {
    Ok(EndSessions { work: work(config).await? })
}

/// # Errors
/// When the database cannot be opened, or its schema is not of this release.
pub async fn read_audit(config: &Config) -> Result<ReadAudit, StartFault> {
    Ok(ReadAudit { store: current_store(config).await? })
}

/// # Errors
/// As [`operate_keys`]: the trail is verified with a key.
pub async fn verify_audit(config: &Config) -> Result<VerifyTrail, StartFault> {
    let (store, keys) = chain_keys(config).await?;
    Ok(VerifyTrail { store, keys, clock: World::real().clock })
}

/// # Errors
/// As [`operate_keys`].
pub async fn restart_audit(config: &Config) -> Result<RestartTrail, StartFault> {
    let (store, keys) = chain_keys(config).await?;
    let work = work_on(store, EventKeys::Opened(keys.clone()));
    Ok(RestartTrail { work, keys, log: audit_log(config) })
}

/// What a command does. Whoever only looks needs no keys for the codes of events, so their absence is told when something is done.
async fn work(config: &Config) -> Result<UnitsOfWork, StartFault> {
    let store = current_store(config).await?;
    let keys = event_keys(opened_chain(config, &store).await);
    Ok(work_on(store, keys))
}

fn work_on(store: Store, keys: EventKeys) -> UnitsOfWork {
    let World { clock, entropy, .. } = World::real();
    UnitsOfWork { store, keys, clock, entropy }
}

fn event_keys(opened: Result<Arc<ChainKeys>, StartFault>) -> EventKeys {
    match opened {
        Ok(keys) => EventKeys::Opened(keys),
        Err(fault) => EventKeys::Missing(fault.to_string().into()),
    }
}

async fn chain_keys(config: &Config) -> Result<(Store, Arc<ChainKeys>), StartFault> {
    let store = current_store(config).await?;
    let keys = opened_chain(config, &store).await?;
    Ok((store, keys))
}

async fn opened_chain(config: &Config, store: &Store) -> Result<Arc<ChainKeys>, StartFault> {
    let smith = Adapters::existing_keysmith(config, &World::real())?;
    let held = smith.open_all(&store.read()).await;
    let held = held.map_err(|failure| StartFault::because("the keys of the audit trail", failure))?;
    chain_of(&held)
}

fn chain_of(held: &[HeldKey]) -> Result<Arc<ChainKeys>, StartFault> {
    let keys = ChainKeys::of(held).map_err(|fault| StartFault::because("the keys of the audit trail", fault))?;
    Ok(Arc::new(keys))
}

/// # Errors
/// When the database cannot be opened, or its schema is not of this release.
pub async fn list_keys(config: &Config) -> Result<ListKeys, StartFault> {
    Ok(ListKeys { store: current_store(config).await? })
}

/// # Errors
/// When the database cannot be opened, or its schema is not of this release.
pub async fn list_audiences(config: &Config) -> Result<ListAudiences, StartFault> {
    Ok(ListAudiences { store: current_store(config).await? })
}

/// # Errors
/// When the database cannot be opened, its schema is not of this release, or the key-encryption key does not open the keys
/// that are there: with another one, a command would add keys that no running service can open.
pub async fn operate_keys(config: &Config) -> Result<KeyOperations, StartFault> {
    let store = current_store(config).await?;
    let smith = Adapters::existing_keysmith(config, &World::real())?;
    let opened = smith.open_all(&store.read()).await;
    let held = opened.map_err(|failure| StartFault::because("the keys are not touched", failure))?;
    Ok(KeyOperations::new(&work_on(store, event_keys(chain_of(&held))), &smith))
}

/// A command changes no schema: with another release's, it would be guessing.
async fn current_store(config: &Config) -> Result<Store, StartFault> {
    let store = Adapters::existing_store(config).await?;
    match store.pending_migrations().await {
        Ok(0) => Ok(store),
        Ok(_) => Err(StartFault::because("the database is older than this release", "run `countersign migrate`")),
        Err(fault) => Err(StartFault::because("database_url", fault)),
    }
}
