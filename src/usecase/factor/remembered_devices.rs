use crate::{
    runtime::Clock,
    store::{Store, remembered_device},
    usecase::{EventSubject, Failure, Origin, UnitsOfWork, gate::SignedIn},
};
use countersign_domain::{
    audit::EventKind,
    device::RememberedDevice,
    id::{AccountId, DeviceId, TenantId},
    refusal::Reason,
};

/// Lists the remembered devices of an account.
#[derive(Clone, Debug)]
pub struct ListRememberedDevices {
    pub store: Store,
    pub clock: Clock,
}

/// Forgets a remembered device of the caller.
#[derive(Clone, Debug)]
pub struct ForgetDevice {
    pub work: UnitsOfWork,
}

impl ListRememberedDevices {
    /// The one remembered last comes first.
    ///
    /// # Errors
    /// When the database does not answer.
    #[tracing::instrument(level = "debug", name = "factor.list_remembered_devices", skip_all)]
    pub async fn list(&self, tenant: TenantId, account: AccountId) -> Result<Vec<RememberedDevice>, Failure> {
        Ok(remembered_device::list(&self.store.read(), tenant, account, self.clock.now()).await?)
    }
}

impl ForgetDevice {
    /// It stays recognized, and its sessions go on.
    ///
    /// # Errors
    /// DEVICE_NOT_FOUND, also for a device that only another account remembers.
    #[tracing::instrument(level = "debug", name = "factor.forget_device", skip_all)]
    pub async fn forget(&self, origin: &Origin, caller: &SignedIn, id: DeviceId) -> Result<(), Failure> {
        let (tenant, account) = (caller.tenant(), caller.account().id);
        let unit = self.work.begin(origin, tenant).await?;
        if !remembered_device::forget(unit.db(), tenant, account, id).await? {
            return Err(Reason::DeviceNotFound.into());
        }
        let about = EventSubject { object: Some(id.to_string()), ..EventSubject::own(account) };
        unit.record(EventKind::DeviceForgotten, about.in_session(caller.session().id)).await?;
        unit.commit().await?;
        Ok(())
    }
}
