use crate::{
    keys::{AccessClaims, KeyRing, Rejected},
    runtime::Clock,
    store::{Store, account::Account, service, service::Service, session, session::Session},
    usecase::{
        EventSubject, Failure, Origin,
        gate::RecordDenial,
        key::KeyNews,
        session::{Newest, WatchUse},
    },
};
use countersign_domain::{
    id::{AccountId, ServiceId, ServiceSecretId, SessionId, TenantId},
    refusal::Reason,
    revocation::{Revocation, RevocationKind},
    secret::SecretText,
    service::{Access, SERVICE_LEVEL},
    time::Timestamp,
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
    pub news: KeyNews,
    pub watch_use: WatchUse,
    pub denial: Arc<RecordDenial>,
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

/// A service account with an access token drawn from a live secret. Only [`Authenticate`] makes one.
#[derive(Clone, Debug)]
pub struct ServiceCaller {
    service: Service,
    secret: ServiceSecretId,
    audience: String,
    issued_at: i64,
}

impl ServiceCaller {
    pub fn service(&self) -> &Service {
        &self.service
    }

    /// The audience of the token it came with. It serves that one, and asks about that one: whoever else serves it has seen
    /// this token, and must not come by the keys of another audience with it.
    pub fn audience(&self) -> &str {
        &self.audience
    }

    /// Whether a revocation takes away what this caller came in with.
    pub fn falls_to(&self, revocation: &Revocation) -> bool {
        match revocation.kind {
            RevocationKind::Session => revocation.target == self.secret.to_string(),
            RevocationKind::Subject => {
                revocation.target == self.service.id.to_string() && self.issued_at <= revocation.since.as_seconds()
            }
            RevocationKind::Tenant => {
                revocation.target == self.service.tenant.to_string() && self.issued_at <= revocation.since.as_seconds()
            }
            RevocationKind::Key | RevocationKind::KeySet => false,
        }
    }
}

/// What an access token said, once it was opened.
struct Opened {
    claims: AccessClaims,
    tenant: TenantId,
    now: Timestamp,
}

impl Authenticate {
    async fn open(&self, origin: &Origin, token: &SecretText) -> Result<Opened, Failure> {
        let now = self.clock.now();
        let claims = self.news.open(|| self.ring.read_access(token, now)).await.map_err(|rejected| match rejected {
            Rejected::Expired => Reason::TokenExpired,
            Rejected::NotYetValid => Reason::TokenNotYetValid,
            _ => Reason::TokenInvalid,
        })?;
        let tenant: TenantId = claims.tenant_id.parse().map_err(|_| Reason::TokenInvalid)?;
        if let Err(reason) = origin.admit(tenant, Reason::TokenInvalid) {
            return Err(self.deny(origin, &claims, tenant, reason).await);
        }
        Ok(Opened { claims, tenant, now })
    }

    /// Records that the holder of a genuine token was refused, and hands the failure back.
    async fn deny(&self, origin: &Origin, claims: &AccessClaims, tenant: TenantId, reason: Reason) -> Failure {
        self.denial.run(origin, tenant, holder(claims), reason).await;
        reason.into()
    }

    /// Records that an access token was brought where an operators' token is asked for. One that is none of ours tells nothing.
    pub async fn deny_operator(&self, origin: &Origin, token: &SecretText, reason: Reason) {
        let Ok(claims) = self.ring.read_access(token, self.clock.now()) else { return };
        let Ok(tenant) = claims.tenant_id.parse() else { return };
        self.denial.run(origin, tenant, holder(&claims), reason).await;
    }

    /// Recognises a service by the token of an audience that it serves. A token that was made for calling others is in their
    /// hands, and proves nothing here.
    ///
    /// # Errors
    /// TOKEN_INVALID, TOKEN_EXPIRED, TOKEN_NOT_YET_VALID, SESSION_ENDED, CALLER_NOT_ALLOWED.
    pub async fn service(&self, origin: &Origin, token: &SecretText) -> Result<ServiceCaller, Failure> {
        let Opened { claims, tenant, .. } = self.open(origin, token).await?;
        if claims.level != SERVICE_LEVEL {
            return Err(self.deny(origin, &claims, tenant, Reason::CallerNotAllowed).await);
        }
        let id: ServiceId = claims.subject.parse().map_err(|_| Reason::TokenInvalid)?;
        let secret: ServiceSecretId = claims.session_id.parse().map_err(|_| Reason::TokenInvalid)?;
        let service = service::find_live(&self.store.read(), tenant, id, secret, claims.issued_at)
            .await?
            .ok_or(Reason::SessionEnded)?;
        if !service.may(Access::Serves, &claims.audience) {
            return Err(self.deny(origin, &claims, tenant, Reason::CallerNotAllowed).await);
        }
        Ok(ServiceCaller { service, secret, audience: claims.audience, issued_at: claims.issued_at })
    }

    /// With the `newest` refresh token of a browser, the access token of another session is one that was replaced: it answers
    /// TOKEN_EXPIRED, whatever became of that session.
    ///
    /// # Errors
    /// TOKEN_INVALID, TOKEN_EXPIRED, TOKEN_NOT_YET_VALID, SESSION_ENDED, SESSION_EXPIRED, ACCOUNT_DISABLED, CALLER_NOT_ALLOWED.
    pub async fn run(
        &self,
        origin: &Origin,
        token: &SecretText,
        newest: Option<Newest<'_>>,
    ) -> Result<SignedIn, Failure> {
        let Opened { claims, tenant, now } = self.open(origin, token).await?;
        if claims.level == SERVICE_LEVEL {
            return Err(self.deny(origin, &claims, tenant, Reason::CallerNotAllowed).await);
        }
        let id: SessionId = claims.session_id.parse().map_err(|_| Reason::TokenInvalid)?;
        if newest.is_some_and(|newest| newest.session != id) {
            return Err(Reason::TokenExpired.into());
        }
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
        let generation = newest.map(|newest| newest.generation);
        self.watch_use.caller(origin, &session, &account, &claims, generation).await?;
        Ok(SignedIn { session, account })
    }
}

/// Whose token it is.
fn holder(claims: &AccessClaims) -> EventSubject {
    if claims.level == SERVICE_LEVEL {
        return EventSubject::service(claims.subject.parse::<ServiceId>().ok());
    }
    let account = claims.subject.parse::<AccountId>().ok();
    EventSubject { actor: account, account, session: claims.session_id.parse().ok(), ..EventSubject::default() }
}
