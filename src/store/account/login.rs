//! What a login reads of an account, and what it requires of it.

use crate::store::{
    Executor, StoreFault, Tx,
    batch::Columns,
    dialect::statement,
    entity::account,
    executor::Backend as _,
    remembered_device,
    scope::in_tenant,
    session::{account_and_roles, read_account_and_roles},
};
use countersign_domain::{
    account::{Account, Identifier},
    device::DeviceTrust,
    id::{AccountId, DeviceId, TenantId},
    lockout::SPENT,
    login::{Awaited, ChallengedLogin, CompletedLogin},
    time::Timestamp,
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
    factor: FactorCondition,
}

#[derive(Clone, Copy, Debug)]
enum FactorCondition {
    /// The account has no factor: a login that proved none opens no session of an account that got one meanwhile.
    None,
    /// The account has a factor.
    Some,
    /// The account has a factor, and remembers this device now.
    Remembered(DeviceId, Timestamp),
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
    /// Those of a login that waits, on a device that the account trusts so much.
    pub fn of_challenged(login: &ChallengedLogin, trust: DeviceTrust) -> Self {
        let factor = match login.awaits() {
            Awaited::Factor => FactorCondition::Some,
            Awaited::EmailCode | Awaited::Enrolment => FactorCondition::None,
        };
        Self { password: Some(PasswordConditions::of(login.account(), trust)), factor }
    }

    /// Those of a completed login, which comes from this device.
    pub fn of_completed(login: &CompletedLogin, device: DeviceId, now: Timestamp) -> Self {
        let password = login.proved_password().then(|| PasswordConditions::of(login.account(), login.trust()));
        let factor = match login.factor() {
            Some(_) => FactorCondition::Some,
            None if login.rests_on_remembered_device() => FactorCondition::Remembered(device, now),
            None => FactorCondition::None,
        };
        Self { password, factor }
    }

    fn of_account(self, tenant: TenantId, id: AccountId) -> Condition {
        let of_password = |password: PasswordConditions| {
            Condition::all()
                .add(account::Column::PasswordVersion.eq(password.version))
                .add_option(password.is_stranger().then(|| account::Column::PasswordFailures.lt(SPENT)))
        };
        Condition::all()
            .add(account::Column::Id.eq(id.as_uuid()))
            .add(account::Column::DisabledAt.is_null())
            .add(self.factor.of_account(tenant, id))
            .add_option(self.password.map(of_password))
    }

    fn forgives(self) -> bool {
        self.password.is_some_and(|password| password.is_stranger() && password.had_failures)
    }
}

impl FactorCondition {
    fn of_account(self, tenant: TenantId, id: AccountId) -> Condition {
        let has_factor = Condition::all().add(account::Column::Factors.gt(0));
        match self {
            Self::None => Condition::all().add(account::Column::Factors.eq(0)),
            Self::Some => has_factor,
            Self::Remembered(device, now) => {
                has_factor.add(Expr::exists(remembered_device::remembered(tenant, id, device, now)))
            }
        }
    }
}

impl PasswordConditions {
    fn of(account: &Account, trust: DeviceTrust) -> Self {
        Self { version: account.password_version, trust, had_failures: account.password_failures > 0 }
    }

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
    account.cond_where(conditions.of_account(tenant, id)).lock(LockType::Share);
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
        .filter(conditions.of_account(tenant, id))
        .exec(&tx.named("account.forgive"))
        .await?;
    Ok(forgiven.rows_affected == 1)
}
