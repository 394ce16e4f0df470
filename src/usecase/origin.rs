use countersign_domain::{id::TenantId, refusal::Reason, tenant::DEFAULT_TENANT};

/// The origin of a call.
#[derive(Clone, Debug)]
pub struct Origin {
    /// The tenant that the call names; `None` when it names none.
    pub named_tenant: Option<TenantId>,
    /// The network address of the peer.
    pub address: String,
    /// The user agent of the client as sent; may be empty.
    pub user_agent: String,
    /// The path of the RPC; empty for a caller without an RPC.
    pub rpc: &'static str,
    /// Identifies the call in logs, in the audit log and in errors.
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

    /// The service itself, for scheduled work.
    pub fn service() -> Self {
        Self {
            named_tenant: None,
            address: String::new(),
            user_agent: "countersign".to_owned(),
            rpc: "",
            trace_id: String::new(),
        }
    }

    /// The tenant of a call without credentials.
    pub fn tenant(&self) -> TenantId {
        self.named_tenant.unwrap_or(DEFAULT_TENANT)
    }

    /// Refuses a call that names one tenant and presents a token of another.
    ///
    /// # Errors
    /// With `otherwise` as the reason.
    pub fn check_tenant(&self, proven: TenantId, otherwise: Reason) -> Result<(), Reason> {
        match self.named_tenant {
            Some(named) if named != proven => Err(otherwise),
            _ => Ok(()),
        }
    }
}
