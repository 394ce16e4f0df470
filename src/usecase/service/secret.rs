use crate::{
    keys::ClientSecret,
    runtime::Entropy,
    store::{StoreFault, service, service::NewSecret},
    usecase::UnitOfWork,
};
use countersign_domain::id::{ServiceId, ServiceSecretId};

/// Adds a secret to a service account, in the transaction of the caller. `None` when it has two already.
pub(super) async fn add(
    entropy: &Entropy,
    unit: &UnitOfWork<'_>,
    service: ServiceId,
) -> Result<Option<(ServiceSecretId, ClientSecret)>, StoreFault> {
    let (tenant, now) = (unit.tenant(), unit.now());
    let secret = ClientSecret::generate(entropy);
    let kept = NewSecret { id: ServiceSecretId::new(now, entropy.bytes()), digest: *secret.digest(service).as_bytes() };
    let added = service::add_secret(unit.db(), tenant, service, &kept, now).await?;
    Ok(added.then_some((kept.id, secret)))
}
