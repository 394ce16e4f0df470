use crate::{
    keys::KeyRing,
    runtime::Entropy,
    store::{Store, action, outbox, outbox::OutboxMail},
    usecase::Failure,
};
use countersign_domain::{
    action::{ActionCode, ActionLives, ActionPurpose},
    email::EmailAddress,
    id::ActionId,
    secret::SecretText,
    time::Timestamp,
};
use std::{sync::Arc, time::Duration};
use uuid::Uuid;

/// Creates a link and a code while their mail is rendered.
#[derive(Clone, Debug)]
pub struct Mint {
    pub store: Store,
    pub ring: Arc<KeyRing>,
    pub lives: ActionLives,
    pub entropy: Entropy,
}

/// A new link and code.
#[derive(Debug)]
pub struct Minted {
    pub token: SecretText,
    pub token_life: Duration,
    pub code: ActionCode,
    pub code_life: Duration,
}

impl Mint {
    /// `None` when the mail that needs them is no longer wanted.
    ///
    /// # Errors
    /// When the database does not answer.
    #[tracing::instrument(level = "debug", name = "action.mint", skip_all)]
    pub async fn mint(
        &self,
        job: &OutboxMail,
        purpose: ActionPurpose,
        subject: Uuid,
        email: &EmailAddress,
        now: Timestamp,
    ) -> Result<Option<Minted>, Failure> {
        let tenant = job.tenant;
        let id = ActionId::new(now, self.entropy.bytes());
        let code = ActionCode::new(self.entropy.bytes());
        let token_life = self.lives.link_in(purpose, job.template);
        let expires_at = now.plus(token_life);
        let token = self.ring.seal_action(tenant, purpose, id, expires_at)?;
        let row = action::Action {
            id,
            purpose,
            subject,
            email: email.clone(),
            code_mac: self.ring.mac().tag(purpose.name(), &code_parts(&id, &code)).to_vec(),
            code_expires_at: now.plus(self.lives.code(purpose)),
            created_at: now,
            expires_at,
            used_at: None,
        };
        let tx = self.store.begin().await?;
        if !outbox::hold(&tx, tenant, job.id).await? {
            return Ok(None);
        }
        action::insert(&tx, tenant, &row).await?;
        tx.commit().await?;
        Ok(Some(Minted { token, token_life, code, code_life: self.lives.code(purpose) }))
    }
}

/// What the stored code of an action is computed over, with our key: without the key, nobody can try all codes against
/// it.
pub(super) fn code_parts<'a>(id: &'a ActionId, code: &'a ActionCode) -> [&'a [u8]; 2] {
    [id.as_bytes(), code.reveal().as_bytes()]
}
