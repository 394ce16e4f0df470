//! Every query of a tenant's table begins at [`in_tenant`], or, in jobs that serve all tenants, at [`of_every_tenant`].
//! So a query cannot omit the tenant of its table by mistake. A table that is joined brings its own: it is reached by a
//! foreign key.

use super::entity::{
    account, account_role, action, audience, audit_bare_tenant, audit_event, audit_head, backup_code, challenge,
    device, expected_device, factor, key, outbox, past_password, registration, remembered_device, request_id,
    reserved_username, revocation, role, service, service_audience, service_secret, session, used_ceremony,
    username_skeleton,
};
use countersign_domain::id::TenantId;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, DeleteMany, EntityTrait, Insert, InsertMany, Iterable as _, PrimaryKeyTrait,
    QueryFilter, Select, UpdateMany,
    sea_query::{Expr, ExprTrait as _, InsertStatement, IntoColumnRef, Query, SelectStatement},
};
use uuid::Uuid;

/// A table whose rows belong to one tenant each.
pub(super) trait TenantTable: EntityTrait {
    const TENANT: Self::Column;
}

macro_rules! tenant_tables {
    ($($table:ident),+ $(,)?) => {
        $(impl TenantTable for $table::Entity {
            const TENANT: Self::Column = $table::Column::TenantId;
        })+
    };
}

tenant_tables![
    account,
    account_role,
    action,
    audience,
    audit_bare_tenant,
    audit_event,
    audit_head,
    backup_code,
    challenge,
    device,
    expected_device,
    factor,
    key,
    outbox,
    past_password,
    registration,
    remembered_device,
    request_id,
    reserved_username,
    revocation,
    role,
    service,
    service_audience,
    service_secret,
    session,
    used_ceremony,
    username_skeleton,
];

/// The rows of one tenant.
#[derive(Clone, Copy, Debug)]
pub(super) struct InTenant(Uuid);

/// The rows of every tenant.
#[derive(Clone, Copy, Debug)]
pub(super) struct OfEveryTenant;

/// Begins a query of one tenant's rows.
pub(super) fn in_tenant(tenant: TenantId) -> InTenant {
    InTenant(tenant.as_uuid())
}

/// Begins a query of all tenants' rows: for jobs, for operators, and for lookups before the tenant is known.
pub(super) fn of_every_tenant() -> OfEveryTenant {
    OfEveryTenant
}

impl InTenant {
    pub(super) fn find<E: TenantTable>(self, _: E) -> Select<E> {
        E::find().filter(E::TENANT.eq(self.0))
    }

    pub(super) fn find_by_id<E: TenantTable>(
        self,
        _: E,
        id: impl Into<<E::PrimaryKey as PrimaryKeyTrait>::ValueType>,
    ) -> Select<E> {
        E::find_by_id(id).filter(E::TENANT.eq(self.0))
    }

    /// A subquery: the caller adds the columns and the other conditions.
    pub(super) fn select<E: TenantTable>(self, table: E) -> SelectStatement {
        Query::select().from(table).and_where(Expr::col((table, E::TENANT)).eq(self.0)).to_owned()
    }

    /// The different rows of a subquery that [`InTenant::select`] began.
    pub(super) fn distinct(
        self,
        columns: impl IntoIterator<Item = impl IntoColumnRef>,
        rows: SelectStatement,
    ) -> SelectStatement {
        Query::select().distinct().columns(columns).from_subquery(rows, "rows").to_owned()
    }

    pub(super) fn update<E: TenantTable>(self, _: E) -> UpdateMany<E> {
        E::update_many().filter(E::TENANT.eq(self.0))
    }

    pub(super) fn delete<E: TenantTable>(self, _: E) -> DeleteMany<E> {
        E::delete_many().filter(E::TENANT.eq(self.0))
    }

    /// Inserts the row with this tenant, whatever tenant the row has.
    pub(super) fn insert<A>(self, row: A) -> Insert<A>
    where
        A: ActiveModelTrait,
        A::Entity: TenantTable,
    {
        A::Entity::insert(self.own(row))
    }

    /// Inserts the row once for each row of `source`, which selects nothing yet.
    pub(super) fn insert_from<A>(self, row: A, mut source: SelectStatement) -> InsertStatement
    where
        A: ActiveModelTrait,
        A::Entity: TenantTable,
    {
        let mut row = self.own(row);
        let values = <A::Entity as EntityTrait>::Column::iter();
        let (columns, values): (Vec<_>, Vec<_>) =
            values.filter_map(|column| Some((column, row.take(column).into_value()?))).unzip();
        source.exprs(values.into_iter().map(Expr::value));
        let mut insert = Query::insert();
        insert.into_table(A::Entity::default()).columns(columns);
        // There is one value for each column.
        let _ = insert.select_from(source);
        insert
    }

    pub(super) fn insert_many<A>(self, rows: impl IntoIterator<Item = A>) -> InsertMany<A>
    where
        A: ActiveModelTrait,
        A::Entity: TenantTable,
    {
        A::Entity::insert_many(rows.into_iter().map(|row| self.own(row)))
    }

    fn own<A>(self, mut row: A) -> A
    where
        A: ActiveModelTrait,
        A::Entity: TenantTable,
    {
        let named = row.get(A::Entity::TENANT).into_value();
        debug_assert!(named.is_none_or(|named| named == self.0.into()), "the row names another tenant");
        row.set(A::Entity::TENANT, self.0.into());
        row
    }
}

impl OfEveryTenant {
    pub(super) fn find<E: TenantTable>(self, _: E) -> Select<E> {
        E::find()
    }

    pub(super) fn update<E: TenantTable>(self, _: E) -> UpdateMany<E> {
        E::update_many()
    }

    pub(super) fn delete<E: TenantTable>(self, _: E) -> DeleteMany<E> {
        E::delete_many()
    }
}
