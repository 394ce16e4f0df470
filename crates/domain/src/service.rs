//! Service accounts: backends with credentials of their own.

use crate::{
    audience::is_audience_name,
    closed_list::closed_list,
    id::{ServiceId, TenantId},
    time::Timestamp,
};

/// Secrets a service may have at a time: one in use, and one that takes its place while it is being rolled out.
pub const MAX_LIVE_SECRETS: usize = 2;

/// The `acr` of a service's access token. People's levels are numbers.
pub const SERVICE_LEVEL: &str = "service";

/// The `amr` of a service's access token.
pub const SERVICE_METHOD: &str = "client_secret";

/// Whether `name` could name a service: as names of audiences.
pub fn is_service_name(name: &str) -> bool {
    is_audience_name(name)
}

closed_list! {
    /// What a service has to do with an audience. The name is stored.
    pub enum Access {
        /// It is one of the backends of the audience: it reads its tokens, and so is given its keys.
        Serves = "serves",
        /// It calls those backends: it may have tokens made for them, and can read none.
        Calls = "calls",
    }
}

/// A backend with credentials of its own.
#[derive(Clone, Debug)]
pub struct Service {
    pub id: ServiceId,
    pub tenant: TenantId,
    pub name: String,
    pub created_at: Timestamp,
    pub disabled_at: Option<Timestamp>,
    /// The audiences it has to do with, in order of their names.
    pub audiences: Vec<(String, Access)>,
}

impl Service {
    /// Whether it has this to do with an audience.
    pub fn may(&self, access: Access, audience: &str) -> bool {
        self.audiences.iter().any(|(name, has)| *has == access && name == audience)
    }

    /// The audiences it is a backend of.
    pub fn serves(&self) -> impl Iterator<Item = &str> {
        self.audiences.iter().filter(|(_, access)| *access == Access::Serves).map(|(name, _)| name.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_access_is_read_back_as_it_is_stored() {
        for access in Access::ALL {
            assert_eq!(Access::from_name(access.name()), Some(access));
        }
        assert_eq!(Access::from_name("owns"), None);
    }
}
