//! Identifiers. One type per noun, so that a session id can never be passed where an account id is meant.

use std::{fmt, str::FromStr};
use uuid::Uuid;

use crate::time::Timestamp;

/// The text given was not an identifier of this kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidId;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            pub const fn as_uuid(self) -> Uuid {
                self.0
            }

            /// The sixteen bytes.
            pub const fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }

            /// A UUID version 7 (RFC 9562 section 5.7): sorts by time of creation, 74 random bits.
            pub fn new(now: Timestamp, random: [u8; 10]) -> Self {
                Self(version_7(now, random))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            /// Only the canonical form is read: 36 characters, lower case, hyphens.
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                let uuid = Uuid::try_parse(text).map_err(|_| InvalidId)?;
                let mut buffer = Uuid::encode_buffer();
                if *uuid.hyphenated().encode_lower(&mut buffer) != *text {
                    return Err(InvalidId);
                }
                Ok(Self(uuid))
            }
        }
    };
}

fn version_7(now: Timestamp, random: [u8; 10]) -> Uuid {
    let millis = u64::try_from(now.as_micros() / 1_000).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
}

id!(
    /// An account of a person. Accounts exist only once their address is verified.
    AccountId
);
id!(
    /// A sign-up that waits for its address to be verified.
    RegistrationId
);
id!(
    /// A role of a tenant.
    RoleId
);
id!(
    /// A login on one device.
    SessionId
);
id!(
    /// A program on a machine that somebody logged in from. Derived from its token, so it does not tell when it was
    /// created.
    DeviceId
);
id!(
    /// A mailed link and its code.
    ActionId
);
id!(
    /// A factor of an account beside its password.
    FactorId
);
id!(
    /// A login whose password was right, and that waits for a second factor.
    ChallengeId
);
id!(
    /// A ceremony of which nothing is stored until it is used: a login by passkey, or a passkey that proves a session
    /// again.
    CeremonyId
);
id!(
    /// A mail in the outbox.
    MailId
);
id!(
    /// An event of the audit log.
    EventId
);
id!(
    /// A service account: a backend with credentials of its own.
    ServiceId
);
id!(
    /// A secret of a service account.
    ServiceSecretId
);
id!(
    /// An isolated set of accounts.
    TenantId
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_canonical_form_is_an_id() {
        let id = SessionId::new(Timestamp::from_seconds(1_700_000_000), [7; 10]);
        assert_eq!(id.to_string().parse(), Ok(id));
        for other in [
            id.to_string().to_uppercase(),
            id.as_uuid().simple().to_string(),
            format!("{{{id}}}"),
            format!("urn:uuid:{id}"),
            String::new(),
        ] {
            assert_eq!(other.parse::<SessionId>(), Err(InvalidId), "{other}");
        }
    }

    #[test]
    fn ids_sort_by_time_of_creation() {
        let earlier = EventId::new(Timestamp::from_seconds(1), [255; 10]);
        let later = EventId::new(Timestamp::from_seconds(2), [0; 10]);
        assert!(earlier < later);
    }
}
