use crate::{
    store::{account, role, role::NewRole},
    usecase::{EventSubject, Failure, Origin, UnitOfWork, UnitsOfWork},
};
use countersign_domain::{
    audit::EventKind,
    id::{AccountId, RoleId},
    refusal::Refusal,
    role::{WEAKEST_LEVEL, is_role_name},
};

/// What an operator does to roles from a terminal. A role reaches the access token with the next refresh, and leaves it so.
#[derive(Clone, Debug)]
pub struct OperateRoles {
    pub work: UnitsOfWork,
}

/// What came of giving a role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Granted {
    /// There was no role of this name before.
    pub is_new_role: bool,
    /// The account had it already.
    pub had_it: bool,
}

impl OperateRoles {
    /// Gives an account a role, which is made if there is none of this name.
    ///
    /// # Errors
    /// INVALID_FIELD.
    #[tracing::instrument(level = "debug", name = "role.grant", skip_all)]
    pub async fn grant(&self, origin: &Origin, whom: AccountId, name: &str) -> Result<Granted, Failure> {
        if !is_role_name(name) {
            let shape = "must be at most 64 lower-case letters, digits, `.`, `:`, `-` and `_`, a letter first";
            return Err(Refusal::field("role", shape).into());
        }
        let (tenant, now) = (origin.tenant(), self.work.now());
        let unit = self.work.begin(origin, tenant).await?;
        // So that no account is deleted meanwhile.
        if account::lock(unit.db(), tenant, whom).await?.is_none() {
            return Err(Refusal::field("account", "is gone").into());
        }
        let new = NewRole { id: RoleId::new(now, self.work.entropy.bytes()), name, level: WEAKEST_LEVEL };
        let role = role::find_or_make(unit.db(), tenant, new, now).await?;
        let granted = role::grant(unit.db(), tenant, whom, role, now).await?;
        if granted {
            Self::record(&unit, EventKind::RoleGranted, whom, name).await?;
        }
        unit.commit().await?;
        Ok(Granted { is_new_role: role == new.id, had_it: !granted })
    }

    /// Takes a role from an account. Returns whether it had it.
    ///
    /// # Errors
    /// When the database does not answer.
    #[tracing::instrument(level = "debug", name = "role.revoke", skip_all)]
    pub async fn revoke(&self, origin: &Origin, whom: AccountId, name: &str) -> Result<bool, Failure> {
        let tenant = origin.tenant();
        let unit = self.work.begin(origin, tenant).await?;
        let Some(role) = role::find(unit.db(), tenant, name).await? else { return Ok(false) };
        if !role::revoke(unit.db(), tenant, whom, role).await? {
            return Ok(false);
        }
        Self::record(&unit, EventKind::RoleRevoked, whom, name).await?;
        unit.commit().await?;
        Ok(true)
    }

    /// The roles of an account, sorted.
    ///
    /// # Errors
    /// When the database does not answer.
    #[tracing::instrument(level = "debug", name = "role.list", skip_all)]
    pub async fn of(&self, origin: &Origin, whom: AccountId) -> Result<Vec<String>, Failure> {
        Ok(role::names(&self.work.read(), origin.tenant(), whom).await?)
    }

    /// All roles and how many accounts have them, sorted.
    ///
    /// # Errors
    /// When the database does not answer.
    #[tracing::instrument(level = "debug", name = "role.list_all", skip_all)]
    pub async fn all(&self, origin: &Origin) -> Result<Vec<(String, u64)>, Failure> {
        Ok(role::all(&self.work.read(), origin.tenant()).await?)
    }

    async fn record(unit: &UnitOfWork<'_>, kind: EventKind, whom: AccountId, name: &str) -> Result<(), Failure> {
        let about = EventSubject { object: Some(name.to_owned()), ..EventSubject::target(Some(whom)) };
        unit.record(kind, about).await?;
        Ok(())
    }
}
