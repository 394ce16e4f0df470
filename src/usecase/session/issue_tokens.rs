use crate::{
    keys::{AccessClaims, KeyRing, RefreshToken, token_id},
    runtime::Entropy,
    usecase::{Failure, account::Profile},
};
use countersign_domain::{
    id::SessionId,
    refusal::Reason,
    secret::SecretText,
    session::{Session, SessionLives},
    time::Timestamp,
};
use std::sync::Arc;

/// Makes the tokens of a session's live generation, for every flow that issues tokens.
#[derive(Clone, Debug)]
pub struct IssueTokens {
    pub ring: Arc<KeyRing>,
    /// The `iss` of access tokens.
    pub issuer: String,
    pub lives: SessionLives,
    pub entropy: Entropy,
}

/// A session and its tokens.
#[derive(Clone, Debug)]
pub struct OpenedSession {
    pub id: SessionId,
    pub generation: i64,
    pub access_token: SecretText,
    pub access_expires_at: Timestamp,
    pub refresh_token: SecretText,
    pub refresh_expires_at: Timestamp,
    pub profile: Profile,
}

impl IssueTokens {
    /// The lifetimes of the tokens begin when the generation was made, not now: sending the same generation again
    /// extends nothing.
    ///
    /// # Errors
    /// SESSION_EXPIRED in the last second of a session; otherwise when the ciphers refuse.
    pub fn issue(&self, session: &Session, profile: Profile) -> Result<OpenedSession, Failure> {
        let account = &profile.account;
        let issued_at = session.refreshed_at;
        // Whole seconds, as in the token: a client must not rely on a fraction that the token does not have.
        let expires_at = self.lives.access_expiry(issued_at, session.expiry).as_seconds();
        // In the last second of a session a new token would have expired already.
        if expires_at <= issued_at.as_seconds() {
            return Err(Reason::SessionExpired.into());
        }
        let claims = AccessClaims {
            issuer: self.issuer.clone(),
            audience: session.audience.clone(),
            subject: account.id.to_string(),
            issued_at: issued_at.as_seconds(),
            expires_at,
            token_id: token_id(session.generation, self.entropy.bytes()).hyphenated().to_string(),
            session_id: session.id.to_string(),
            tenant_id: account.tenant.to_string(),
            roles: profile.roles.clone(),
            methods: session.methods.split(' ').map(str::to_owned).collect(),
            level: session.level().name().to_owned(),
            authenticated_at: session.authenticated_at.as_seconds(),
        };
        let refresh = RefreshToken {
            tenant_id: account.tenant.as_uuid(),
            session_id: session.id.as_uuid(),
            generation: session.generation,
            audience: session.audience.clone(),
        };
        Ok(OpenedSession {
            id: session.id,
            generation: session.generation,
            access_token: self.ring.issue_access(&claims)?,
            access_expires_at: Timestamp::from_seconds(expires_at),
            refresh_token: self.ring.seal_refresh(&refresh)?,
            refresh_expires_at: session.expiry.idle,
            profile,
        })
    }
}
