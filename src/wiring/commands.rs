use super::{Means, StartFault, World, means::mail_dir};
use crate::{
    config::Config,
    mail::Mailbox,
    store::Store,
    usecase::{Journal, account::OperateAccounts, audit::ReadAudit, mail::OperateOutbox},
};

/// The mails that were written to files.
pub fn mailbox(config: &Config) -> Mailbox {
    Mailbox::new(&mail_dir(config))
}

/// # Errors
/// When the database cannot be opened, or its schema is not of this release.
pub async fn operate_outbox(config: &Config) -> Result<OperateOutbox, StartFault> {
    Ok(OperateOutbox { store: current_store(config).await?, clock: World::real().clock })
}

/// # Errors
/// When the database cannot be opened, or its schema is not of this release.
pub async fn operate_accounts(config: &Config) -> Result<OperateAccounts, StartFault> {
    let store = current_store(config).await?;
    let World { clock, entropy } = World::real();
    let journal = Journal { store: store.clone(), clock: clock.clone(), entropy };
    Ok(OperateAccounts { store, journal, clock })
}

/// # Errors
/// When the database cannot be opened, or its schema is not of this release.
pub async fn read_audit(config: &Config) -> Result<ReadAudit, StartFault> {
    Ok(ReadAudit { store: current_store(config).await? })
}

/// A command changes no schema: with another release's, it would be guessing.
async fn current_store(config: &Config) -> Result<Store, StartFault> {
    let store = Means::existing_store(config).await?;
    match store.pending_migrations().await {
        Ok(0) => Ok(store),
        Ok(_) => Err(StartFault::because("the database is older than this release", "run `countersign migrate`")),
        Err(fault) => Err(StartFault::because("database_url", fault)),
    }
}
