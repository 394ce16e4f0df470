//! Who may call what. The table itself stands on the RPCs, in the protos.

/// Who may call an RPC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CallerRule {
    /// Anybody: the RPC proves its caller by what it is given (a password, a link, a refresh token) or needs no proof.
    Anyone,
    /// A person with the access token of a live session.
    Account,
    /// Anybody, while the `dev` profile is on; nobody otherwise.
    Development,
}

/// Who is calling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CallerKind {
    /// Nobody in particular: no access token.
    Anonymous,
    /// A person with the access token of a live session.
    Account,
}

/// Whether a caller may call. What no line allows is denied.
pub fn may_call(rule: CallerRule, caller: CallerKind, development: bool) -> bool {
    match (rule, caller) {
        (CallerRule::Anyone, _) | (CallerRule::Account, CallerKind::Account) => true,
        (CallerRule::Account, CallerKind::Anonymous) => false,
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
        assert!(!may_call(CallerRule::Development, CallerKind::Account, false));
        assert!(may_call(CallerRule::Development, CallerKind::Anonymous, true));
    }
}
