use crate::{
    store::role,
    usecase::{EventSubject, Failure, Origin, UnitsOfWork},
};
use countersign_domain::{audit::EventKind, id::AccountId};

/// Revokes a role of an account, for an operator. Access tokens lack the role from the next refresh on.
#[derive(Clone, Debug)]
pub struct RevokeRole {
    pub work: UnitsOfWork,
}

impl RevokeRole {
    /// Returns whether the account had the role.
    ///
    /// # Errors
    /// When the database does not answer.
    #[tracing::instrument(level = "debug", name = "role.revoke", skip_all)]
    pub async fn revoke(&self, origin: &Origin, account: AccountId, name: &str) -> Result<bool, Failure> {
        let tenant = origin.tenant();
        let unit = self.work.begin(origin, tenant).await?;
        let Some(role) = role::find(unit.db(), tenant, name).await? else { return Ok(false) };
        if !role::revoke(unit.db(), tenant, account, role).await? {
            return Ok(false);
        }
        let subject = EventSubject { object: Some(name.to_owned()), ..EventSubject::target(Some(account)) };
        unit.record(EventKind::RoleRevoked, subject).await?;
        unit.commit().await?;
        Ok(true)
    }
}
