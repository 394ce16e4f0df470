//! The service account that a token names. Calls that are made at the same time share the statement.

use crate::store::{
    Connection, Store, StoreFault,
    batch::{Batch, Columns, Found, Size, Texts, distribute},
    dialect::{statement, values},
    executor::Backend as _,
};
use countersign_domain::{
    id::{ServiceId, ServiceSecretId, TenantId},
    service::{Access, Service},
    time::Timestamp,
};
use sea_orm::{ConnectionTrait as _, QueryResult, Value};
use std::{collections::HashMap, sync::LazyLock};
use uuid::Uuid;

/// What a token of a service account names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ServiceName {
    pub tenant: TenantId,
    pub service: ServiceId,
    pub secret: ServiceSecretId,
    pub issued_at: Timestamp,
}

/// The service of a live secret, unless the service is disabled, or the service or its tenant was revoked after the
/// token was issued (`iat`): tokens that backends refuse by themselves are refused here, too.
///
/// # Errors
/// When the database does not answer.
pub async fn find_live(store: &Store, name: ServiceName) -> Result<Option<Service>, StoreFault> {
    store.services.ask(name).await
}

/// Of the statement, in traces.
const NAME: &str = "service.find_live";

/// The batch behind [`find_live`].
pub(in crate::store) fn live_services(connection: Connection) -> Batch<ServiceName, Service> {
    Batch::new(NAME, move |names| {
        let connection = connection.clone();
        async move { find_all(&connection, &names).await }
    })
}

async fn find_all(connection: &Connection, names: &[ServiceName]) -> Result<Found<Service>, StoreFault> {
    let size = Size::of(names.len());
    let mut parameters: Vec<Value> = Vec::with_capacity(WANTED * size.rows());
    for ServiceName { tenant, service, secret, issued_at } in names {
        parameters.extend::<[Value; WANTED]>([
            tenant.as_uuid().into(),
            service.as_uuid().into(),
            secret.as_uuid().into(),
            issued_at.as_micros().into(),
            tenant.to_string().into(),
            service.to_string().into(),
        ]);
    }
    let nothing: [Value; WANTED] = {
        let (id, text) = (Value::from(Option::<Uuid>::None), Value::from(Option::<String>::None));
        [id.clone(), id.clone(), id, Option::<i64>::None.into(), text.clone(), text]
    };
    for _ in names.len()..size.rows() {
        parameters.extend(nothing.clone());
    }
    let db = &connection.named(NAME);
    let rows = db.query_all_raw(statement(db, size.text(&FIND), parameters)).await?;
    let found = rows.iter().map(read).collect::<Result<HashMap<_, _>, _>>()?;
    Ok(distribute(names, found))
}

/// Parameters of one name: tenant, service, secret, the time of issue; tenant and service as text.
const WANTED: usize = 6;

/// The kinds are written exactly as in the partial index, so that the databases use it.
static FIND: LazyLock<Texts> = LazyLock::new(|| {
    Size::each(|rows| {
        let wanted = values(rows, WANTED);
        format!(
            "SELECT v.tenant_id, v.id, x.id, wanted.column4, v.name, v.created_at, v.disabled_at, \
             (SELECT string_agg(g.audience || ' ' || g.access, ' ') FROM service_audiences AS g \
             WHERE g.service_id = v.id) \
             FROM (VALUES {wanted}) AS wanted \
             JOIN service_secrets AS x ON x.id = wanted.column3 AND x.service_id = wanted.column2 \
             AND x.tenant_id = wanted.column1 AND x.retired_at IS NULL \
             JOIN services AS v ON v.id = x.service_id AND v.disabled_at IS NULL \
             WHERE NOT EXISTS (SELECT 1 FROM revocations AS r WHERE r.tenant_id = wanted.column1 \
             AND r.target IN (wanted.column5, wanted.column6) AND kind IN ('subject', 'tenant') \
             AND r.since >= wanted.column4)"
        )
    })
});

/// Reads what a row is about, and the service.
fn read(row: &QueryResult) -> Result<(ServiceName, Result<Service, StoreFault>), StoreFault> {
    let mut columns = Columns::of(row);
    let name = ServiceName {
        tenant: TenantId::from_uuid(columns.next()?),
        service: ServiceId::from_uuid(columns.next()?),
        secret: ServiceSecretId::from_uuid(columns.next()?),
        issued_at: columns.instant()?,
    };
    Ok((name, service(name, &mut columns)))
}

fn service(name: ServiceName, columns: &mut Columns<'_>) -> Result<Service, StoreFault> {
    Ok(Service {
        id: name.service,
        tenant: name.tenant,
        name: columns.next()?,
        created_at: columns.instant()?,
        disabled_at: columns.perhaps(Timestamp::from_micros)?,
        audiences: audiences(&columns.next::<Option<String>>()?.unwrap_or_default())?,
    })
}

/// Reads names of audiences, which have no space in them, and what the service does there.
fn audiences(text: &str) -> Result<Vec<(String, Access)>, StoreFault> {
    let mut words = text.split_whitespace();
    let mut audiences = Vec::new();
    while let Some(audience) = words.next() {
        let access = words.next().and_then(Access::from_name);
        audiences.push((audience.to_owned(), access.ok_or_else(|| StoreFault::unreadable("access of a service"))?));
    }
    audiences.sort_unstable_by(|(left, _), (right, _)| left.cmp(right));
    Ok(audiences)
}
