//! What an account knows of its factors: how many there are, and how many wrong codes came in a row.

use crate::store::{StoreFault, Tx, entity::account, executor::Backend as _, scope::in_tenant};
use countersign_domain::id::{AccountId, TenantId};
use sea_orm::{
    ColumnTrait, QueryFilter,
    sea_query::{Expr, ExprTrait},
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

/// Counts the confirmed factors of an account again. The account must be locked. Without factors, wrong codes are
/// forgotten.
///
/// # Errors
/// When the database does not answer.
pub async fn set_factors(
    tx: &Tx,
    tenant: TenantId,
    id: AccountId,
    FactorCounts { factors, passkeys }: FactorCounts,
) -> Result<(), StoreFault> {
    let mut update = in_tenant(tenant)
        .update(account::Entity)
        .col_expr(account::Column::Factors, Expr::value(factors))
        .col_expr(account::Column::Passkeys, Expr::value(passkeys))
        .filter(account::Column::Id.eq(id.as_uuid()));
    if factors == 0 {
        update = update.col_expr(account::Column::FactorFailures, Expr::value(0));
    }
    update.exec(&tx.named("account.set_factors")).await?;
    Ok(())
}

/// How many confirmed factors an account has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FactorCounts {
    pub factors: i32,
    /// How many of them are passkeys.
    pub passkeys: i32,
}
