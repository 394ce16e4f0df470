//! Who may call what. The rule of each RPC is an option of the RPC in the protos.

/// Who may call an RPC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CallerRule {
    /// Anybody: the RPC authenticates its caller by a field of the request (a password, a link, a refresh token) or
    /// needs no authentication.
    Anyone,
    /// A person with the access token of a live session.
    Account,
    /// The same; or a person whose login waits until a factor is added, by fields of the request.
    AccountOrChallenge,
    /// A service account with an access token of its own.
    Service,
    /// A program on this machine, while the `dev` profile is on; nobody otherwise.
    Development,
    /// An operator with the operators' token, on the operators' listener.
    Operator,
}

/// A permission that an RPC may require. No RPC requires one yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Permission {}

/// What an RPC requires of its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Requirement {
    pub caller: CallerRule,
    pub permission: Option<Permission>,
    /// Whether its caller may be known from the revocation feed instead of the database.
    pub from_feed: bool,
    /// Whether a person needs a fresh proof ([`Proof`](crate::assurance::Proof)).
    pub fresh_proof: bool,
}

/// Who is calling, according to the credentials of the call: never derived from the requirement of the RPC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CallerKind {
    /// No credentials, or credentials that were not checked.
    Anonymous,
    /// A program on this machine, while the `dev` profile is on.
    Developer,
    /// A person with an access token.
    Account,
    /// A service account with an access token, issued for one of its secrets.
    Service,
    /// An operator with the operators' token.
    Operator,
}

/// Whether a caller who holds these permissions may call. Denies by default.
pub fn may_call(required: Requirement, caller: CallerKind, held: &[Permission]) -> bool {
    let is_of_kind = match required.caller {
        CallerRule::Anyone => true,
        CallerRule::Account => caller == CallerKind::Account,
        CallerRule::AccountOrChallenge => matches!(caller, CallerKind::Account | CallerKind::Anonymous),
        CallerRule::Service => caller == CallerKind::Service,
        CallerRule::Development => caller == CallerKind::Developer,
        CallerRule::Operator => caller == CallerKind::Operator,
    };
    is_of_kind && required.permission.is_none_or(|permission| held.contains(&permission))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rule_admits_its_own_kind_of_caller_and_nobody_else() {
        use CallerKind::{Account, Anonymous, Developer, Operator, Service};
        let kinds = [Anonymous, Developer, Account, Service, Operator];
        let table: [(CallerRule, &[CallerKind]); 6] = [
            (CallerRule::Anyone, &kinds),
            (CallerRule::Account, &[Account]),
            (CallerRule::AccountOrChallenge, &[Account, Anonymous]),
            (CallerRule::Service, &[Service]),
            (CallerRule::Development, &[Developer]),
            (CallerRule::Operator, &[Operator]),
        ];
        for (caller, admitted) in table {
            for kind in kinds {
                let required = Requirement { caller, permission: None, from_feed: false, fresh_proof: false };
                assert_eq!(may_call(required, kind, &[]), admitted.contains(&kind), "{caller:?} for {kind:?}");
            }
        }
    }
}
