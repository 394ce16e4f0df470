use crate::store::{Store, StoreFault, key, key::SealedKey};
use countersign_domain::time::Timestamp;

/// Lists the keys, for an operator. It opens no key, so it needs no key-encryption key.
#[derive(Clone, Debug)]
pub struct ListKeys {
    pub store: Store,
}

/// A key as an operator sees it: everything but the secret.
#[derive(Clone, Debug)]
pub struct KeyLine {
    pub id: String,
    pub purpose: String,
    pub audience: String,
    pub algorithm: String,
    pub state: String,
    pub created_at: Timestamp,
    /// When it entered this state.
    pub since: Timestamp,
    /// When it will be erased, if that is known.
    pub until: Option<Timestamp>,
    pub issued: u64,
    pub kek_id: String,
}

impl From<SealedKey> for KeyLine {
    fn from(row: SealedKey) -> Self {
        let since = row.gone_at.or(row.retired_at).or(row.activated_at).unwrap_or(row.created_at);
        Self {
            since,
            until: row.forget_at.filter(|_| row.gone_at.is_none()),
            id: row.id,
            purpose: row.purpose,
            audience: row.audience,
            algorithm: row.algorithm,
            state: row.state,
            created_at: row.created_at,
            issued: row.issued,
            kek_id: row.kek_id,
        }
    }
}

impl ListKeys {
    /// Returns every key, erased ones included, by purpose, audience and age.
    ///
    /// # Errors
    /// When the database does not answer.
    #[tracing::instrument(level = "debug", name = "key.list", skip_all)]
    pub async fn list(&self) -> Result<Vec<KeyLine>, StoreFault> {
        let mut lines: Vec<_> = key::all(&self.store.read()).await?.into_iter().map(KeyLine::from).collect();
        lines.sort_by(|left, right| (&left.purpose, &left.audience).cmp(&(&right.purpose, &right.audience)));
        Ok(lines)
    }
}
