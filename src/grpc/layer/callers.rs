//! The caller table: who may call what. Generated from the option `caller` on each method of the protos.

use countersign_domain::caller::CallerRule;

include!(concat!(env!("OUT_DIR"), "/callers.rs"));

/// The standard services, whose protos are not ours to annotate.
const STANDARD: &[(&str, CallerRule)] = &[
    ("/grpc.health.v1.Health/Check", CallerRule::Anyone),
    ("/grpc.health.v1.Health/List", CallerRule::Anyone),
    ("/grpc.health.v1.Health/Watch", CallerRule::Anyone),
    ("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", CallerRule::Anyone),
    ("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", CallerRule::Anyone),
];

/// The line of an RPC, or `None` when there is no such RPC.
pub(crate) fn find(path: &str) -> Option<(&'static str, CallerRule)> {
    if let Ok(at) = CALLERS.binary_search_by_key(&path, |(path, _)| path) {
        return Some(CALLERS[at]);
    }
    STANDARD.iter().copied().find(|(standard, _)| *standard == path)
}

/// Whether an RPC is one of the standard services.
pub(super) fn is_standard(path: &str) -> bool {
    STANDARD.iter().any(|(standard, _)| *standard == path)
}

/// Every RPC of Countersign and who may call it.
pub fn table() -> &'static [(&'static str, CallerRule)] {
    CALLERS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_can_be_searched_by_halving() {
        assert!(CALLERS.is_sorted_by_key(|(path, _)| path));
        assert_eq!(find("/countersign.v1.AuthService/Login").map(|(_, rule)| rule), Some(CallerRule::Anyone));
        assert_eq!(find("/countersign.v1.AccountService/GetMe").map(|(_, rule)| rule), Some(CallerRule::Account));
        assert_eq!(find("/countersign.v1.AccountService/getme"), None);
    }
}
