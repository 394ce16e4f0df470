use super::Profile;
use crate::{
    store::{audit, audit::AuditFilter, reserved_username, session},
    usecase::{
        EventSubject, Failure, Origin, UnitsOfWork,
        factor::{FactorList, ListFactors, ListRememberedDevices},
        gate::SignedIn,
    },
};
use countersign_domain::{
    audit::{EventKind, RecordedEvent},
    device::RememberedDevice,
    factor::Factor,
    time::Timestamp,
};
use serde::Serialize;
use std::time::{Duration, UNIX_EPOCH};

/// Exports what is stored about the caller (GDPR articles 15 and 20).
#[derive(Clone, Debug)]
pub struct ExportMe {
    pub work: UnitsOfWork,
    pub factors: ListFactors,
    pub remembered: ListRememberedDevices,
}

/// The most rows of one kind in an export. An account with more has a problem that an export does not solve.
const MAX_ROWS: u64 = 1_000;

#[derive(Serialize)]
struct Export {
    exported_at: String,
    account: ExportedAccount,
    factors: Vec<ExportedFactor>,
    /// Backup codes that were not used.
    backup_codes_left: u64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    remembered_devices: Vec<ExportedDevice>,
    sessions: Vec<ExportedSession>,
    events: Vec<ExportedEvent>,
}

#[derive(Serialize)]
struct ExportedAccount {
    account_id: String,
    email: String,
    email_verified_at: String,
    username: Option<String>,
    /// User names that the owner gave up, and that are reserved for the account.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    former_usernames: Vec<String>,
    display_name: String,
    locale: &'static str,
    roles: Vec<String>,
    created_at: String,
    password_changed_at: String,
}

#[derive(Serialize)]
struct ExportedFactor {
    factor_id: String,
    kind: &'static str,
    name: String,
    created_at: String,
    used_at: Option<String>,
    /// Of a passkey.
    #[serde(skip_serializing_if = "Option::is_none")]
    is_backup_eligible: Option<bool>,
    /// Of a passkey.
    #[serde(skip_serializing_if = "Option::is_none")]
    authenticator: Option<&'static str>,
}

#[derive(Serialize)]
struct ExportedDevice {
    device_id: String,
    device_name: String,
    user_agent: String,
    created_at: String,
    expires_at: String,
}

#[derive(Serialize)]
struct ExportedSession {
    session_id: String,
    audience: String,
    device_name: String,
    user_agent: String,
    address: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<String>,
    created_at: String,
    refreshed_at: String,
    expires_at: String,
}

#[derive(Serialize)]
struct ExportedEvent {
    happened_at: String,
    kind: String,
    outcome: String,
    reason: Option<String>,
    account_id: Option<String>,
    session_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    service_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    object: Option<String>,
    address: String,
    user_agent: String,
}

impl ExportMe {
    /// Returns a JSON document.
    ///
    /// # Errors
    /// When the database does not answer.
    #[tracing::instrument(level = "debug", name = "account.export_me", skip_all)]
    pub async fn export(&self, origin: &Origin, caller: &SignedIn) -> Result<Vec<u8>, Failure> {
        let now = self.work.now();
        let (tenant, id) = (caller.tenant(), caller.account().id);
        let db = self.work.read();
        let profile = Profile::of(caller);
        let sessions = session::list_live(&db, tenant, id, now, None, MAX_ROWS).await?;
        let own = AuditFilter { account: Some(id), ..AuditFilter::default() };
        let events = audit::newest(&db, tenant, &own, None, MAX_ROWS).await?;
        let former_usernames = reserved_username::of_account(&db, tenant, id, now).await?;
        let FactorList { factors, backup_codes_left } = self.factors.list(tenant, id).await?;
        let remembered = self.remembered.list(tenant, id).await?;
        let account = profile.account;
        let export = Export {
            exported_at: written(now),
            account: ExportedAccount {
                account_id: account.id.to_string(),
                email: account.email.as_str().to_owned(),
                email_verified_at: written(account.email_verified_at),
                username: account.username.map(|name| name.as_str().to_owned()),
                former_usernames,
                display_name: account.display_name,
                locale: account.locale.tag(),
                roles: profile.roles,
                created_at: written(account.created_at),
                password_changed_at: written(account.password_changed_at),
            },
            factors: factors.into_iter().map(ExportedFactor::from).collect(),
            backup_codes_left,
            remembered_devices: remembered.into_iter().map(ExportedDevice::from).collect(),
            sessions: sessions
                .into_iter()
                .map(|session| ExportedSession {
                    session_id: session.id.to_string(),
                    audience: session.audience,
                    device_name: session.device_name,
                    user_agent: session.user_agent,
                    address: session.address,
                    place: session.place.map(|place| place.to_string()),
                    created_at: written(session.created_at),
                    refreshed_at: written(session.refreshed_at),
                    expires_at: written(session.expiry.idle),
                })
                .collect(),
            events: events.into_iter().map(ExportedEvent::from).collect(),
        };
        let about = EventSubject::own(id).in_session(caller.session().id);
        self.work.record(origin, tenant, EventKind::AccountExported, about).await?;
        serde_json::to_vec_pretty(&export).map_err(|error| Failure::Broken(error.to_string()))
    }
}

impl From<Factor> for ExportedFactor {
    fn from(factor: Factor) -> Self {
        Self {
            factor_id: factor.id.to_string(),
            kind: factor.kind.name(),
            name: factor.name,
            created_at: written(factor.created_at),
            used_at: factor.used_at.map(written),
            is_backup_eligible: factor.passkey.map(|facts| facts.is_backup_eligible),
            authenticator: factor.passkey.and_then(|facts| facts.authenticator()),
        }
    }
}

impl From<RememberedDevice> for ExportedDevice {
    fn from(device: RememberedDevice) -> Self {
        Self {
            device_id: device.id.to_string(),
            device_name: device.device_name,
            user_agent: device.user_agent,
            created_at: written(device.created_at),
            expires_at: written(device.expires_at),
        }
    }
}

impl From<RecordedEvent> for ExportedEvent {
    fn from(row: RecordedEvent) -> Self {
        Self {
            happened_at: written(row.happened_at),
            kind: row.kind,
            outcome: row.outcome,
            reason: row.reason,
            account_id: row.account.map(|id| id.to_string()),
            session_id: row.session.map(|id| id.to_string()),
            service_id: row.service.map(|id| id.to_string()),
            object: row.object,
            address: row.address,
            user_agent: row.user_agent,
        }
    }
}

/// RFC 3339, in UTC.
fn written(at: Timestamp) -> String {
    let since_epoch = Duration::from_micros(u64::try_from(at.as_micros()).unwrap_or(0));
    humantime::format_rfc3339_seconds(UNIX_EPOCH + since_epoch).to_string()
}
