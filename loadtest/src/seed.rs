//! Writes accounts into a database, because registering a million people over the API takes hours.

use crate::people::PASSWORD;
use countersign::{
    config::{self, Config},
    passwords::{Hasher, HasherSettings},
    runtime::{Clock, Entropy},
    store::{Store, account, audience},
    wiring::Adapters,
};
use countersign_domain::{
    account::{Account, Identifier},
    email::EmailAddress,
    id::{AccountId, TenantId},
    locale::Locale,
    password::Password,
    secret::SecretText,
    tenant::DEFAULT_TENANT,
};
use sea_orm::{ConnectionTrait, Database, DbBackend, Statement};
use std::{
    error::Error,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// Rows of a transaction. A commit costs as much as hundreds of rows, and a transaction of a million rows would hold
/// back whoever else uses the database.
const ROWS_PER_COMMIT: u32 = 1_000;
/// The audience that every tenant has.
const AUDIENCE: &str = "default";

/// What is written.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct Crowd {
    /// Accounts to write, spread evenly over the tenants.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=9_999_999))]
    pub(crate) accounts: u32,
    /// Tenants; the first is `default`, the others are `load-2`, `load-3` and so on.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) tenants: u32,
}

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Seed {
    #[command(flatten)]
    crowd: Crowd,
    #[command(flatten)]
    target: Target,
}

/// The database to write into.
#[derive(Clone, Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct Target {
    /// A PostgreSQL database.
    #[arg(long)]
    database_url: Option<String>,
    /// The data folder of a service on SQLite.
    #[arg(long)]
    data_dir: Option<PathBuf>,
}

/// What was written, and how long it took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seeded {
    pub(crate) crowd: Crowd,
    pub(crate) lasted: Duration,
}

impl Seeded {
    pub(crate) fn rows_per_second(&self) -> f64 {
        f64::from(self.crowd.accounts) / self.lasted.as_secs_f64()
    }
}

/// What the accounts have in common.
struct Template {
    tenants: Vec<TenantId>,
    password_hash: SecretText,
    clock: Clock,
    entropy: Entropy,
}

impl Template {
    fn account(&self, number: u32) -> Result<Account, Box<dyn Error>> {
        let now = self.clock.now();
        let email = EmailAddress::parse(&address(number)).map_err(|invalid| invalid.describe())?;
        Ok(Account {
            id: AccountId::new(now, self.entropy.bytes()),
            tenant: self.tenants[(number - 1) as usize % self.tenants.len()],
            email,
            email_verified_at: now,
            username: None,
            display_name: format!("Person {number}"),
            locale: Locale::default(),
            password_hash: Some(self.password_hash.clone()),
            password_version: 0,
            password_failures: 0,
            password_changed_at: now,
            factors: 0,
            passkeys: 0,
            factor_failures: 0,
            disabled_at: None,
            created_at: now,
        })
    }
}

/// The address of a person; they are numbered from 1.
pub(crate) fn address(number: u32) -> String {
    format!("person-{number:07}@load.example")
}

/// The name of a tenant; they are numbered from 1.
fn tenant_name(number: u32) -> String {
    if number == 1 { "default".to_owned() } else { format!("load-{number}") }
}

/// Seeds, and prints how long it took and how to log in.
pub(crate) async fn run(seed: Seed) -> Result<(), Box<dyn Error>> {
    // A service on PostgreSQL has a data folder as well; nothing of it is needed here.
    let elsewhere = tempfile::tempdir()?;
    let folder = seed.target.data_dir.as_deref().unwrap_or(elsewhere.path());
    let seeded = fill(&settings(folder, seed.target.database_url.as_deref())?, seed.crowd).await?;
    let Crowd { accounts, tenants } = seed.crowd;
    let seconds = seeded.lasted.as_secs_f64();
    println!("{accounts} accounts (tenants: {tenants}) in {seconds:.1} s: {:.0} rows/s", seeded.rows_per_second());
    println!("addresses: {} to {}", address(1), address(accounts));
    println!("password:  {PASSWORD}");
    Ok(())
}

/// The settings of a service with this data folder and this database.
pub(crate) fn settings(folder: &Path, database_url: Option<&str>) -> Result<Config, Box<dyn Error>> {
    let mut environment = vec![("COUNTERSIGN_DATA_DIR".to_owned(), folder.display().to_string())];
    environment.extend(database_url.map(|url| ("COUNTERSIGN_DATABASE_URL".to_owned(), url.to_owned())));
    Ok(config::load(None, environment)?.config)
}

/// Migrates the database, and writes a crowd that it does not have yet.
pub(crate) async fn fill(config: &Config, crowd: Crowd) -> Result<Seeded, Box<dyn Error>> {
    let store = Adapters::store(config).await?;
    store.migrate().await?;
    let first = Identifier::parse(&address(1)).map_err(|_| "no address")?;
    if account::find_by_identifier(&store.read(), DEFAULT_TENANT, &first).await?.is_some() {
        return Err("the database has the accounts of an earlier seed".into());
    }
    let (clock, entropy) = (Clock::system(), Entropy::system());
    let password_hash = hash(config, &entropy).await?;
    let tenants = open_tenants(config, &store, crowd.tenants).await?;
    let template = Template { tenants, password_hash, clock, entropy };
    let begun = Instant::now();
    let mut first = 1;
    while first <= crowd.accounts {
        let last = crowd.accounts.min(first + ROWS_PER_COMMIT - 1);
        let tx = store.begin().await?;
        for number in first..=last {
            let account = template.account(number)?;
            account::insert(&tx, account.tenant, &account).await?;
        }
        tx.commit().await?;
        first = last + 1;
    }
    let lasted = begun.elapsed();
    store.close().await;
    settle(config).await?;
    Ok(Seeded { crowd, lasted })
}

/// One hash with the parameters of the service for everybody: a hash for each would take hours.
async fn hash(config: &Config, entropy: &Entropy) -> Result<SecretText, Box<dyn Error>> {
    let password = Password::presented(&SecretText::new(PASSWORD.to_owned()), config.passwords.max_bytes);
    let password = password.ok_or("the settings do not allow the password of the accounts")?;
    let hash = hasher(config, entropy)?.rehash(&password).await.map_err(|refused| format!("no hash: {refused:?}"))?;
    Ok(SecretText::new(hash.as_str().to_owned()))
}

fn hasher(config: &Config, entropy: &Entropy) -> Result<Hasher, Box<dyn Error>> {
    let settings = HasherSettings {
        memory_kib: config.passwords.argon2_memory_kib,
        iterations: config.passwords.argon2_iterations,
        parallelism: config.passwords.argon2_parallelism,
        workers: 1,
        queue: 1,
    };
    Ok(Hasher::start(settings, entropy.clone())?)
}

/// Creates the tenants after the default one, each with an audience, so that the service makes keys for it at its next
/// start. The service has no command and no function for new tenants yet, so the row is written as SQL.
async fn open_tenants(config: &Config, store: &Store, count: u32) -> Result<Vec<TenantId>, Box<dyn Error>> {
    let mut tenants = vec![DEFAULT_TENANT];
    if count == 1 {
        return Ok(tenants);
    }
    let database = Database::connect(config.database_url.reveal()).await?;
    let sql = "INSERT INTO tenants (id, name, created_at) VALUES ($1, $2, $3)";
    let entropy = Entropy::system();
    for number in 2..=count {
        let now = Clock::system().now();
        let id = TenantId::new(now, entropy.bytes());
        let values = [id.as_uuid().into(), tenant_name(number).into(), now.as_micros().into()];
        database.execute_raw(Statement::from_sql_and_values(database.get_database_backend(), sql, values)).await?;
        audience::insert(&store.write(), id, AUDIENCE, now).await?;
        tenants.push(id);
    }
    database.close().await?;
    Ok(tenants)
}

/// Does what PostgreSQL does by itself a minute after such a load, so that it does not do so while calls are measured.
async fn settle(config: &Config) -> Result<(), Box<dyn Error>> {
    let url = config.database_url.reveal();
    if url.starts_with("sqlite:") {
        return Ok(());
    }
    let database = Database::connect(url).await?;
    if database.get_database_backend() == DbBackend::Postgres {
        database.execute_unprepared("VACUUM (ANALYZE) accounts").await?;
    }
    database.close().await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use countersign::{
        passwords::{PasswordHash, Verdict},
        store::tenant,
    };

    #[test]
    fn addresses_have_their_number_in_seven_digits() {
        assert_eq!(address(1), "person-0000001@load.example");
        assert_eq!(address(9_999_999), "person-9999999@load.example");
    }

    #[test]
    fn the_first_tenant_is_the_default_one() {
        assert_eq!([1, 2, 30].map(tenant_name), ["default", "load-2", "load-30"]);
    }

    #[tokio::test]
    async fn one_of_ten_thousand_accounts_logs_in_with_the_password_of_all() {
        let folder = tempfile::tempdir().expect("a folder");
        let config = settings(folder.path(), None).expect("settings");
        let seeded = Box::pin(fill(&config, Crowd { accounts: 10_000, tenants: 3 })).await.expect("seeded");
        assert_eq!(seeded.crowd.accounts, 10_000);

        let store = Adapters::existing_store(&config).await.expect("the database");
        let somebody = Identifier::parse(&address(9_998)).expect("an address");
        let load_2 = tenant::find_by_name(&store.read(), "load-2").await.expect("an answer").expect("the tenant");
        let found = account::find_by_identifier(&store.read(), load_2, &somebody).await.expect("an answer");
        let hash = found.expect("the account").password_hash.expect("a password");
        let hash = PasswordHash::from_stored(hash.reveal().to_owned()).expect("readable");
        let password = Password::presented(&SecretText::new(PASSWORD.to_owned()), 1024).expect("short enough");
        let hasher = hasher(&config, &Entropy::system()).expect("the hasher starts");
        assert_eq!(hasher.verify(password, &hash).await, Ok(Verdict::Right { outdated: false }));
        let elsewhere = account::find_by_identifier(&store.read(), DEFAULT_TENANT, &somebody).await;
        assert!(elsewhere.expect("an answer").is_none());
    }
}
