//! Conditions on callers.

use std::time::Duration;

use countersign_token::AccessClaims;
use countersign_verifier::{Claims, Guard, PublicReason, Rejected, StepUp, Verifier};
use tonic_types::StatusExt as _;

use crate::support::{NOW, TENANT, TestClock, claims, offline_keys, token_of};

/// Claims as a verifier makes them.
fn checked(change: impl FnOnce(&mut AccessClaims)) -> Claims {
    let mut wanted = claims("a");
    change(&mut wanted);
    let verifier = Verifier::builder().clock(TestClock::new()).offline(offline_keys()).unwrap();
    verifier.verify(&token_of(&wanted, 1)).unwrap()
}

fn step_up(level: Option<&str>, max_age: Option<u64>) -> Result<(), Rejected> {
    Err(Rejected::StepUp(StepUp { level: level.map(Into::into), max_age }))
}

#[tokio::test(start_paused = true)]
async fn roles_tenants_and_kinds_are_what_they_are() {
    let person = checked(|_| {});
    let service = checked(|claims| claims.level = "service".to_owned());
    for (guard, expected) in [
        (Guard::role("editor"), true),
        (Guard::role("edito"), false),
        (Guard::role("Editor"), false),
        (Guard::role(""), false),
        (Guard::any_role(["admin", "billing"]), true),
        (Guard::any_role(["admin", "root"]), false),
        (Guard::any_role::<&str>([]), false),
        (Guard::tenant(TENANT), true),
        (Guard::tenant("another"), false),
        (Guard::person(), true),
        (Guard::service(), false),
        (Guard::role("editor").and(Guard::tenant(TENANT)).and(Guard::person()), true),
        (Guard::role("editor").and(Guard::tenant("another")), false),
    ] {
        let expected = if expected { Ok(()) } else { Err(Rejected::Forbidden) };
        assert_eq!(person.require(&guard), expected, "{guard:?}");
    }
    assert_eq!(service.require(&Guard::service()), Ok(()));
    assert_eq!(service.require(&Guard::person()), Err(Rejected::Forbidden));
}

#[tokio::test(start_paused = true)]
async fn a_proof_can_be_too_old_or_too_weak() {
    let an_hour_ago = checked(|_| {});
    assert_eq!(an_hour_ago.require(&Guard::authenticated_within(Duration::from_secs(3600))), Ok(()));
    assert_eq!(an_hour_ago.require(&Guard::authenticated_within(Duration::from_secs(3599))), step_up(None, Some(3599)));
    let ahead = checked(|claims| claims.authenticated_at = NOW + 3);
    assert_eq!(ahead.require(&Guard::authenticated_within(Duration::ZERO)), Ok(()));

    for (level, wanted, enough) in [
        ("1", "1", true),
        ("2", "1", true),
        ("1", "2", false),
        ("10", "9", true),
        ("gold", "gold", true),
        ("gold", "1", false),
        ("service", "1", false),
        ("-1", "1", false),
    ] {
        let claims = checked(|claims| claims.level = level.to_owned());
        let expected = if enough { Ok(()) } else { step_up(Some(wanted), None) };
        assert_eq!(claims.require(&Guard::level(wanted)), expected, "{level} for {wanted}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_step_up_asks_for_everything_at_once_and_never_in_vain() {
    let claims = checked(|_| {});
    let fresh = |seconds| Guard::authenticated_within(Duration::from_secs(seconds));
    assert_eq!(claims.require(&fresh(60).and(Guard::level("2")).and(fresh(300))), step_up(Some("2"), Some(60)));
    assert_eq!(claims.require(&fresh(60).and(Guard::role("admin"))), Err(Rejected::Forbidden));
    let status = tonic::Status::from(claims.require(&fresh(60).and(Guard::level("2"))).unwrap_err());
    assert_eq!(status.code(), tonic::Code::PermissionDenied);
    let details = status.get_error_details();
    let info = details.error_info().expect("the details say what is required");
    let metadata = [("acr", "2"), ("max_age_seconds", "60")].map(|(key, value)| (key.to_owned(), value.to_owned()));
    assert_eq!((info.reason.as_str(), info.domain.as_str()), ("STEP_UP_REQUIRED", "countersign"));
    assert_eq!(info.metadata, metadata.into());
    assert!(tonic::Status::from(Rejected::Forbidden).details().is_empty());
}

#[test]
fn the_outside_learns_no_more_than_it_needs() {
    for why in [
        Rejected::Malformed,
        Rejected::NotAuthentic,
        Rejected::UnknownKey,
        Rejected::Expired,
        Rejected::Revoked,
        Rejected::WrongAudience,
        Rejected::WrongTenant,
    ] {
        assert_eq!(
            (why.public_reason(), why.to_string()),
            (PublicReason::Unauthenticated, "unauthenticated".to_owned())
        );
        let status = tonic::Status::from(why);
        assert_eq!((status.code(), status.message()), (tonic::Code::Unauthenticated, "unauthenticated"));
    }
    assert_eq!(tonic::Status::from(Rejected::FeedStale).code(), tonic::Code::Unavailable);
}
