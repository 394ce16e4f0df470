//! Who must have a second factor.

use crate::session::Session;

/// Which accounts must have a second factor. The logins of an account that has one take it in any case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FactorPolicy {
    /// None.
    Never,
    /// Those with one of these roles.
    Roles(Vec<String>),
    /// All.
    Always,
}

impl FactorPolicy {
    /// Whether an account with these roles must have a factor.
    pub fn requires(&self, roles: &[String]) -> bool {
        match self {
            Self::Never => false,
            Self::Roles(required) => required.iter().any(|role| roles.contains(role)),
            Self::Always => true,
        }
    }

    /// Whether a session of an account with these roles may get further tokens: it has a second step, or needs none.
    pub fn accepts(&self, session: &Session, roles: &[String]) -> bool {
        session.has_second_step() || !self.requires(roles)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{assurance::joined, session::tests::session};

    fn roles(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn a_policy_requires_a_factor_of_exactly_whom_it_names() {
        let policy = FactorPolicy::Roles(roles(&["admin", "owner"]));
        for (held, required) in [
            (&[][..], false),
            (&["reader"], false),
            (&["admins"], false),
            (&["owner"], true),
            (&["admin", "reader"], true),
        ] {
            let held = roles(held);
            assert_eq!(policy.requires(&held), required, "{held:?}");
            assert!(FactorPolicy::Always.requires(&held) && !FactorPolicy::Never.requires(&held), "{held:?}");
        }
    }

    #[test]
    fn a_session_goes_on_with_a_second_step_or_on_a_remembered_device() {
        use crate::assurance::{AuthenticationMethod::Password, PASSKEY, PASSWORD_AND_CODE, SESSION_AND_CODE};
        for (methods, on_remembered_device, goes_on) in [
            (&[Password][..], false, false),
            (&[Password], true, true),
            (PASSWORD_AND_CODE, false, true),
            (PASSWORD_AND_CODE, true, true),
            (SESSION_AND_CODE, false, true),
            (PASSKEY, false, true),
        ] {
            let session = Session { methods: joined(methods), on_remembered_device, ..session() };
            assert_eq!(session.has_second_step(), goes_on, "{methods:?}");
            assert_eq!(FactorPolicy::Always.accepts(&session, &[]), goes_on, "{methods:?}");
            assert!(FactorPolicy::Never.accepts(&session, &[]), "{methods:?}");
            let policy = FactorPolicy::Roles(roles(&["admin"]));
            assert_eq!(policy.accepts(&session, &roles(&["admin"])), goes_on, "{methods:?}");
            assert!(policy.accepts(&session, &roles(&["reader"])), "{methods:?}");
        }
    }
}
