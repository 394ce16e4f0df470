//! The holder of a token: a session, its account and the account's roles, in one statement. Calls that are made at the
//! same time share it.

use crate::store::{
    Connection, Store, StoreFault,
    batch::{Batch, Columns, Found, Size, Texts, distribute},
    dialect::{statement, values},
    executor::Backend as _,
};
use countersign_domain::{
    account::Account,
    client::Country,
    email::EmailAddress,
    id::{AccountId, DeviceId, SessionId, TenantId},
    locale::Locale,
    secret::SecretText,
    session::{Reauthentication, Session, SessionExpiry},
    time::Timestamp,
    username::Username,
};
use sea_orm::{ConnectionTrait as _, Value};
use std::{collections::HashMap, convert::identity, sync::LazyLock};
use uuid::Uuid;

/// A session, its account, and the names of the account's roles in alphabetical order.
#[derive(Clone, Debug)]
pub struct Holder {
    pub session: Session,
    pub account: Account,
    pub roles: Vec<String>,
}

/// What names a session: its tenant and its id.
pub(in crate::store) type SessionName = (TenantId, SessionId);

/// The holder of a session, dead or alive.
///
/// # Errors
/// When the database does not answer.
pub async fn find_holder(store: &Store, tenant: TenantId, id: SessionId) -> Result<Option<Holder>, StoreFault> {
    store.holders.ask((tenant, id)).await
}

/// Of the statement, in traces.
const NAME: &str = "session.find_holder";

/// The batch behind [`find_holder`].
pub(in crate::store) fn holders(connection: Connection) -> Batch<SessionName, Holder> {
    Batch::new(NAME, move |names| {
        let connection = connection.clone();
        async move { find(&connection, &names).await }
    })
}

/// One holder for each name, where there is one.
pub(super) async fn find(connection: &Connection, names: &[SessionName]) -> Result<Found<Holder>, StoreFault> {
    let size = Size::of(names.len());
    let mut parameters: Vec<Value> = Vec::with_capacity(2 * size.rows());
    for (tenant, id) in names {
        parameters.extend([tenant.as_uuid().into(), id.as_uuid().into()]);
    }
    parameters.resize(2 * size.rows(), Option::<Uuid>::None.into());
    let db = &connection.named(NAME);
    let rows = db.query_all_raw(statement(db, size.text(&FIND), parameters)).await?;
    let mut found = HashMap::with_capacity(rows.len());
    for row in &rows {
        let mut columns = Columns::of(row);
        let (name, _) = name(&mut columns)?;
        found.insert(name, holder(&mut columns));
    }
    Ok(distribute(names, found))
}

static FIND: LazyLock<Texts> = LazyLock::new(|| {
    Size::each(|rows| {
        let (wanted, columns) = (values(rows, 2), columns());
        format!(
            "SELECT {columns} FROM (VALUES {wanted}) AS wanted \
             JOIN sessions AS s ON s.id = wanted.column2 AND s.tenant_id = wanted.column1 \
             JOIN accounts AS a ON a.id = s.account_id"
        )
    })
});

/// In the order in which [`name`] reads them.
pub(super) const NAMED: [&str; 3] = ["tenant_id", "id", "generation"];

/// In the order in which [`session`] reads them.
pub(super) const SESSION: [&str; 23] = [
    "id",
    "account_id",
    "audience",
    "generation",
    "device_name",
    "user_agent",
    "address",
    "methods",
    "created_at",
    "authenticated_at",
    "refreshed_at",
    "idle_expires_at",
    "absolute_expires_at",
    "ended_at",
    "device_id",
    "in_cookies",
    "on_remembered_device",
    "place",
    "void_generation",
    "seen_generation",
    "answered_unrecognized",
    "reauthenticated_generation",
    "reauthenticated_from",
];

/// In the order in which [`account`] reads them.
const ACCOUNT: [&str; 17] = [
    "id",
    "tenant_id",
    "email",
    "email_verified_at",
    "username",
    "username_normalised",
    "display_name",
    "locale",
    "password_hash",
    "password_version",
    "password_failures",
    "password_changed_at",
    "factors",
    "passkeys",
    "factor_failures",
    "disabled_at",
    "created_at",
];

/// The columns of a name and a holder, of `sessions AS s` and `accounts AS a`.
pub(super) fn columns() -> String {
    let named = NAMED.map(|column| format!("s.{column}")).join(", ");
    let session = SESSION.map(|column| format!("s.{column}")).join(", ");
    format!("{named}, {session}, {}", account_and_roles())
}

/// The columns of an account and its roles, of `accounts AS a`.
pub(in crate::store) fn account_and_roles() -> String {
    let account = ACCOUNT.map(|column| format!("a.{column}")).join(", ");
    format!(
        "{account}, (SELECT string_agg(r.name, ' ') FROM account_roles AS g JOIN roles AS r \
         ON r.id = g.role_id WHERE g.account_id = a.id)"
    )
}

/// Reads the columns of [`NAMED`]: what a row is about, and the live generation.
pub(super) fn name(columns: &mut Columns<'_>) -> Result<(SessionName, i64), StoreFault> {
    let (tenant, id) = (TenantId::from_uuid(columns.next()?), SessionId::from_uuid(columns.next()?));
    Ok(((tenant, id), columns.next()?))
}

/// Reads what [`columns`] selects behind the name.
pub(super) fn holder(columns: &mut Columns<'_>) -> Result<Holder, StoreFault> {
    let session = session(columns)?;
    let (account, roles) = read_account_and_roles(columns)?;
    Ok(Holder { session, account, roles })
}

/// Reads what [`account_and_roles`] selects.
pub(in crate::store) fn read_account_and_roles(
    columns: &mut Columns<'_>,
) -> Result<(Account, Vec<String>), StoreFault> {
    let account = account(columns)?;
    // The name of a role has no space in it.
    let roles: Option<String> = columns.perhaps(identity)?;
    let mut roles: Vec<_> = roles.iter().flat_map(|names| names.split(' ')).map(str::to_owned).collect();
    roles.sort_unstable();
    Ok((account, roles))
}

/// Reads the columns of [`SESSION`].
pub(super) fn session(columns: &mut Columns<'_>) -> Result<Session, StoreFault> {
    Ok(Session {
        id: SessionId::from_uuid(columns.next()?),
        account: AccountId::from_uuid(columns.next()?),
        audience: columns.next()?,
        generation: columns.next()?,
        device_name: columns.next()?,
        user_agent: columns.next()?,
        address: columns.next()?,
        methods: columns.next()?,
        created_at: columns.instant()?,
        authenticated_at: columns.instant()?,
        refreshed_at: columns.instant()?,
        expiry: SessionExpiry { idle: columns.instant()?, absolute: columns.instant()? },
        ended_at: columns.perhaps(Timestamp::from_micros)?,
        device: columns.perhaps(DeviceId::from_uuid)?,
        in_cookies: columns.next()?,
        on_remembered_device: columns.next()?,
        place: columns.perhaps(|place: String| Country::parse(&place))?.flatten(),
        void_generation: columns.perhaps(identity)?,
        seen_generation: columns.next()?,
        answered_unrecognized: columns.next()?,
        reauthentication: {
            let (generation, from) = (columns.perhaps(identity)?, columns.perhaps(identity)?);
            generation.zip(from).map(|(generation, from)| Reauthentication { generation, from })
        },
    })
}

/// Reads the columns of [`ACCOUNT`].
fn account(columns: &mut Columns<'_>) -> Result<Account, StoreFault> {
    let (id, tenant) = (AccountId::from_uuid(columns.next()?), TenantId::from_uuid(columns.next()?));
    let email: String = columns.next()?;
    Ok(Account {
        id,
        tenant,
        email: EmailAddress::parse_known(&email).map_err(|_| StoreFault::unreadable("address"))?,
        email_verified_at: columns.instant()?,
        username: {
            let (shown, normalised): (Option<String>, Option<String>) =
                (columns.perhaps(identity)?, columns.perhaps(identity)?);
            shown.zip(normalised).map(|(shown, normalised)| Username::from_stored(shown, normalised))
        },
        display_name: columns.next()?,
        locale: Locale::lookup(&columns.next::<String>()?).unwrap_or_default(),
        password_hash: columns.perhaps(SecretText::new)?,
        password_version: columns.next()?,
        password_failures: columns.next()?,
        password_changed_at: columns.instant()?,
        factors: columns.next()?,
        passkeys: columns.next()?,
        factor_failures: columns.next()?,
        disabled_at: columns.perhaps(Timestamp::from_micros)?,
        created_at: columns.instant()?,
    })
}
