//! Who may sign up.

use crate::email::EmailAddress;

/// From whom registrations are accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RegistrationPolicy {
    /// From everybody.
    Open,
    /// From nobody: operators create the accounts.
    Closed,
    /// From addresses at these hosts, in ASCII and lower case.
    Domains(Vec<String>),
}

impl RegistrationPolicy {
    /// Whether a registration of this address may create an account. Does not say whether an account exists.
    pub fn allows(&self, email: &EmailAddress) -> bool {
        match self {
            Self::Open => true,
            Self::Closed => false,
            // The normalized host is in ASCII. A subdomain of a host is another host, with other people.
            Self::Domains(hosts) => {
                email.normalised().rsplit_once('@').is_some_and(|(_, host)| hosts.iter().any(|known| known == host))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

    use super::*;

    #[test]
    fn only_the_hosts_themselves_are_admitted_in_whatever_spelling() {
        let policy = RegistrationPolicy::Domains(vec!["example.org".to_owned(), "xn--bcher-kva.example".to_owned()]);
        for (address, is_admitted) in [
            ("ada@example.org", true),
            ("ADA@Example.ORG", true),
            ("ada@bücher.example", true),
            ("ada@xn--bcher-kva.example", true),
            ("ada@mail.example.org", false),
            ("ada@notexample.org", false),
            ("ada@example.org.evil.example", false),
            ("example.org@evil.example", false),
        ] {
            let address = EmailAddress::parse(address).unwrap();
            assert_eq!(policy.allows(&address), is_admitted, "{address:?}");
            assert!(RegistrationPolicy::Open.allows(&address));
            assert!(!RegistrationPolicy::Closed.allows(&address));
        }
    }
}
