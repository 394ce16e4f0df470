use crate::{
    keys::AccessClaims,
    store::{Executor, StoreFault, service, session},
};
use countersign_domain::{
    account::Account,
    id::{ServiceId, ServiceSecretId, SessionId, TenantId},
    refusal::Reason,
    service::{SERVICE_LEVEL, Service},
    session::Session,
    time::Timestamp,
};

/// The session or service that a genuine access token names.
#[derive(Clone, Copy, Debug)]
pub enum NamedByToken {
    Session(SessionId),
    Service(ServiceId, ServiceSecretId),
}

/// The holder of an access token that is valid now.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "nearly every caller is a person, and a box would cost each an allocation"
)]
pub enum TokenHolder {
    Person { session: Session, account: Account },
    Service { service: Service, secret: ServiceSecretId },
}

impl NamedByToken {
    /// `None` for names that the service never issues.
    pub fn of(claims: &AccessClaims) -> Option<Self> {
        if claims.level == SERVICE_LEVEL {
            return Some(Self::Service(claims.subject.parse().ok()?, claims.session_id.parse().ok()?));
        }
        claims.session_id.parse().ok().map(Self::Session)
    }

    /// Returns the holder of the token, if its session or service is live. Callers and tokens that backends introspect
    /// are judged here alike.
    ///
    /// # Errors
    /// When the database does not answer; the inner result is SESSION_ENDED, SESSION_EXPIRED or ACCOUNT_DISABLED.
    pub async fn find(
        self,
        db: &impl Executor,
        tenant: TenantId,
        claims: &AccessClaims,
        now: Timestamp,
    ) -> Result<Result<TokenHolder, Reason>, StoreFault> {
        match self {
            Self::Session(id) => {
                let found = session::find_with_account(db, tenant, id).await?;
                // The row is deleted with the account, or long after the session ended.
                let Some((session, account)) = found else { return Ok(Err(Reason::SessionEnded)) };
                let liveness = session.liveness(&account, now).require_live();
                Ok(liveness.map(|()| TokenHolder::Person { session, account }))
            }
            Self::Service(id, secret) => {
                let found = service::find_live(db, tenant, id, secret, claims.issued_at).await?;
                Ok(found.map(|service| TokenHolder::Service { service, secret }).ok_or(Reason::SessionEnded))
            }
        }
    }
}
