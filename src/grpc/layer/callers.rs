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

/// Those of them whose answers do not end by themselves.
const STANDARD_STREAMS: [&str; 3] = [
    "/grpc.health.v1.Health/Watch",
    "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
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

/// Whether the answer of an RPC is a stream.
pub(super) fn is_stream(path: &str) -> bool {
    STREAMS.binary_search(&path).is_ok() || STANDARD_STREAMS.contains(&path)
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

    #[test]
    fn streams_are_told_from_calls_that_end() {
        assert!(STREAMS.is_sorted());
        for stream in [
            "/countersign.v1.VerificationService/WatchRevocations",
            "/countersign.admin.v1.AuditService/WatchEvents",
            "/grpc.health.v1.Health/Watch",
        ] {
            assert!(is_stream(stream), "{stream}");
        }
        assert!(!is_stream("/countersign.v1.AuthService/Login") && !is_stream("/grpc.health.v1.Health/Check"));
    }
}
