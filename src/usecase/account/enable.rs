use crate::{
    store::account,
    usecase::{EventSubject, Failure, Origin, UnitsOfWork},
};
use countersign_domain::{audit::EventKind, id::AccountId};

/// An operator lets a disabled account log in again.
#[derive(Clone, Debug)]
pub struct EnableAccount {
    pub work: UnitsOfWork,
}

impl EnableAccount {
    /// Returns whether the account was disabled before.
    ///
    /// # Errors
    /// When the database does not answer.
    #[tracing::instrument(level = "debug", name = "account.enable", skip_all)]
    pub async fn enable(&self, origin: &Origin, id: AccountId) -> Result<bool, Failure> {
        let tenant = origin.tenant();
        let unit = self.work.begin(origin, tenant).await?;
        if !account::enable(unit.db(), tenant, id).await? {
            return Ok(false);
        }
        unit.record(EventKind::AccountEnabled, EventSubject::target(Some(id))).await?;
        unit.commit().await?;
        Ok(true)
    }
}
