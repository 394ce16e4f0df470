use crate::{
    keys::{AccessClaims, KeyRing, Rejected},
    runtime::Clock,
    store::Store,
    usecase::{
        Failure,
        gate::{NamedByToken, ServiceCaller, Throttle, TokenHolder},
        key::KeyUpdates,
        session::WatchUse,
    },
};
use countersign_domain::{refusal::Reason, secret::SecretText};
use std::sync::Arc;

/// Introspects a token for a backend (RFC 7662).
#[derive(Clone, Debug)]
pub struct Introspect {
    pub store: Store,
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
        let claims = match opened {
            Ok(claims) => claims,
            Err(Rejected::NotYetValid) => return Err(Reason::TokenNotYetValid.into()),
            Err(_) => return Ok(None),
        };
        let is_for_caller = claims.tenant_id == service.tenant.to_string() && claims.audience == caller.audience();
        let holds = is_for_caller && self.is_live(caller, &claims).await?;
        Ok(holds.then_some(Introspected(claims)))
    }

    async fn is_live(&self, caller: &ServiceCaller, claims: &AccessClaims) -> Result<bool, Failure> {
        let Some(named) = NamedByToken::of(claims) else { return Ok(false) };
        let holder = named.find(&self.store, caller.service().tenant, claims, self.clock.now()).await?;
        Ok(match holder {
            Ok(TokenHolder::Person(holder)) => self.watch_use.holds(&holder.session, &holder.account, claims),
            Ok(TokenHolder::Service { .. }) => true,
            Err(_) => false,
        })
    }
}
