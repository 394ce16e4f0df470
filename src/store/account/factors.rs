//! What an account knows of its factors: how many there are, and how many wrong codes came in a row.

use crate::store::{
    StoreFault, Tx,
    entity::{account, factor},
    executor::Backend as _,
    scope::in_tenant,
};
use countersign_domain::{
    factor::FactorKind,
    id::{AccountId, TenantId},
};
use sea_orm::{
    ColumnTrait, Condition, QueryFilter,
    sea_query::{CaseStatement, Expr, ExprTrait},
};

/// Counts a wrong code of an authenticator app. Returns the number in a row; `None` when there is no account.
///
/// # Errors
/// When the database does not answer.
pub async fn count_factor_failure(tx: &Tx, tenant: TenantId, id: AccountId) -> Result<Option<i32>, StoreFault> {
    let rows = in_tenant(tenant)
        .update(account::Entity)
        .col_expr(account::Column::FactorFailures, Expr::col(account::Column::FactorFailures).add(1))
        .filter(account::Column::Id.eq(id.as_uuid()))
        .exec_with_returning(&tx.named("account.count_factor_failure"))
        .await?;
    Ok(rows.into_iter().next().map(|row| row.factor_failures))
}

/// Forgets the wrong codes of an account.
///
/// # Errors
/// When the database does not answer.
pub async fn forgive_factor_failures(tx: &Tx, tenant: TenantId, id: AccountId) -> Result<(), StoreFault> {
    in_tenant(tenant)
        .update(account::Entity)
        .col_expr(account::Column::FactorFailures, Expr::value(0))
        .filter(account::Column::Id.eq(id.as_uuid()))
        .exec(&tx.named("account.forgive_factor_failures"))
        .await?;
    Ok(())
}

/// Counts the confirmed factors of an account again, also those that only a later release knows. The account must be
/// locked. Without factors, wrong codes are forgotten.
///
/// # Errors
/// When the database does not answer.
pub async fn count_factors(tx: &Tx, tenant: TenantId, id: AccountId) -> Result<FactorCounts, StoreFault> {
    let counted = |of: Condition| {
        let mut factors = in_tenant(tenant).select(factor::Entity);
        factors
            .expr(Expr::cust("count(*)"))
            .and_where(Expr::col(factor::Column::AccountId).eq(id.as_uuid()))
            .and_where(Expr::col(factor::Column::ConfirmedAt).is_not_null())
            .cond_where(of);
        Expr::SubQuery(None, Box::new(factors.into()))
    };
    let is_factor = Condition::all().add(factor::Column::Kind.ne(FactorKind::BackupCodes.name()));
    let is_passkey = Condition::all().add(factor::Column::Kind.eq(FactorKind::Passkey.name()));
    let failures = CaseStatement::new()
        .case(Expr::expr(counted(is_factor.clone())).eq(0), 0)
        .finally(Expr::col(account::Column::FactorFailures));
    let rows = in_tenant(tenant)
        .update(account::Entity)
        .col_expr(account::Column::Factors, counted(is_factor))
        .col_expr(account::Column::Passkeys, counted(is_passkey))
        .col_expr(account::Column::FactorFailures, failures.into())
        .filter(account::Column::Id.eq(id.as_uuid()))
        .exec_with_returning(&tx.named("account.count_factors"))
        .await?;
    let counts = |row: account::Model| FactorCounts {
        factors: row.factors,
        passkeys: row.passkeys,
        password_needs_factor: row.password_needs_factor,
    };
    Ok(rows.into_iter().next().map(counts).unwrap_or_default())
}

/// How many confirmed factors an account has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FactorCounts {
    pub factors: i32,
    /// How many of them are passkeys.
    pub passkeys: i32,
    /// Whether its password is too short to be the only factor.
    pub password_needs_factor: bool,
}
