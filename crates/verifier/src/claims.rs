//! The claims of a checked token.

use std::{fmt, sync::Arc};

use countersign_token::AccessClaims;

/// `acr` of tokens that are issued to services.
const SERVICE_LEVEL: &str = "service";

/// The claims of an authentic, current token that is not revoked. Only a [`Verifier`](crate::Verifier) makes them, so a
/// function that takes `&Claims` cannot be called for an unauthenticated caller. Cloning copies a pointer.
///
/// Texts are 1 to 64 bytes without control characters (the issuer up to 256); times are seconds since the Unix epoch.
#[derive(Clone, PartialEq, Eq)]
pub struct Claims {
    body: Arc<AccessClaims>,
    checked_at: i64,
}

impl Claims {
    pub(crate) fn new(body: Arc<AccessClaims>, checked_at: i64) -> Self {
        Self { body, checked_at }
    }

    /// `sub`: the account or, if [`is_service`](Self::is_service), the service.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.body.subject
    }

    /// `sid`: the session that the token was issued for; of a service, the client secret.
    #[must_use]
    pub fn session_id(&self) -> &str {
        &self.body.session_id
    }

    /// `tid`: the tenant of the subject. Everything that a backend stores belongs to a tenant: compare it with this
    /// one.
    #[must_use]
    pub fn tenant_id(&self) -> &str {
        &self.body.tenant_id
    }

    /// `roles`: the roles of the subject. At most 32.
    #[must_use]
    pub fn roles(&self) -> &[String] {
        &self.body.roles
    }

    /// Whether `role` is among the roles, byte for byte.
    #[must_use]
    pub fn has_role(&self, role: &str) -> bool {
        self.body.roles.iter().any(|held| held == role)
    }

    /// `amr`: how the subject was authenticated (RFC 8176). At most 8.
    #[must_use]
    pub fn methods(&self) -> &[String] {
        &self.body.methods
    }

    /// `acr`: the assurance level of that authentication.
    #[must_use]
    pub fn level(&self) -> &str {
        &self.body.level
    }

    /// `aud`: the group of backends the token is for. Always the verifier's own.
    #[must_use]
    pub fn audience(&self) -> &str {
        &self.body.audience
    }

    /// `iss`: the service that issued the token. Always the verifier's own.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.body.issuer
    }

    /// `iat`: when the token was issued.
    #[must_use]
    pub fn issued_at(&self) -> i64 {
        self.body.issued_at
    }

    /// `exp`: the first second at which the token is no longer valid. A stream, or another call that lasts longer, has
    /// to end then.
    #[must_use]
    pub fn expires_at(&self) -> i64 {
        self.body.expires_at
    }

    /// `auth_time`: when the subject was last authenticated.
    #[must_use]
    pub fn authenticated_at(&self) -> i64 {
        self.body.authenticated_at
    }

    /// `jti`: the unique id of this token.
    #[must_use]
    pub fn token_id(&self) -> &str {
        &self.body.token_id
    }

    /// When these claims were checked. Guards compare other times with this one.
    #[must_use]
    pub fn checked_at(&self) -> i64 {
        self.checked_at
    }

    /// Whether the subject is a service, not a person.
    #[must_use]
    pub fn is_service(&self) -> bool {
        self.body.level == SERVICE_LEVEL
    }
}

/// Prints who and which token, for logs; not the roles.
impl fmt::Debug for Claims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claims")
            .field("subject", &self.subject())
            .field("tenant_id", &self.tenant_id())
            .field("token_id", &self.token_id())
            .finish_non_exhaustive()
    }
}
