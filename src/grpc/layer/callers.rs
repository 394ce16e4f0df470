//! The contract of each RPC, generated from the options on each method of the protos.

use countersign_domain::{
    caller::{CallerRule, Requirement},
    refusal::Reason,
};

include!(concat!(env!("OUT_DIR"), "/methods.rs"));

/// An RPC of Countersign, as its options describe it.
#[derive(Debug)]
pub struct Method {
    pub path: &'static str,
    pub requirement: Requirement,
    /// The reasons for a refusal, besides those of [`EVERY_RPC`] and [`of_caller`].
    pub reasons: &'static [Reason],
    pub idempotency: Idempotency,
    /// Whether it may end the session of its caller.
    pub ends_session: bool,
    /// Whether its answer is a stream.
    pub is_stream: bool,
}

/// The effect of a repeated call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Idempotency {
    /// It changes nothing.
    NoSideEffects,
    /// It has one effect.
    Idempotent,
    /// It has one effect for each `request_id`.
    ByRequestId,
    /// A repeated call has its effect again.
    Unknown,
}

/// The reasons for which any RPC may refuse a call.
pub const EVERY_RPC: &[Reason] = &[
    Reason::MalformedRequest,
    Reason::RequestTooLarge,
    Reason::MethodUnknown,
    Reason::TenantUnknown,
    Reason::OriginNotAllowed,
    Reason::RateLimited,
    Reason::DeadlineExceeded,
    Reason::StoreUnavailable,
    Reason::Internal,
];

/// The further reasons of an RPC for this kind of caller.
pub const fn of_caller(rule: CallerRule) -> &'static [Reason] {
    match rule {
        CallerRule::Anyone | CallerRule::Development => &[],
        CallerRule::Account => &[
            Reason::TokenMissing,
            Reason::TokenInvalid,
            Reason::TokenExpired,
            Reason::TokenNotYetValid,
            Reason::SessionEnded,
            Reason::AccountDisabled,
            Reason::CallerNotAllowed,
        ],
        CallerRule::AccountOrChallenge => &[
            Reason::TokenMissing,
            Reason::TokenInvalid,
            Reason::TokenExpired,
            Reason::TokenNotYetValid,
            Reason::SessionEnded,
            Reason::AccountDisabled,
            Reason::CallerNotAllowed,
            Reason::ChallengeInvalid,
        ],
        CallerRule::Service => &[
            Reason::TokenMissing,
            Reason::TokenInvalid,
            Reason::TokenExpired,
            Reason::TokenNotYetValid,
            Reason::SessionEnded,
            Reason::CallerNotAllowed,
        ],
        CallerRule::Operator => &[Reason::TokenMissing, Reason::TokenInvalid, Reason::CallerNotAllowed],
    }
}

/// The standard services, whose protos are not ours to annotate.
const STANDARD: &[&str] = &[
    "/grpc.health.v1.Health/Check",
    "/grpc.health.v1.Health/List",
    "/grpc.health.v1.Health/Watch",
    "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
];

/// The standard services have no confidential answers.
const STANDARD_REQUIREMENT: Requirement =
    Requirement { caller: CallerRule::Anyone, permission: None, from_feed: false, fresh_proof: false };

/// The standard services whose answers are streams.
const STANDARD_STREAMS: [&str; 3] = [
    "/grpc.health.v1.Health/Watch",
    "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
];

fn method(path: &str) -> Option<&'static Method> {
    METHODS.binary_search_by_key(&path, |method| method.path).ok().map(|at| &METHODS[at])
}

/// The path of an RPC and its requirements on the caller; `None` when there is no such RPC.
pub(crate) fn find(path: &str) -> Option<(&'static str, Requirement)> {
    if let Some(method) = method(path) {
        return Some((method.path, method.requirement));
    }
    STANDARD.iter().find(|standard| **standard == path).map(|standard| (*standard, STANDARD_REQUIREMENT))
}

/// Whether an RPC is one of the standard services.
pub(super) fn is_standard(path: &str) -> bool {
    STANDARD.contains(&path)
}

/// Whether the answer of an RPC is a stream.
pub(super) fn is_stream(path: &str) -> bool {
    method(path).is_some_and(|method| method.is_stream) || STANDARD_STREAMS.contains(&path)
}

/// Whether the contract lists this reason for the RPC. The contract does not cover the standard services, so for them
/// any reason is listed.
pub(crate) fn lists(path: &str, reason: Reason) -> bool {
    method(path).is_none_or(|method| {
        let of_caller = of_caller(method.requirement.caller);
        method.reasons.contains(&reason) || of_caller.contains(&reason) || EVERY_RPC.contains(&reason)
    })
}

/// Every RPC of Countersign.
pub fn table() -> &'static [Method] {
    METHODS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_can_be_searched_by_halving() {
        assert!(METHODS.is_sorted_by_key(|method| method.path));
        assert_eq!(
            find("/countersign.v1.AuthService/Login").map(|(_, required)| required.caller),
            Some(CallerRule::Anyone)
        );
        assert_eq!(
            find("/countersign.v1.AccountService/GetMe").map(|(_, required)| required.caller),
            Some(CallerRule::Account)
        );
        assert_eq!(find("/countersign.v1.AccountService/getme"), None);
    }

    #[test]
    fn streams_are_told_from_calls_that_end() {
        for stream in [
            "/countersign.v1.VerificationService/WatchRevocations",
            "/countersign.admin.v1.AuditService/WatchEvents",
            "/grpc.health.v1.Health/Watch",
        ] {
            assert!(is_stream(stream), "{stream}");
        }
        assert!(!is_stream("/countersign.v1.AuthService/Login") && !is_stream("/grpc.health.v1.Health/Check"));
    }

    #[test]
    fn a_reason_is_listed_by_the_rpc_by_its_kind_of_caller_or_for_all() {
        let me = "/countersign.v1.AccountService/GetMe";
        assert!(lists("/countersign.v1.AccountService/Register", Reason::UsernameTaken));
        assert!(lists(me, Reason::TokenExpired) && lists(me, Reason::DeadlineExceeded));
        assert!(!lists(me, Reason::UsernameTaken) && !lists("/countersign.v1.AuthService/Login", Reason::TokenExpired));
    }

    #[test]
    fn whoever_is_known_from_the_feed_changes_nothing() {
        let from_feed: Vec<_> = METHODS.iter().filter(|method| method.requirement.from_feed).collect();
        assert!(!from_feed.is_empty());
        for method in from_feed {
            assert_eq!(method.idempotency, Idempotency::NoSideEffects, "{}", method.path);
        }
    }

    #[test]
    fn no_rpc_lists_what_it_need_not() {
        for Method { path, requirement: Requirement { caller, .. }, reasons, .. } in METHODS {
            for reason in *reasons {
                let is_once = reasons.iter().filter(|other| *other == reason).count() == 1;
                assert!(is_once && !of_caller(*caller).contains(reason), "{path}: {reason:?}");
                assert!(!EVERY_RPC.contains(reason), "{path}: {reason:?}");
            }
        }
    }
}
