use countersign::grpc::{status, wire::proto::ErrorReason};
use countersign_domain::refusal::Reason;
use std::collections::{BTreeSet, HashSet};
use tonic::Code;

fn in_proto(reason: Reason) -> String {
    format!("ERROR_REASON_{}", reason.name())
}

#[test]
fn every_reason_is_in_the_proto_under_its_own_name() {
    for reason in Reason::ALL {
        let found = ErrorReason::from_str_name(&in_proto(reason));
        assert_eq!(found.map(|found| found.as_str_name().to_owned()), Some(in_proto(reason)));
    }
}

#[test]
fn every_reason_in_the_proto_can_be_given() {
    let given: HashSet<_> = Reason::ALL.iter().map(|reason| in_proto(*reason)).collect();
    let listed: Vec<_> = (1..1_000).filter_map(|number| ErrorReason::try_from(number).ok()).collect();
    assert_eq!(listed.len(), given.len());
    for reason in listed {
        assert!(given.contains(reason.as_str_name()), "{} is never given", reason.as_str_name());
    }
}

#[test]
fn every_reason_travels_by_a_code_that_is_an_error_and_a_text_of_its_own() {
    let mut texts = BTreeSet::new();
    for reason in Reason::ALL {
        let line = status::line(reason);
        assert!(
            !matches!(line.code, Code::Ok | Code::Unknown | Code::DataLoss),
            "{reason:?} travels as {:?}",
            line.code
        );
        assert!((400..600).contains(&line.http), "{reason:?} travels as HTTP {}", line.http);
        assert!(!line.text.is_empty() && texts.insert(line.text), "{reason:?} has no text of its own");
        assert!(!line.advice.name().is_empty());
    }
}

#[test]
fn a_reason_is_no_fault_of_the_caller_exactly_where_http_says_so_too() {
    for reason in Reason::ALL {
        let line = status::line(reason);
        let ours = matches!(line.code, Code::Internal | Code::Unavailable | Code::DeadlineExceeded);
        assert_eq!(ours, line.http >= 500, "{reason:?}: {:?} and HTTP {}", line.code, line.http);
    }
}

#[test]
fn waiting_is_advised_only_where_time_can_change_something() {
    use status::Advice;
    let retried: HashSet<_> =
        Reason::ALL.iter().filter(|reason| status::line(**reason).advice == Advice::Retry).copied().collect();
    let expected = [
        Reason::RefreshContended,
        Reason::TokenNotYetValid,
        Reason::MailNotFound,
        Reason::DeadlineExceeded,
        Reason::RateLimited,
        Reason::Overloaded,
        Reason::StoreUnavailable,
        Reason::CaptchaUnavailable,
        Reason::BreachCheckUnavailable,
    ];
    assert_eq!(retried, expected.into());
}
