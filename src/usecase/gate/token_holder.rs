use crate::{
    keys::AccessClaims,
    store::{Store, StoreFault, service, service::ServiceName, session, session::Holder},
};
use countersign_domain::{
    id::{ServiceId, ServiceSecretId, SessionId, TenantId},
    refusal::Reason,
    service::{SERVICE_LEVEL, Service},
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
    Person(Holder),
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
        store: &Store,
        tenant: TenantId,
        claims: &AccessClaims,
        now: Timestamp,
    ) -> Result<Result<TokenHolder, Reason>, StoreFault> {
        match self {
            Self::Session(id) => {
                // The row is deleted with the account, or long after the session ended.
                let Some(holder) = session::find_holder(store, tenant, id).await? else {
                    return Ok(Err(Reason::SessionEnded));
                };
                let liveness = holder.session.liveness(&holder.account, now).require_live();
                Ok(liveness.map(|()| TokenHolder::Person(holder)))
            }
            Self::Service(id, secret) => {
                let issued_at = Timestamp::from_seconds(claims.issued_at);
                let name = ServiceName { tenant, service: id, secret, issued_at };
                Ok(service::find_live(store, name)
                    .await?
                    .map(|service| TokenHolder::Service { service, secret })
                    .ok_or(Reason::SessionEnded))
            }
        }
    }
}
