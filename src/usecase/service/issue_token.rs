use crate::{
    keys::{AccessClaims, ClientSecret, KeyRing},
    store::{StoreFault, service, service::ServiceSecret},
    telemetry,
    telemetry::LineBudget,
    usecase::{EventSubject, Failure, Origin, UnitsOfWork, gate::Throttle, key::KeyUpdates},
};
use countersign_domain::{
    audit::EventKind,
    id::{ServiceId, TenantId},
    refusal::Reason,
    secret::SecretText,
    service::{Access, SERVICE_LEVEL, SERVICE_METHOD, Service},
    time::Timestamp,
};
use std::{sync::Arc, time::Duration};
use uuid::Uuid;

/// A service exchanges its client id and secret for an access token (RFC 6749 section 4.4).
///
/// The response time of a refusal reveals whether a client id exists: if it does, the secrets of the service are read
/// and the refusal is written to the audit log. This is accepted. A client id is not a secret (RFC 6749 section 2.2):
/// it is the `sub` of the tokens of the service. Nobody finds one by trying, because 74 of its bits are random, and it
/// authorizes nothing without the secret. Equal costs would mean a row for every invented id, or no row for an attacker
/// who tries secrets of a real service.
#[derive(Clone, Debug)]
pub struct IssueServiceToken {
    pub work: UnitsOfWork,
    pub ring: Arc<KeyRing>,
    pub key_updates: KeyUpdates,
    pub throttle: Throttle,
    /// The `iss` of access tokens.
    pub issuer: String,
    pub life: Duration,
    /// Limits the log lines about unknown client ids.
    pub unknown_clients: Arc<LineBudget>,
}

/// An access token of a service.
#[derive(Clone, Debug)]
pub struct ServiceToken {
    pub access_token: SecretText,
    pub expires_at: Timestamp,
}

/// Why no token was issued.
enum NotIssued {
    /// No service has this id.
    Unknown,
    Refused(Failure),
}

impl From<Failure> for NotIssued {
    fn from(failure: Failure) -> Self {
        Self::Refused(failure)
    }
}

impl From<StoreFault> for NotIssued {
    fn from(fault: StoreFault) -> Self {
        Self::Refused(fault.into())
    }
}

/// The resolution of the time at which a secret was last used: one write an hour is enough to see which of two secrets
/// is still in use.
const USE_IS_NOTED_EVERY: Duration = Duration::from_secs(60 * 60);

impl IssueServiceToken {
    /// `audience` may be empty when the service serves one audience.
    ///
    /// # Errors
    /// CREDENTIALS_INVALID, CALLER_NOT_ALLOWED, INVALID_FIELD.
    #[tracing::instrument(level = "debug", name = "service.issue_token", skip_all)]
    pub async fn issue(
        &self,
        origin: &Origin,
        client: ServiceId,
        secret: SecretText,
        audience: &str,
    ) -> Result<ServiceToken, Failure> {
        self.throttle.service_token(origin).await?;
        let tenant = origin.tenant();
        match self.issue_to(tenant, client, secret, audience).await {
            Ok((service, token)) => {
                let about = EventSubject::service(Some(service.id));
                self.work.record(origin, tenant, EventKind::ServiceTokenIssued, about).await?;
                Ok(token)
            }
            Err(NotIssued::Unknown) => {
                let reason = Reason::CredentialsInvalid;
                telemetry::count_event(EventKind::ServiceTokenRefused.name(), reason.name());
                if let Some(left_out) = self.unknown_clients.take() {
                    let (request_id, address) = (&origin.trace_id, &origin.address);
                    tracing::warn!(
                        request_id,
                        address,
                        left_out,
                        "IssueServiceToken was called with an unknown client id"
                    );
                }
                Err(reason.into())
            }
            Err(NotIssued::Refused(failure)) => Err(self.refused(origin, client, failure).await),
        }
    }

    /// Records a refusal for an existing service. A rate limit keeps a caller who knows the id, but not the secret,
    /// from filling the audit log.
    async fn refused(&self, origin: &Origin, client: ServiceId, failure: Failure) -> Failure {
        let (kind, tenant) = (EventKind::ServiceTokenRefused, origin.tenant());
        if self.throttle.records_denial(client.into()).await {
            return self.work.refused(origin, tenant, kind, EventSubject::service(Some(client)), failure).await;
        }
        telemetry::count_event(kind.name(), failure.reason().name());
        failure
    }

    async fn issue_to(
        &self,
        tenant: TenantId,
        client: ServiceId,
        secret: SecretText,
        audience: &str,
    ) -> Result<(Service, ServiceToken), NotIssued> {
        // The time is read before the service is checked: if the service is disabled in between, the token is older
        // than the revocation, which then covers it.
        let now = self.work.now();
        let (service, secret) = self.recognise(tenant, client, secret).await?;
        let audience = match audience {
            "" => only_served(&service)?,
            named if service.may(Access::Serves, named) || service.may(Access::Calls, named) => named,
            _ => return Err(NotIssued::Refused(Reason::CallerNotAllowed.into())),
        };
        self.key_updates.expect_keys_of(tenant, audience).await.map_err(Failure::from)?;
        let expires_at = now.plus(self.life).as_seconds();
        let claims = AccessClaims {
            issuer: self.issuer.clone(),
            audience: audience.to_owned(),
            subject: service.id.to_string(),
            issued_at: now.as_seconds(),
            expires_at,
            token_id: Uuid::from_bytes(self.work.entropy.bytes()).hyphenated().to_string(),
            // The secret takes the part of the session: retiring the secret revokes the tokens that were issued for it.
            session_id: secret.id.to_string(),
            tenant_id: tenant.to_string(),
            roles: Vec::new(),
            methods: vec![SERVICE_METHOD.to_owned()],
            level: SERVICE_LEVEL.to_owned(),
            authenticated_at: now.as_seconds(),
        };
        let access_token = self.ring.issue_access(&claims).map_err(Failure::from)?;
        if secret.used_at.is_none_or(|used| now.since(used) >= USE_IS_NOTED_EVERY) {
            service::note_use(&self.work.write(), tenant, secret.id, now).await?;
        }
        Ok((service, ServiceToken { access_token, expires_at: Timestamp::from_seconds(expires_at) }))
    }

    /// The answer is the same, but not the response time, whether the service is missing, is disabled, or has another
    /// secret.
    async fn recognise(
        &self,
        tenant: TenantId,
        client: ServiceId,
        secret: SecretText,
    ) -> Result<(Service, ServiceSecret), NotIssued> {
        let db = self.work.read();
        let service = service::find(&db, tenant, client).await?.ok_or(NotIssued::Unknown)?;
        let wrong = || Failure::from(Reason::CredentialsInvalid);
        let presented = ClientSecret::presented(secret).ok_or_else(wrong)?.digest(client);
        if service.disabled_at.is_some() {
            return Err(wrong().into());
        }
        let secrets = service::live_secrets(&db, tenant, client).await?;
        let secret = secrets.into_iter().find(|kept| presented.is(&kept.digest)).ok_or_else(wrong)?;
        Ok((service, secret))
    }
}

fn only_served(service: &Service) -> Result<&str, Failure> {
    let mut served = service.serves();
    match (served.next(), served.next()) {
        (Some(one), None) => Ok(one),
        _ => Err(Reason::CallerNotAllowed.into()),
    }
}
