use countersign_domain::{id::TenantId, refusal::Reason, tenant::DEFAULT_TENANT};

/// Where a call comes from.
#[derive(Clone, Debug)]
pub struct Origin {
    /// The tenant that was asked for; `None` when the call leaves it open.
    pub named_tenant: Option<TenantId>,
    /// The network address of the peer.
    pub address: String,
    /// The software as it named itself; possibly empty.
    pub user_agent: String,
    /// The path of the RPC; empty where there is none.
    pub rpc: &'static str,
    /// Names the call in logs, in the audit trail and in errors.
    pub trace_id: String,
}

impl Origin {
    /// An operator at a terminal of this machine.
    pub fn terminal() -> Self {
        Self {
            named_tenant: None,
            address: String::new(),
            user_agent: "countersign command line".to_owned(),
            rpc: "",
            trace_id: String::new(),
        }
    }

    /// The service itself, when a time has come.
    pub fn service() -> Self {
        Self {
            named_tenant: None,
            address: String::new(),
            user_agent: "countersign".to_owned(),
            rpc: "",
            trace_id: String::new(),
        }
    }

    /// The tenant of a call that proves none.
    pub fn tenant(&self) -> TenantId {
        self.named_tenant.unwrap_or(DEFAULT_TENANT)
    }

    /// A call that names a tenant and brings the token of another is not what it claims to be.
    ///
    /// # Errors
    /// With the reason given.
    pub fn check_tenant(&self, proven: TenantId, otherwise: Reason) -> Result<(), Reason> {
        match self.named_tenant {
            Some(named) if named != proven => Err(otherwise),
            _ => Ok(()),
        }
    }
}
