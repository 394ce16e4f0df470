//! What a login reads of an account, and what it requires of it.

use crate::store::{
    Executor, StoreFault, Tx,
    batch::Columns,
    dialect::statement,
    entity::account,
    executor::Backend as _,
    scope::in_tenant,
    session::{account_and_roles, read_account_and_roles},
};
use countersign_domain::{
    account::{Account, Identifier},
    device::DeviceTrust,
    id::{AccountId, TenantId},
    lockout::SPENT,
    login::CompletedLogin,
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait as _, QueryFilter,
    sea_query::{Expr, LockType, SelectStatement},
};
use std::sync::LazyLock;

/// The account with this identifier, and the names of its roles in alphabetical order.
///
/// # Errors
/// When the database does not answer.
pub async fn find_for_login(
    db: &impl Executor,
    tenant: TenantId,
    identifier: &Identifier,
) -> Result<Option<(Account, Vec<String>)>, StoreFault> {
    let text = match identifier {
        Identifier::Email(_) => &*BY_EMAIL,
        Identifier::Username(_) => &*BY_USERNAME,
    };
    let db = db.named("account.find_for_login");
    let named = statement(&db, text, [tenant.as_uuid().into(), identifier.normalised().into()]);
    let row = db.query_one_raw(named).await?;
    row.map(|row| read_account_and_roles(&mut Columns::of(&row))).transpose()
}

static BY_EMAIL: LazyLock<String> = LazyLock::new(|| find_by("email_normalised"));
static BY_USERNAME: LazyLock<String> = LazyLock::new(|| find_by("username_normalised"));

fn find_by(column: &str) -> String {
    format!("SELECT {} FROM accounts AS a WHERE a.tenant_id = $1 AND a.{column} = $2", account_and_roles())
}

/// The conditions of a login.
#[derive(Clone, Copy, Debug)]
pub struct LoginConditions {
    /// `None` for a login by passkey alone: no password and no wrong passwords matter to it.
    password: Option<PasswordConditions>,
    /// Whether the account has a factor: a login that proved none opens no session of an account that got one
    /// meanwhile.
    has_factor: bool,
}

#[derive(Clone, Copy, Debug)]
struct PasswordConditions {
    /// Version of the password that was proven.
    version: i32,
    trust: DeviceTrust,
    /// Whether wrong passwords from unrecognized devices were counted before. A login from an unrecognized device
    /// resets their number.
    had_failures: bool,
}

impl LoginConditions {
    /// Those of a login with a password, of an account as it was read.
    pub fn by_password(account: &Account, trust: DeviceTrust, has_factor: bool) -> Self {
        let had_failures = account.password_failures > 0;
        let password = PasswordConditions { version: account.password_version, trust, had_failures };
        Self { password: Some(password), has_factor }
    }

    /// Those of a completed login.
    pub fn of(login: &CompletedLogin) -> Self {
        let has_factor = login.factor().is_some();
        if login.proved_password() {
            Self::by_password(login.account(), login.trust(), has_factor)
        } else {
            Self { password: None, has_factor }
        }
    }

    fn of_account(self, id: AccountId) -> Condition {
        let of_password = |password: PasswordConditions| {
            Condition::all()
                .add(account::Column::PasswordVersion.eq(password.version))
                .add_option(password.is_stranger().then(|| account::Column::PasswordFailures.lt(SPENT)))
        };
        Condition::all()
            .add(account::Column::Id.eq(id.as_uuid()))
            .add(account::Column::DisabledAt.is_null())
            .add(if self.has_factor { account::Column::Factors.gt(0) } else { account::Column::Factors.eq(0) })
            .add_option(self.password.map(of_password))
    }

    fn forgives(self) -> bool {
        self.password.is_some_and(|password| password.is_stranger() && password.had_failures)
    }
}

impl PasswordConditions {
    fn is_stranger(self) -> bool {
        self.trust == DeviceTrust::Stranger
    }
}

/// The account, if it may still log in with what was proven; locked until the transaction ends. The caller
/// adds what is selected.
///
/// The lock leaves two possible orders. A change that commits first (a new password, a disabled account, or the wrong
/// password that disables the password) is seen here; a change that comes later sees what this transaction wrote.
pub(in crate::store) fn may_log_in(tenant: TenantId, id: AccountId, conditions: LoginConditions) -> SelectStatement {
    let mut account = in_tenant(tenant).select(account::Entity);
    account.cond_where(conditions.of_account(id)).lock(LockType::Share);
    account
}

/// Forgets the wrong passwords that a login from an unrecognized device resets. Returns whether the account may still
/// log in.
///
/// # Errors
/// When the database does not answer.
pub(in crate::store) async fn forgive(
    tx: &Tx,
    tenant: TenantId,
    id: AccountId,
    conditions: LoginConditions,
) -> Result<bool, StoreFault> {
    if !conditions.forgives() {
        return Ok(true);
    }
    let forgiven = in_tenant(tenant)
        .update(account::Entity)
        .col_expr(account::Column::PasswordFailures, Expr::value(0))
        .filter(conditions.of_account(id))
        .exec(&tx.named("account.forgive"))
        .await?;
    Ok(forgiven.rows_affected == 1)
}
