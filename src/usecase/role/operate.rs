use crate::{
    runtime::{Clock, Entropy},
    store::{Store, account, role, role::NewRole},
    usecase::{About, Failure, Journal, Origin},
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
    pub store: Store,
    pub journal: Journal,
    pub clock: Clock,
    pub entropy: Entropy,
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
    pub async fn grant(&self, origin: &Origin, whom: AccountId, name: &str) -> Result<Granted, Failure> {
        if !is_role_name(name) {
            let shape = "must be at most 64 lower-case letters, digits, `.`, `:`, `-` and `_`, a letter first";
            return Err(Refusal::field("role", shape).into());
        }
        let (tenant, now) = (origin.tenant(), self.clock.now());
        let tx = self.store.begin().await?;
        // So that no account is deleted meanwhile.
        if account::lock(&tx, tenant, whom).await?.is_none() {
            return Err(Refusal::field("account", "is gone").into());
        }
        let new = NewRole { id: RoleId::new(now, self.entropy.bytes()), name, level: WEAKEST_LEVEL };
        let role = role::find_or_make(&tx, tenant, new, now).await?;
        let granted = role::grant(&tx, tenant, whom, role, now).await?;
        if granted {
            self.note(&tx, origin, EventKind::RoleGranted, whom, name).await?;
        }
        tx.commit().await?;
        Ok(Granted { is_new_role: role == new.id, had_it: !granted })
    }

    /// Takes a role from an account. Returns whether it had it.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn revoke(&self, origin: &Origin, whom: AccountId, name: &str) -> Result<bool, Failure> {
        let tenant = origin.tenant();
        let tx = self.store.begin().await?;
        let Some(role) = role::find(&tx, tenant, name).await? else { return Ok(false) };
        if !role::revoke(&tx, tenant, whom, role).await? {
            return Ok(false);
        }
        self.note(&tx, origin, EventKind::RoleRevoked, whom, name).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// The roles of an account, sorted.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn of(&self, origin: &Origin, whom: AccountId) -> Result<Vec<String>, Failure> {
        Ok(role::names(&self.store.read(), origin.tenant(), whom).await?)
    }

    /// All roles and how many accounts have them, sorted.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn all(&self, origin: &Origin) -> Result<Vec<(String, u64)>, Failure> {
        Ok(role::all(&self.store.read(), origin.tenant()).await?)
    }

    async fn note(
        &self,
        tx: &crate::store::Tx,
        origin: &Origin,
        kind: EventKind,
        whom: AccountId,
        name: &str,
    ) -> Result<(), Failure> {
        let about = About { object: Some(name.to_owned()), ..About::target(Some(whom)) };
        Ok(self.journal.did(tx, origin.tenant(), origin, kind, about).await?)
    }
}
