use super::{App, AppOptions, Cluster};
use std::fmt;

/// The database of an app.
#[derive(Clone, Debug)]
pub(crate) enum Database {
    Sqlite,
    Postgres { url: String },
}

impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sqlite => "SQLite",
            Self::Postgres { .. } => "PostgreSQL",
        })
    }
}

/// Runs a test on SQLite and then on PostgreSQL, each time with a new service.
pub(crate) fn on_each_database(test: impl AsyncFn(&mut App)) {
    on_each_database_with(AppOptions::default(), test);
}

/// The same, with other settings.
pub(crate) fn on_each_database_with(options: AppOptions, test: impl AsyncFn(&mut App)) {
    on(&Database::Sqlite, &options, &test);
    if let Some(cluster) = Cluster::shared() {
        let url = cluster.create_database();
        on(&Database::Postgres { url: url.clone() }, &options, &test);
        // Hundreds of them would fill a small disk.
        cluster.drop_database(&url);
    }
}

/// Runs a test on SQLite alone, because what it tests is decided without SQL: in a layer, in a limiter, by a client.
pub(crate) fn on_sqlite(test: impl AsyncFn(&mut App)) {
    on_sqlite_with(AppOptions::default(), test);
}

/// The same, with other settings.
pub(crate) fn on_sqlite_with(options: AppOptions, test: impl AsyncFn(&mut App)) {
    on(&Database::Sqlite, &options, &test);
}

/// Runs a test on a database, with a new service.
pub(crate) fn on(database: &Database, options: &AppOptions, test: &impl AsyncFn(&mut App)) {
    eprintln!("on {database}:");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut app = Box::pin(App::start(database, options)).await;
        Box::pin(test(&mut app)).await;
        Box::pin(app.close()).await;
    });
}
