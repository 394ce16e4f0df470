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

/// A backend asks whether a token holds now (RFC 7662).
#[derive(Clone, Debug)]
pub struct Introspect {
    pub store: Store,
    pub ring: Arc<KeyRing>,
    pub key_updates: KeyUpdates,
    pub throttle: Throttle,
    pub watch_use: WatchUse,
    pub clock: Clock,
}

/// What a token says, which holds at this moment.
#[derive(Clone, Debug)]
pub struct Introspected(pub AccessClaims);

impl Introspect {
    /// `None` for whatever does not hold, or is none of the caller's business: which of these is never told (RFC 7662
    /// section 2.2).
    ///
    /// # Errors
    /// TOKEN_NOT_YET_VALID, which says something of our clocks and not of the token: called inactive, a person would
    /// have to log in again. When the database does not answer.
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
        // A token that was just revoked must not be called active, so the writer is asked.
        let holder = named.find(&self.store.write(), caller.service().tenant, claims, self.clock.now()).await?;
        Ok(match holder {
            Ok(TokenHolder::Person { session, account }) => self.watch_use.holds(&session, &account, claims),
            Ok(TokenHolder::Service { .. }) => true,
            Err(_) => false,
        })
    }
}
