use crate::{
    keys::{KeyRing, Rejected},
    runtime::Clock,
    store::{Store, account::Account, session, session::Session},
    usecase::{Failure, Origin},
};
use countersign_domain::{
    id::{SessionId, TenantId},
    refusal::Reason,
    secret::SecretText,
};
use std::sync::Arc;

/// Turns an access token into the person who holds it.
///
/// Backends check tokens offline; Countersign itself asks the database, so that a session that ended is refused here at
/// once.
#[derive(Clone, Debug)]
pub struct Authenticate {
    pub store: Store,
    pub ring: Arc<KeyRing>,
    pub clock: Clock,
}

/// A person with the access token of a live session. Only [`Authenticate`] makes one.
#[derive(Clone, Debug)]
pub struct SignedIn {
    session: Session,
    account: Account,
}

impl SignedIn {
    pub fn tenant(&self) -> TenantId {
        self.account.tenant
    }

    pub fn session(&self) -> &Session {
        &self.session
    }

    pub fn account(&self) -> &Account {
        &self.account
    }
}

impl Authenticate {
    /// # Errors
    /// TOKEN_INVALID, TOKEN_EXPIRED, SESSION_ENDED, SESSION_EXPIRED, ACCOUNT_DISABLED.
    pub async fn run(&self, origin: &Origin, token: &SecretText) -> Result<SignedIn, Failure> {
        let now = self.clock.now();
        let claims = self.ring.read_access(token, now).map_err(|rejected| match rejected {
            Rejected::Expired => Reason::TokenExpired,
            _ => Reason::TokenInvalid,
        })?;
        let tenant: TenantId = claims.tenant_id.parse().map_err(|_| Reason::TokenInvalid)?;
        let id: SessionId = claims.session_id.parse().map_err(|_| Reason::TokenInvalid)?;
        origin.admit(tenant, Reason::TokenInvalid)?;
        let found = session::find_with_account(&self.store.read(), tenant, id).await?;
        // The row goes when the account is deleted, or long after the session ended.
        let (session, account) = found.ok_or(Reason::SessionEnded)?;
        if account.is_disabled() {
            return Err(Reason::AccountDisabled.into());
        }
        if session.ended_at.is_some() {
            return Err(Reason::SessionEnded.into());
        }
        if session.expiry.idle <= now || session.expiry.absolute <= now {
            return Err(Reason::SessionExpired.into());
        }
        Ok(SignedIn { session, account })
    }
}
