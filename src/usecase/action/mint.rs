use crate::{
    keys::KeyRing,
    runtime::Entropy,
    store::{Store, action},
    usecase::Failure,
};
use countersign_domain::{
    action::{ActionCode, ActionLives, ActionPurpose},
    email::EmailAddress,
    id::{ActionId, TenantId},
    secret::SecretText,
    time::Timestamp,
};
use std::{sync::Arc, time::Duration};
use uuid::Uuid;

/// Makes a link and a code, at the moment their mail is rendered.
#[derive(Clone, Debug)]
pub struct Mint {
    pub store: Store,
    pub ring: Arc<KeyRing>,
    pub lives: ActionLives,
    pub entropy: Entropy,
}

/// A fresh link and code.
#[derive(Debug)]
pub struct Minted {
    pub token: SecretText,
    pub token_life: Duration,
    pub code: ActionCode,
    pub code_life: Duration,
}

impl Mint {
    /// # Errors
    /// When the database does not answer.
    pub async fn run(
        &self,
        tenant: TenantId,
        purpose: ActionPurpose,
        subject: Uuid,
        email: &EmailAddress,
        now: Timestamp,
    ) -> Result<Minted, Failure> {
        let id = ActionId::new(now, self.entropy.bytes());
        let code = ActionCode::new(self.entropy.bytes());
        let expires_at = now.plus(self.lives.link(purpose));
        let token = self.ring.seal_action(tenant, purpose, id, expires_at)?;
        let row = action::Action {
            id,
            purpose,
            subject,
            email: email.clone(),
            code_mac: code_mac(&self.ring, purpose, id, &code).to_vec(),
            code_expires_at: now.plus(self.lives.code(purpose)),
            created_at: now,
            expires_at,
            used_at: None,
        };
        action::insert(&self.store.write(), tenant, &row).await?;
        Ok(Minted { token, token_life: self.lives.link(purpose), code, code_life: self.lives.code(purpose) })
    }
}

/// What is stored of a code: nothing that could be tried against all codes without our key.
pub(super) fn code_mac(ring: &KeyRing, purpose: ActionPurpose, id: ActionId, code: &ActionCode) -> [u8; 32] {
    ring.mac().tag(purpose.name(), &[id.as_uuid().as_bytes(), code.reveal().as_bytes()])
}
