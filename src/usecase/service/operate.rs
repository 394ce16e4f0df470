use crate::{
    keys::ClientSecret,
    store::{Tx, audience, service, service::NewSecret},
    usecase::{EventSubject, Failure, Origin, UnitsOfWork, audience::CreateAudience},
};
use countersign_domain::{
    audit::EventKind,
    id::{ServiceId, ServiceSecretId, TenantId},
    refusal::Reason,
    service::{Access, Service},
    time::Timestamp,
};

/// What an operator does to service accounts from a terminal.
#[derive(Clone, Debug)]
pub struct OperateServices {
    pub work: UnitsOfWork,
    pub audiences: CreateAudience,
}

/// A service to be made.
#[derive(Clone, Debug)]
pub struct NewService {
    pub name: String,
    pub serves: Vec<String>,
    pub calls: Vec<String>,
}

/// A service that was made, and its first secret, which is never seen again.
#[derive(Clone, Debug)]
pub struct ServiceCreated {
    pub id: ServiceId,
    pub secret_id: ServiceSecretId,
    pub secret: ClientSecret,
    /// The audiences that did not exist before.
    pub new_audiences: Vec<String>,
}

/// A service as an operator sees it.
#[derive(Clone, Debug)]
pub struct ServiceLine {
    pub id: ServiceId,
    pub name: String,
    pub created_at: Timestamp,
    pub disabled_at: Option<Timestamp>,
    pub serves: Vec<String>,
    pub calls: Vec<String>,
    pub secrets: Vec<SecretLine>,
}

/// A live secret as an operator sees it.
#[derive(Clone, Debug)]
pub struct SecretLine {
    pub id: ServiceSecretId,
    pub created_at: Timestamp,
    pub used_at: Option<Timestamp>,
}

impl OperateServices {
    /// Makes a service, the audiences it serves where they are new, and its first secret. `None` when the name is taken.
    ///
    /// # Errors
    /// AUDIENCE_UNKNOWN for an audience it calls and nobody serves.
    #[tracing::instrument(level = "debug", name = "service.create", skip_all)]
    pub async fn create(&self, origin: &Origin, new: NewService) -> Result<Option<ServiceCreated>, Failure> {
        let (tenant, now) = (origin.tenant(), self.work.now());
        let id = ServiceId::new(now, self.work.entropy.bytes());
        let unit = self.work.begin(origin, tenant).await?;
        let mut new_audiences = Vec::new();
        for name in &new.serves {
            if self.audiences.make(&unit, name).await? {
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
        let Some((secret_id, secret)) = self.make_secret(unit.db(), tenant, id, now).await? else {
            return Err(Failure::Broken("a new service has no room for a secret".to_owned()));
        };
        unit.record(EventKind::ServiceCreated, EventSubject::service(Some(id))).await?;
        unit.commit().await?;
        Ok(Some(ServiceCreated { id, secret_id, secret, new_audiences }))
    }

    /// Gives a service another secret beside the one it has. `None` when it has two already.
    ///
    /// # Errors
    /// When the database does not answer.
    #[tracing::instrument(level = "debug", name = "service.add_secret", skip_all)]
    pub async fn add_secret(
        &self,
        origin: &Origin,
        id: ServiceId,
    ) -> Result<Option<(ServiceSecretId, ClientSecret)>, Failure> {
        let (tenant, now) = (origin.tenant(), self.work.now());
        let unit = self.work.begin(origin, tenant).await?;
        let made = self.make_secret(unit.db(), tenant, id, now).await?;
        if made.is_some() {
            unit.record(EventKind::ServiceSecretAdded, EventSubject::service(Some(id))).await?;
            unit.commit().await?;
        }
        Ok(made)
    }

    async fn make_secret(
        &self,
        tx: &Tx,
        tenant: TenantId,
        id: ServiceId,
        now: Timestamp,
    ) -> Result<Option<(ServiceSecretId, ClientSecret)>, Failure> {
        let secret = ClientSecret::generate(&self.work.entropy);
        let kept = NewSecret {
            id: ServiceSecretId::new(now, self.work.entropy.bytes()),
            digest: *secret.digest(id).as_bytes(),
        };
        let added = service::add_secret(tx, tenant, id, &kept, now).await?;
        Ok(added.then_some((kept.id, secret)))
    }

    /// Retires a secret, and every token that was drawn from it. Returns whether the service had it.
    ///
    /// # Errors
    /// When the database does not answer.
    #[tracing::instrument(level = "debug", name = "service.retire_secret", skip_all)]
    pub async fn retire_secret(
        &self,
        origin: &Origin,
        id: ServiceId,
        secret: ServiceSecretId,
    ) -> Result<bool, Failure> {
        let tenant = origin.tenant();
        let unit = self.work.begin(origin, tenant).await?;
        if !service::retire_secret(unit.db(), tenant, id, secret, self.work.now()).await? {
            return Ok(false);
        }
        unit.record(EventKind::ServiceSecretRetired, EventSubject::service(Some(id))).await?;
        unit.commit().await?;
        Ok(true)
    }

    /// Forbids a service everything, and revokes its tokens. Returns whether it was allowed something before.
    ///
    /// # Errors
    /// When the database does not answer.
    #[tracing::instrument(level = "debug", name = "service.disable", skip_all)]
    pub async fn disable(&self, origin: &Origin, id: ServiceId) -> Result<bool, Failure> {
        let tenant = origin.tenant();
        let unit = self.work.begin(origin, tenant).await?;
        if !service::disable(unit.db(), tenant, id, self.work.now()).await? {
            return Ok(false);
        }
        unit.record(EventKind::ServiceDisabled, EventSubject::service(Some(id))).await?;
        unit.commit().await?;
        Ok(true)
    }

    /// Lets a service have tokens again. Returns whether it was disabled.
    ///
    /// # Errors
    /// When the database does not answer.
    #[tracing::instrument(level = "debug", name = "service.enable", skip_all)]
    pub async fn enable(&self, origin: &Origin, id: ServiceId) -> Result<bool, Failure> {
        let tenant = origin.tenant();
        let unit = self.work.begin(origin, tenant).await?;
        if !service::enable(unit.db(), tenant, id).await? {
            return Ok(false);
        }
        unit.record(EventKind::ServiceEnabled, EventSubject::service(Some(id))).await?;
        unit.commit().await?;
        Ok(true)
    }

    /// Every service, in order of the names.
    ///
    /// # Errors
    /// When the database does not answer.
    #[tracing::instrument(level = "debug", name = "service.list", skip_all)]
    pub async fn list(&self, origin: &Origin) -> Result<Vec<ServiceLine>, Failure> {
        let mut lines = Vec::new();
        for service in service::all(&self.work.read(), origin.tenant()).await? {
            lines.push(self.line(service).await?);
        }
        Ok(lines)
    }

    /// The service of a name.
    ///
    /// # Errors
    /// When the database does not answer.
    #[tracing::instrument(level = "debug", name = "service.find", skip_all)]
    pub async fn find(&self, origin: &Origin, name: &str) -> Result<Option<ServiceLine>, Failure> {
        match service::find_by_name(&self.work.read(), origin.tenant(), name).await? {
            Some(service) => Ok(Some(self.line(service).await?)),
            None => Ok(None),
        }
    }

    async fn line(&self, service: Service) -> Result<ServiceLine, Failure> {
        let secrets = service::live_secrets(&self.work.read(), service.tenant, service.id).await?;
        let having = |access| {
            service.audiences.iter().filter(move |(_, has)| *has == access).map(|(name, _)| name.clone()).collect()
        };
        Ok(ServiceLine {
            serves: having(Access::Serves),
            calls: having(Access::Calls),
            secrets: secrets
                .into_iter()
                .map(|secret| SecretLine { id: secret.id, created_at: secret.created_at, used_at: secret.used_at })
                .collect(),
            id: service.id,
            name: service.name,
            created_at: service.created_at,
            disabled_at: service.disabled_at,
        })
    }
}
