use crate::{
    store::{Store, StoreFault, audience, key},
    usecase::Origin,
};
use countersign_domain::{
    key::{KeyPurpose, KeyState},
    time::Timestamp,
};

/// Lists the audiences, for an operator.
#[derive(Clone, Debug)]
pub struct ListAudiences {
    pub store: Store,
}

/// An audience as an operator sees it.
#[derive(Clone, Debug)]
pub struct AudienceLine {
    pub name: String,
    /// `None` for the audience of the first schema: its time is not known.
    pub created_at: Option<Timestamp>,
    /// The `alg` of the tokens that are issued for it now; empty while it has no key.
    pub algorithm: String,
    /// The public key that it registered, in base64url.
    pub public_key: Option<String>,
}

impl ListAudiences {
    /// All audiences, sorted by name.
    ///
    /// # Errors
    /// When the database does not answer.
    #[tracing::instrument(level = "debug", name = "audience.list", skip_all)]
    pub async fn list(&self, origin: &Origin) -> Result<Vec<AudienceLine>, StoreFault> {
        let (db, tenant) = (self.store.read(), origin.tenant());
        let mut lines = Vec::new();
        for row in audience::of_tenant(&db, tenant).await? {
            let purpose = KeyPurpose::AccessEncryption;
            let key = key::in_state(&db, tenant, purpose, &row.name, KeyState::Active).await?;
            let (algorithm, public_key) = key.map(|key| (key.algorithm, key.public_key)).unwrap_or_default();
            let created_at = (row.created_at != Timestamp::default()).then_some(row.created_at);
            lines.push(AudienceLine { name: row.name, created_at, algorithm, public_key });
        }
        Ok(lines)
    }
}
