use super::Throttle;
use crate::{
    telemetry,
    usecase::{EventSubject, Origin, UnitsOfWork},
};
use countersign_domain::{audit::EventKind, id::TenantId, limit::LimitKey, refusal::Reason};

/// Records that a known caller requested something without permission (OWASP ASVS 5.0 requirement 16.3.2).
///
/// The refusal of an unknown caller leaves no event: a metric counts it, and the log has samples.
#[derive(Clone, Debug)]
pub struct RecordDenial {
    pub work: UnitsOfWork,
    pub throttle: Throttle,
}

impl RecordDenial {
    /// `about` names the proven account or service. Above a rate limit for each of them, a refusal is counted and
    /// leaves no event: anybody can have an account.
    pub async fn record(&self, origin: &Origin, tenant: TenantId, about: EventSubject, reason: Reason) {
        let key: Option<LimitKey> = about.actor.map(LimitKey::from).or_else(|| about.service.map(LimitKey::from));
        let Some(key) = key else { return };
        if self.throttle.records_denial(key).await {
            let about = EventSubject { object: Some(origin.rpc.to_owned()), ..about };
            self.work.record_refusal(origin, tenant, (EventKind::CallRefused, reason), about).await;
        } else {
            telemetry::count_event(EventKind::CallRefused.name(), reason.name());
        }
    }
}
