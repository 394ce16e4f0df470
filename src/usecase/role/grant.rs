use crate::{
    store::{account, role, role::NewRole},
    usecase::{EventSubject, Failure, Origin, UnitsOfWork},
};
use countersign_domain::{
    audit::EventKind,
    id::{AccountId, RoleId},
    refusal::Refusal,
    role::{WEAKEST_LEVEL, is_role_name},
};

/// Grants a role to an account, for an operator. Access tokens contain the role from the next refresh on.
#[derive(Clone, Debug)]
pub struct GrantRole {
    pub work: UnitsOfWork,
}

/// The result of granting a role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Granted {
    /// Whether the role was created by this call.
    pub is_new_role: bool,
    /// Whether the account had the role before.
    pub had_it: bool,
}

impl GrantRole {
    /// Grants an account the role of this name, and creates the role if there is none.
    ///
    /// # Errors
    /// INVALID_FIELD.
    #[tracing::instrument(level = "debug", name = "role.grant", skip_all)]
    pub async fn grant(&self, origin: &Origin, account: AccountId, name: &str) -> Result<Granted, Failure> {
        if !is_role_name(name) {
            let shape = "must be at most 64 lower-case letters, digits, `.`, `:`, `-` and `_`, a letter first";
            return Err(Refusal::field("role", shape).into());
        }
        let (tenant, now) = (origin.tenant(), self.work.now());
        let unit = self.work.begin(origin, tenant).await?;
        // The lock keeps the account from being deleted in the meantime.
        if account::lock(unit.db(), tenant, account).await?.is_none() {
            return Err(Refusal::field("account", "was deleted").into());
        }
        let new = NewRole { id: RoleId::new(now, self.work.entropy.bytes()), name, level: WEAKEST_LEVEL };
        let role = role::find_or_make(unit.db(), tenant, new, now).await?;
        let granted = role::grant(unit.db(), tenant, account, role, now).await?;
        if granted {
            let subject = EventSubject { object: Some(name.to_owned()), ..EventSubject::target(Some(account)) };
            unit.record(EventKind::RoleGranted, subject).await?;
        }
        unit.commit().await?;
        Ok(Granted { is_new_role: role == new.id, had_it: !granted })
    }
}
