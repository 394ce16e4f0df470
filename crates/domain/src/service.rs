//! Service accounts: backends with credentials of their own.

use crate::{
    audience::is_audience_name,
    closed_list::closed_list,
    id::{ServiceId, TenantId},
    time::Timestamp,
};

/// The most live secrets of a service: one in use, and its successor while that is rolled out.
pub const MAX_LIVE_SECRETS: usize = 2;

/// The `acr` of the access token of a service. The levels of people are numbers.
pub const SERVICE_LEVEL: &str = "service";

/// The `amr` of the access token of a service.
pub const SERVICE_METHOD: &str = "client_secret";

/// Whether `name` is a valid name of a service: the rule is that of audiences.
pub fn is_service_name(name: &str) -> bool {
    is_audience_name(name)
}

closed_list! {
    /// The relation of a service to an audience. The name is stored.
    pub enum Access {
        /// It is a backend of the audience: it gets the keys and reads the tokens.
        Serves = "serves",
        /// It calls those backends: it may request tokens for them, and can read none.
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
    /// The audiences that the service is related to, in order of their names.
    pub audiences: Vec<(String, Access)>,
}

impl Service {
    /// Whether the service has this access to an audience.
    pub fn may(&self, access: Access, audience: &str) -> bool {
        self.audiences.iter().any(|(name, has)| *has == access && name == audience)
    }

    /// The audiences that the service is a backend of.
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
