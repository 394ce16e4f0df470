use crate::{
    cache::Feed,
    keys::{AccessClaims, Approved, ReadToken},
    store::{Store, StoreFault, service, service::ServiceName, session, session::Holder},
};
use countersign_domain::{
    id::{ServiceId, ServiceSecretId, SessionId, TenantId},
    refusal::Reason,
    revocation::{FeedMark, TokenNames},
    service::{SERVICE_LEVEL, Service},
    time::Timestamp,
};
use std::{sync::Arc, time::Duration};

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
    Service(Service),
}

/// Finds the holders of access tokens. Callers and tokens that backends introspect are judged here alike.
#[derive(Clone, Debug)]
pub struct FindHolder {
    pub store: Store,
    pub feed: Feed,
}

/// How long a token that was found live counts as live, while the revocation feed has nothing against it. The feed has
/// what ends a session, a service or a tenant; this bounds what it does not have, such as a generation that was given
/// up.
const COUNTS_AS_LIVE: Duration = Duration::from_secs(10);

impl NamedByToken {
    /// `None` for names that the service never issues.
    pub fn of(claims: &AccessClaims) -> Option<Self> {
        if claims.level == SERVICE_LEVEL {
            return Some(Self::Service(claims.subject.parse().ok()?, claims.session_id.parse().ok()?));
        }
        claims.session_id.parse().ok().map(Self::Session)
    }
}

/// What a revocation may name of a token.
pub(super) fn names(claims: &AccessClaims, tenant: TenantId) -> TokenNames<'_> {
    TokenNames { tenant, session: &claims.session_id, subject: &claims.subject, issued_at: claims.issued_at }
}

impl FindHolder {
    /// Returns the holder of the token, if its session or service is live.
    ///
    /// # Errors
    /// When the database does not answer; the inner result is SESSION_ENDED, SESSION_EXPIRED or ACCOUNT_DISABLED.
    pub async fn find(
        &self,
        named: NamedByToken,
        tenant: TenantId,
        claims: &AccessClaims,
        now: Timestamp,
    ) -> Result<Result<TokenHolder, Reason>, StoreFault> {
        match named {
            NamedByToken::Session(id) => {
                // The row is deleted with the account, or long after the session ended.
                let Some(holder) = session::find_holder(&self.store, tenant, id).await? else {
                    return Ok(Err(Reason::SessionEnded));
                };
                let liveness = holder.session.liveness(&holder.account, now).require_live();
                Ok(liveness.map(|()| TokenHolder::Person(holder)))
            }
            NamedByToken::Service(id, secret) => {
                let issued_at = Timestamp::from_seconds(claims.issued_at);
                let name = ServiceName { tenant, service: id, secret, issued_at };
                let found = service::find_live(&self.store, name).await?;
                Ok(found.map(TokenHolder::Service).ok_or(Reason::SessionEnded))
            }
        }
    }

    /// To be taken before [`FindHolder::find`], for [`FindHolder::note`].
    pub fn mark(&self) -> FeedMark {
        self.feed.mark()
    }

    /// Notes that the holder of a token was found live and may use it. `service` is that of the token, if it is of one.
    pub fn note(&self, token: &ReadToken, mark: FeedMark, service: Option<Service>, now: Timestamp) {
        token.derived.grant(mark, now.plus(COUNTS_AS_LIVE), service);
    }

    /// What was noted of a token a moment ago, if no revocation since is against it. `None` says nothing about the
    /// token: whether it is not live is for the database to say.
    pub fn noted(&self, token: &ReadToken, tenant: TenantId, now: Timestamp) -> Option<Arc<Approved>> {
        let approved = token.derived.current(now)?;
        let reached = self.feed.has_nothing_against(&names(&token.claims, tenant), approved.mark())?;
        approved.extend(reached);
        Some(approved)
    }
}
