//! A database of the previous release, and the first start of this release on it.

use super::{App, Replica};
use countersign_migrations::{Migrator, MigratorTrait};

impl App {
    /// Restores the schema from before events had codes, and starts this release on it: the codes of all events are
    /// lost, and so are the columns that this release added to the heads.
    pub(crate) async fn upgrade_from_a_release_without_codes(&self) {
        let is_there = async || {
            let applied = Migrator::get_applied_migrations(&self.database).await.unwrap();
            applied.iter().any(|migration| migration.name().ends_with("event_codes"))
        };
        while is_there().await {
            Migrator::down(&self.database, Some(1)).await.unwrap();
        }
        Migrator::up(&self.database, None).await.unwrap();
        self.start_again().await;
    }

    /// Starts once more on the same database.
    pub(crate) async fn start_again(&self) {
        Replica::start(&self.database_url, &self.data_dir, 7).await.close().await;
    }
}
