use crate::{
    keys::{AccessClaims, KeyRing, ReadToken, Rejected},
    runtime::Clock,
    usecase::{
        Failure,
        gate::{FindHolder, NamedByToken, ServiceCaller, Throttle, TokenHolder},
        key::KeyUpdates,
        session::WatchUse,
    },
};
use countersign_domain::{id::TenantId, refusal::Reason, secret::SecretText, time::Timestamp};
use std::sync::Arc;

/// Introspects a token for a backend (RFC 7662).
#[derive(Clone, Debug)]
pub struct Introspect {
    pub find_holder: FindHolder,
    pub ring: Arc<KeyRing>,
    pub key_updates: KeyUpdates,
    pub throttle: Throttle,
    pub watch_use: WatchUse,
    pub clock: Clock,
}

/// The claims of a token that is valid now.
#[derive(Clone, Debug)]
pub struct Introspected(pub Arc<AccessClaims>);

impl Introspect {
    /// `None` for a token that is not valid, or that the caller may not introspect: the answer does not distinguish
    /// them (RFC 7662 section 2.2).
    ///
    /// # Errors
    /// TOKEN_NOT_YET_VALID, because the clocks of the service differ and the token may be valid: if it were reported as
    /// inactive, a person would have to log in again. When the database does not answer.
    #[tracing::instrument(level = "debug", name = "verification.introspect", skip_all)]
    pub async fn introspect(
        &self,
        caller: &ServiceCaller,
        token: &SecretText,
    ) -> Result<Option<Introspected>, Failure> {
        let service = caller.service();
        self.throttle.introspection(service.id).await?;
        let now = self.clock.now();
        let opened = self.key_updates.open(|| self.ring.read_access(token, now)).await;
        let read = match opened {
            Ok(read) => read,
            Err(Rejected::NotYetValid) => return Err(Reason::TokenNotYetValid.into()),
            Err(_) => return Ok(None),
        };
        let claims = &read.claims;
        let is_for_caller = claims.tenant_id == service.tenant.to_string() && claims.audience == caller.audience();
        let holds = is_for_caller && self.is_live(service.tenant, &read, now).await?;
        Ok(holds.then(|| Introspected(claims.clone())))
    }

    /// Whether the session or service of a token is live: by the feed, if the database said so a moment ago; else by
    /// the database.
    async fn is_live(&self, tenant: TenantId, read: &ReadToken, now: Timestamp) -> Result<bool, Failure> {
        let claims = &read.claims;
        if self.find_holder.noted(read, tenant, now).is_some() {
            return Ok(true);
        }
        let Some(named) = NamedByToken::of(claims) else { return Ok(false) };
        let mark = self.find_holder.mark();
        let service = match self.find_holder.find(named, tenant, claims, now).await? {
            Ok(TokenHolder::Person(holder)) if !self.watch_use.holds(&holder.session, &holder.account, claims) => {
                return Ok(false);
            }
            Ok(TokenHolder::Person(_)) => None,
            Ok(TokenHolder::Service(service)) => Some(service),
            Err(_) => return Ok(false),
        };
        self.find_holder.note(read, mark, service, now);
        Ok(true)
    }
}
