use super::{
    OperatorProven,
    token_holder::{FindHolder, NamedByToken, TokenHolder, names},
};
use crate::{
    keys::{AccessClaims, KeyRing, ReadToken, Rejected, generation_of},
    runtime::Clock,
    store::session::Holder,
    usecase::{
        EventSubject, Failure, Origin,
        gate::RecordDenial,
        key::KeyUpdates,
        session::{Newest, WatchUse},
    },
};
use countersign_domain::{
    account::Account,
    assurance::{Level, Proof},
    caller::CallerKind,
    id::{AccountId, ServiceId, TenantId},
    refusal::Reason,
    revocation::Revocation,
    secret::SecretText,
    service::{Access, SERVICE_LEVEL, Service},
    session::Session,
    time::Timestamp,
};
use std::sync::Arc;

/// Authenticates the holder of an access token.
///
/// Backends check tokens offline. Countersign itself queries the database, so that it refuses an ended session at once.
/// Only where the contract of an RPC allows it (`from_feed`), a service account is known from the call before.
#[derive(Clone, Debug)]
pub struct Authenticate {
    pub find_holder: FindHolder,
    pub ring: Arc<KeyRing>,
    pub key_updates: KeyUpdates,
    pub watch_use: WatchUse,
    pub denial: Arc<RecordDenial>,
    pub clock: Clock,
}

/// A person with the access token of a live session. Only [`Authenticate`] makes one.
#[derive(Clone, Debug)]
pub struct SignedIn {
    holder: Holder,
    generation: Option<i64>,
    proof: Proof,
}

impl SignedIn {
    pub fn tenant(&self) -> TenantId {
        self.holder.account.tenant
    }

    pub fn session(&self) -> &Session {
        &self.holder.session
    }

    /// The generation of the access token; `None` for a token that names none.
    pub fn generation(&self) -> Option<i64> {
        self.generation
    }

    /// How the person was authenticated, as the access token says it. The session may have a newer proof, which was not
    /// made by whoever holds an older token.
    pub fn proof(&self) -> Proof {
        self.proof
    }

    pub fn account(&self) -> &Account {
        &self.holder.account
    }

    /// Sorted.
    pub fn roles(&self) -> &[String] {
        &self.holder.roles
    }
}

/// A service account with an access token of a live secret. Only [`Authenticate`] makes one.
#[derive(Clone, Debug)]
pub struct ServiceCaller {
    service: Service,
    claims: Arc<AccessClaims>,
}

impl ServiceCaller {
    pub fn service(&self) -> &Service {
        &self.service
    }

    /// The audience of the caller's token. The service serves this audience and may query this one only: other services
    /// of this audience have seen the token, and must not get the keys of another audience with it.
    pub fn audience(&self) -> &str {
        &self.claims.audience
    }

    /// Whether a revocation covers the token of this caller.
    pub fn is_revoked_by(&self, revocation: &Revocation) -> bool {
        revocation.covers(&names(&self.claims, self.service.tenant))
    }
}

/// The caller of an RPC.
#[derive(Clone, Debug)]
pub enum Caller {
    /// A caller without credentials.
    Anonymous,
    /// A program on this machine, under the `dev` profile.
    Developer,
    Person(Arc<SignedIn>),
    Service(Arc<ServiceCaller>),
    Operator(OperatorProven),
}

impl Caller {
    pub fn kind(&self) -> CallerKind {
        match self {
            Self::Anonymous => CallerKind::Anonymous,
            Self::Developer => CallerKind::Developer,
            Self::Person(_) => CallerKind::Account,
            Self::Service(_) => CallerKind::Service,
            Self::Operator(_) => CallerKind::Operator,
        }
    }
}

/// A genuine access token. [`Authenticate::caller`] checks whether its session or service is still live.
#[derive(Debug)]
pub struct OpenedToken {
    read: Arc<ReadToken>,
    tenant: TenantId,
    now: Timestamp,
}

impl OpenedToken {
    pub fn kind(&self) -> CallerKind {
        if self.read.claims.level == SERVICE_LEVEL { CallerKind::Service } else { CallerKind::Account }
    }
}

impl Authenticate {
    /// # Errors
    /// TOKEN_INVALID, TOKEN_EXPIRED, TOKEN_NOT_YET_VALID.
    pub async fn open(&self, origin: &Origin, token: &SecretText) -> Result<OpenedToken, Failure> {
        let now = self.clock.now();
        let read =
            self.key_updates.open(|| self.ring.read_access(token, now)).await.map_err(|rejected| match rejected {
                Rejected::Expired => Reason::TokenExpired,
                Rejected::NotYetValid => Reason::TokenNotYetValid,
                _ => Reason::TokenInvalid,
            })?;
        let tenant = read.claims.tenant_id.parse().map_err(|_| Reason::TokenInvalid)?;
        let opened = OpenedToken { read, tenant, now };
        match origin.check_tenant(tenant, Reason::TokenInvalid) {
            Ok(()) => Ok(opened),
            Err(reason) => Err(self.deny(origin, &opened, reason).await),
        }
    }

    /// Finds the caller that a token names. When `newest`, the newest refresh token of a browser, is of another
    /// session, the access token was replaced: the answer is TOKEN_EXPIRED, even if the session of the access token has
    /// ended.
    ///
    /// # Errors
    /// TOKEN_INVALID, TOKEN_EXPIRED, SESSION_ENDED, SESSION_EXPIRED, ACCOUNT_DISABLED, CALLER_NOT_ALLOWED.
    pub async fn caller(
        &self,
        origin: &Origin,
        opened: OpenedToken,
        newest: Option<Newest<'_>>,
    ) -> Result<Caller, Failure> {
        let OpenedToken { read, tenant, now } = &opened;
        let claims = &read.claims;
        let named = NamedByToken::of(claims).ok_or(Reason::TokenInvalid)?;
        if let (NamedByToken::Session(id), Some(newest)) = (named, newest)
            && newest.session != id
        {
            return Err(Reason::TokenExpired.into());
        }
        let mark = self.find_holder.mark();
        match self.find_holder.find(named, *tenant, claims, *now).await?? {
            TokenHolder::Person(holder) => {
                let generation = newest.map(|newest| newest.generation);
                self.watch_use.caller(origin, &holder.session, &holder.account, claims, generation).await?;
                let level = Level::from_name(&claims.level).unwrap_or(Level::One);
                let proof = Proof { level, at: Timestamp::from_seconds(claims.authenticated_at) };
                let generation = generation_of(&claims.token_id);
                Ok(Caller::Person(Arc::new(SignedIn { holder, generation, proof })))
            }
            // A token issued for calls to other services is known to those services, so it proves nothing here.
            TokenHolder::Service(service) if !service.may(Access::Serves, &claims.audience) => {
                Err(self.deny(origin, &opened, Reason::CallerNotAllowed).await)
            }
            TokenHolder::Service(service) => {
                self.find_holder.note(read, mark, Some(service.clone()), *now);
                Ok(Caller::Service(Arc::new(ServiceCaller { service, claims: claims.clone() })))
            }
        }
    }

    /// The service account that holds a token, if it was found live a moment ago and was not revoked since. Another
    /// service may have introspected the token, so whether it may call is decided here again.
    pub fn known_service(&self, opened: &OpenedToken) -> Option<Caller> {
        let OpenedToken { read, tenant, now } = opened;
        let service = self.find_holder.noted(read, *tenant, *now)?.service.clone()?;
        if !service.may(Access::Serves, &read.claims.audience) {
            return None;
        }
        Some(Caller::Service(Arc::new(ServiceCaller { service, claims: read.claims.clone() })))
    }

    /// The person who holds this access token.
    ///
    /// # Errors
    /// As [`Self::open`] and [`Self::caller`]; CALLER_NOT_ALLOWED for the token of a service.
    pub async fn person(&self, origin: &Origin, token: &SecretText) -> Result<Arc<SignedIn>, Failure> {
        let opened = self.open(origin, token).await?;
        if opened.kind() != CallerKind::Account {
            return Err(self.deny(origin, &opened, Reason::CallerNotAllowed).await);
        }
        match self.caller(origin, opened, None).await? {
            Caller::Person(person) => Ok(person),
            _ => Err(Reason::CallerNotAllowed.into()),
        }
    }

    /// Records that the holder of a genuine token was refused, and returns the failure.
    pub async fn deny(&self, origin: &Origin, opened: &OpenedToken, reason: Reason) -> Failure {
        // On the heap: rare, and far larger than the usual path.
        Box::pin(self.denial.record(origin, opened.tenant, holder(&opened.read.claims), reason)).await;
        reason.into()
    }

    /// Records that an access token was presented where an operators' token is required. Any other token leaves no
    /// event.
    pub async fn deny_operator(&self, origin: &Origin, token: &SecretText, reason: Reason) {
        let Ok(read) = self.ring.read_access(token, self.clock.now()) else { return };
        let Ok(tenant) = read.claims.tenant_id.parse() else { return };
        Box::pin(self.denial.record(origin, tenant, holder(&read.claims), reason)).await;
    }
}

/// The account or service that the token names.
fn holder(claims: &AccessClaims) -> EventSubject {
    if claims.level == SERVICE_LEVEL {
        return EventSubject::service(claims.subject.parse::<ServiceId>().ok());
    }
    let account = claims.subject.parse::<AccountId>().ok();
    EventSubject { actor: account, account, session: claims.session_id.parse().ok(), ..EventSubject::default() }
}
