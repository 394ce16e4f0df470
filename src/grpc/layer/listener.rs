use super::callers;
use crate::usecase::gate::OperatorGate;
use countersign_domain::caller::{CallerRule, Requirement};

/// The listener of a call. It does not serve the RPCs of the other listener.
#[derive(Clone, Debug)]
pub enum Listener {
    /// For people and backends.
    Public,
    /// For operators.
    Operators(OperatorGate),
}

impl Listener {
    /// The path and the requirements of an RPC that is served here.
    pub(super) fn find(&self, path: &str) -> Option<(&'static str, Requirement)> {
        let (name, required) = callers::find(path)?;
        let rule = required.caller;
        let is_here = match self {
            Self::Public => rule != CallerRule::Operator,
            Self::Operators(_) => rule == CallerRule::Operator || callers::is_standard(path),
        };
        is_here.then_some((name, required))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_listener_knows_its_own_rpcs_and_the_standard_ones() {
        let (public, operators) = (Listener::Public, Listener::Operators(OperatorGate { token: None }));
        for callers::Method { path, requirement, .. } in callers::table() {
            assert_ne!(public.find(path).is_some(), operators.find(path).is_some(), "{path}");
            assert_eq!(operators.find(path).is_some(), requirement.caller == CallerRule::Operator, "{path}");
        }
        let health = "/grpc.health.v1.Health/Check";
        assert!(public.find(health).is_some() && operators.find(health).is_some());
        assert!(public.find("/nothing").is_none() && operators.find("/nothing").is_none());
    }
}
