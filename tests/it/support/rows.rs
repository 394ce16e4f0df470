use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, FromQueryResult, JsonValue, Statement, TryGetable,
};

/// Reads and changes the database of a service without the service.
pub(crate) struct Rows(DatabaseConnection);

impl Rows {
    pub(crate) async fn of(url: &str) -> Self {
        let mut options = ConnectOptions::new(url);
        options.max_connections(1).sqlx_logging(false);
        Self(Database::connect(options).await.unwrap())
    }

    pub(crate) async fn number(&self, sql: &str) -> i64 {
        self.cell(sql).await
    }

    /// The rows of a result, each as JSON.
    pub(crate) async fn all(&self, sql: &str) -> Vec<JsonValue> {
        let statement = Statement::from_string(self.0.get_database_backend(), sql);
        JsonValue::find_by_statement(statement).all(&self.0).await.unwrap()
    }

    pub(crate) async fn execute(&self, sql: &str) {
        self.0.execute_unprepared(sql).await.unwrap();
    }

    async fn cell<T: TryGetable>(&self, sql: &str) -> T {
        let statement = Statement::from_string(self.0.get_database_backend(), sql);
        self.0.query_one_raw(statement).await.unwrap().unwrap().try_get_by_index(0).unwrap()
    }
}

/// Another writer of an SQLite file: nobody else can write as long as it exists.
pub(crate) struct Lock(Rows);

impl Lock {
    pub(crate) async fn on(url: &str) -> Self {
        let rows = Rows::of(url).await;
        rows.execute("BEGIN IMMEDIATE").await;
        Self(rows)
    }

    pub(crate) async fn release(self) {
        self.0.execute("ROLLBACK").await;
    }
}
