use crate::store::{Connection, StoreFault, service};
use countersign_domain::{
    id::{ServiceId, ServiceSecretId},
    service::{Access, Service},
    time::Timestamp,
};

/// A service account as an operator sees it.
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

impl ServiceLine {
    /// Reads the live secrets of a service account and adds them.
    pub(super) async fn read(db: &Connection, service: Service) -> Result<Self, StoreFault> {
        let secrets = service::live_secrets(db, service.tenant, service.id).await?;
        let having = |access| {
            service.audiences.iter().filter(move |(_, has)| *has == access).map(|(name, _)| name.clone()).collect()
        };
        Ok(Self {
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
