use crate::{
    store::{
        Store, audit,
        audit::{AuditFilter, Before},
        audit_chain, tenant,
    },
    usecase::{Failure, gate::FindTenant},
};
use countersign_domain::{audit::RecordedEvent, id::TenantId, tenant::DEFAULT_TENANT};

/// Reads the audit log, for an operator.
#[derive(Clone, Debug)]
pub struct ReadAudit {
    pub store: Store,
}

/// A page of events, and where the next page begins.
#[derive(Clone, Debug)]
pub struct AuditPage {
    pub events: Vec<RecordedEvent>,
    pub next: Option<Before>,
}

impl ReadAudit {
    /// Returns the tenant of this name; the default tenant when there is no name.
    ///
    /// # Errors
    /// TENANT_UNKNOWN.
    #[tracing::instrument(level = "debug", name = "audit.find_tenant", skip_all)]
    pub async fn tenant(&self, name: Option<&str>) -> Result<TenantId, Failure> {
        let Some(name) = name else { return Ok(DEFAULT_TENANT) };
        FindTenant { store: self.store.clone() }.find(name).await
    }

    /// Returns the name of a tenant, if the tenant exists.
    ///
    /// # Errors
    /// When the database does not answer.
    #[tracing::instrument(level = "debug", name = "audit.tenant_name", skip_all)]
    pub async fn name(&self, tenant: TenantId) -> Result<Option<String>, Failure> {
        Ok(tenant::name(&self.store.read(), tenant).await?)
    }

    /// Returns the newest events before a position, newest first.
    ///
    /// # Errors
    /// When the database does not answer.
    #[tracing::instrument(level = "debug", name = "audit.newest", skip_all)]
    pub async fn newest(
        &self,
        tenant: TenantId,
        filter: &AuditFilter,
        before: Option<Before>,
        size: usize,
    ) -> Result<AuditPage, Failure> {
        // One event more than the page holds shows whether there is another page.
        let limit = u64::try_from(size).unwrap_or(u64::MAX).saturating_add(1);
        let mut events = audit::newest(&self.store.read(), tenant, filter, before, limit).await?;
        let is_all = events.len() <= size;
        events.truncate(size);
        let last = events.last().filter(|_| !is_all);
        let next = last.map(|row| Before { happened_at: row.happened_at, id: row.id });
        Ok(AuditPage { events, next })
    }

    /// The last position of a tenant's chain; zero when the tenant has no chain.
    ///
    /// # Errors
    /// When the database does not answer.
    #[tracing::instrument(level = "debug", name = "audit.end", skip_all)]
    pub async fn end(&self, tenant: TenantId) -> Result<i64, Failure> {
        Ok(audit_chain::head(&self.store.read(), tenant).await?.map_or(0, |head| head.position))
    }

    /// Sealed events after a position, in order.
    ///
    /// # Errors
    /// When the database does not answer.
    #[tracing::instrument(level = "debug", name = "audit.after", skip_all)]
    pub async fn after(&self, tenant: TenantId, position: i64) -> Result<Vec<RecordedEvent>, Failure> {
        const PAGE: u64 = 100;
        Ok(audit::after(&self.store.read(), tenant, position, PAGE).await?)
    }
}
