use super::secret;
use crate::{
    keys::ClientSecret,
    store::{audience, service},
    usecase::{EventSubject, Failure, Origin, UnitsOfWork, audience::CreateAudience},
};
use countersign_domain::{
    audit::EventKind,
    id::{ServiceId, ServiceSecretId},
    refusal::Reason,
    service::{Access, Service},
};

/// An operator creates a service account for a backend.
#[derive(Clone, Debug)]
pub struct CreateService {
    pub work: UnitsOfWork,
    pub create_audience: CreateAudience,
}

/// A service account to be created.
#[derive(Clone, Debug)]
pub struct NewService {
    pub name: String,
    pub serves: Vec<String>,
    pub calls: Vec<String>,
}

/// A service account that was created, and its first secret, which is shown only this once.
#[derive(Clone, Debug)]
pub struct ServiceCreated {
    pub id: ServiceId,
    pub secret_id: ServiceSecretId,
    pub secret: ClientSecret,
    /// The audiences that did not exist before.
    pub new_audiences: Vec<String>,
}

impl CreateService {
    /// Creates a service account, its first secret, and the new audiences among those it serves. `None` when the name
    /// is taken.
    ///
    /// # Errors
    /// AUDIENCE_UNKNOWN for an audience that it calls and that does not exist.
    #[tracing::instrument(level = "debug", name = "service.create", skip_all)]
    pub async fn create(&self, origin: &Origin, new: NewService) -> Result<Option<ServiceCreated>, Failure> {
        let (tenant, now) = (origin.tenant(), self.work.now());
        let id = ServiceId::new(now, self.work.entropy.bytes());
        let unit = self.work.begin(origin, tenant).await?;
        let mut new_audiences = Vec::new();
        for name in &new.serves {
            if self.create_audience.make(&unit, name).await? {
                new_audiences.push(name.clone());
            }
        }
        for name in &new.calls {
            if !audience::exists(unit.db(), tenant, name).await? {
                return Err(Reason::AudienceUnknown.into());
            }
        }
        let audiences = (new.serves.into_iter().map(|name| (name, Access::Serves)))
            .chain(new.calls.into_iter().map(|name| (name, Access::Calls)))
            .collect();
        let service = Service { id, tenant, name: new.name, created_at: now, disabled_at: None, audiences };
        if !service::insert(unit.db(), tenant, &service).await? {
            return Ok(None);
        }
        let Some((secret_id, secret)) = secret::add(&self.work.entropy, &unit, id).await? else {
            return Err(Failure::Broken("a new service account cannot take a secret".to_owned()));
        };
        unit.record(EventKind::ServiceCreated, EventSubject::service(Some(id))).await?;
        unit.commit().await?;
        Ok(Some(ServiceCreated { id, secret_id, secret, new_audiences }))
    }
}
