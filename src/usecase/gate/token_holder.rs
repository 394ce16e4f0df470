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

/// What a genuine access token names.
#[derive(Clone, Copy, Debug)]
pub enum NamedByToken {
    Session(SessionId),
    Service(ServiceId, ServiceSecretId),
}

/// Who holds an access token that is good at this moment.
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
    /// `None` for names that we give to nobody.
    pub fn of(claims: &AccessClaims) -> Option<Self> {
        if claims.level == SERVICE_LEVEL {
            return Some(Self::Service(claims.subject.parse().ok()?, claims.session_id.parse().ok()?));
        }
        claims.session_id.parse().ok().map(Self::Session)
    }

    /// Whoever holds the token, provided that what it names is live: callers and tokens that backends ask about are
    /// judged here alike.
    ///
    /// # Errors
    /// When the database does not answer; inside, SESSION_ENDED, SESSION_EXPIRED or ACCOUNT_DISABLED.
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
                let liveness = session.liveness(&account, now).demand();
                Ok(liveness.map(|()| TokenHolder::Person { session, account }))
            }
            Self::Service(id, secret) => {
                let found = service::find_live(db, tenant, id, secret, claims.issued_at).await?;
                Ok(found.map(|service| TokenHolder::Service { service, secret }).ok_or(Reason::SessionEnded))
            }
        }
    }
}
