//! Who may call what. The table itself stands on the RPCs, in the protos.

/// Who may call an RPC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CallerRule {
    /// Anybody: the RPC proves its caller by what it is given (a password, a link, a refresh token) or needs no proof.
    Anyone,
    /// A person with the access token of a live session.
    Account,
    /// A service account with an access token of its own.
    Service,
    /// Anybody, while the `dev` profile is on; nobody otherwise.
    Development,
    /// An operator with the operators' token, on the operators' listener.
    Operator,
}

/// Who is calling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CallerKind {
    /// Nobody in particular: no access token.
    Anonymous,
    /// A person with the access token of a live session.
    Account,
    /// A service account with an access token drawn from a live secret.
    Service,
    /// An operator who brought the operators' token.
    Operator,
}

/// Whether a caller may call. What no line allows is denied.
pub fn may_call(rule: CallerRule, caller: CallerKind, development: bool) -> bool {
    match (rule, caller) {
        (CallerRule::Anyone, _)
        | (CallerRule::Account, CallerKind::Account)
        | (CallerRule::Service, CallerKind::Service)
        | (CallerRule::Operator, CallerKind::Operator) => true,
        (CallerRule::Account | CallerRule::Service | CallerRule::Operator, _) => false,
        (CallerRule::Development, _) => development,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_anonymous_caller_reaches_only_what_is_open_to_anyone() {
        assert!(may_call(CallerRule::Anyone, CallerKind::Anonymous, false));
        assert!(!may_call(CallerRule::Account, CallerKind::Anonymous, true));
        assert!(may_call(CallerRule::Account, CallerKind::Account, false));
        assert!(!may_call(CallerRule::Service, CallerKind::Anonymous, true));
        assert!(!may_call(CallerRule::Development, CallerKind::Account, false));
        assert!(may_call(CallerRule::Development, CallerKind::Anonymous, true));
    }

    #[test]
    fn people_and_services_do_not_stand_in_for_each_other() {
        assert!(may_call(CallerRule::Service, CallerKind::Service, false));
        assert!(!may_call(CallerRule::Service, CallerKind::Account, true));
        assert!(!may_call(CallerRule::Account, CallerKind::Service, true));
    }

    #[test]
    fn an_operator_is_nobody_else_and_nobody_else_is_an_operator() {
        assert!(may_call(CallerRule::Operator, CallerKind::Operator, false));
        for other in [CallerKind::Anonymous, CallerKind::Account, CallerKind::Service] {
            assert!(!may_call(CallerRule::Operator, other, true), "{other:?}");
        }
        assert!(!may_call(CallerRule::Account, CallerKind::Operator, true));
        assert!(!may_call(CallerRule::Service, CallerKind::Operator, true));
    }
}
