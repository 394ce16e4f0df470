//! The table of statuses: the gRPC code, the HTTP status and the advice of each reason.

use crate::usecase::Failure;
use countersign_domain::refusal::{FieldViolation as Violation, Reason, Refusal};
use std::{collections::HashMap, time::Duration};
use tonic::{Code, Status, metadata::MetadataMap};
use tonic_types::{ErrorDetails, FieldViolation, StatusExt as _};

/// The `domain` of every `google.rpc.ErrorInfo`.
pub const DOMAIN: &str = "countersign";

/// What a client should do after a reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Advice {
    FixInput,
    SolveCaptcha,
    LogIn,
    RefreshToken,
    StepUp,
    Retry,
    GiveUp,
}

impl Advice {
    pub fn name(self) -> &'static str {
        match self {
            Self::FixInput => "fix the input",
            Self::SolveCaptcha => "solve a captcha and repeat the call",
            Self::LogIn => "log in again",
            Self::RefreshToken => "refresh",
            Self::StepUp => "reauthenticate and repeat the call",
            Self::Retry => "retry",
            Self::GiveUp => "give up",
        }
    }
}

/// The status of a reason.
#[derive(Clone, Copy, Debug)]
pub struct Line {
    pub code: Code,
    /// The status over plain HTTP.
    pub http: u16,
    pub advice: Advice,
    /// A text for people who read logs. Programs should use the reason.
    pub text: &'static str,
}

const RETRY_AFTER: Duration = Duration::from_secs(1);

/// The line of a reason.
#[expect(clippy::too_many_lines, reason = "a table: one line for each reason")]
pub fn line(reason: Reason) -> Line {
    use Advice::{FixInput, GiveUp, LogIn, RefreshToken, Retry, SolveCaptcha, StepUp};
    let (code, http, advice, text) = match reason {
        Reason::InvalidField => (Code::InvalidArgument, 400, FixInput, "a field has an invalid value"),
        Reason::MalformedRequest => (Code::InvalidArgument, 400, FixInput, "the request cannot be decoded"),
        Reason::RequestTooLarge => (Code::InvalidArgument, 413, FixInput, "the request is too large"),
        Reason::PasswordRejected => (Code::InvalidArgument, 400, FixInput, "the password does not meet the policy"),
        Reason::CurrentPasswordWrong => (Code::InvalidArgument, 400, FixInput, "the current password is wrong"),
        Reason::UsernameTaken => (Code::AlreadyExists, 409, FixInput, "the user name is taken"),
        Reason::EmailTaken => (Code::AlreadyExists, 409, FixInput, "the address is taken"),
        Reason::RequestIdReused => (Code::InvalidArgument, 409, FixInput, "the request id was used for another call"),
        Reason::LinkInvalid => (Code::InvalidArgument, 400, FixInput, "the link is not valid"),
        Reason::LinkExpired => (Code::FailedPrecondition, 410, FixInput, "the link has expired"),
        Reason::LinkUsed => (Code::FailedPrecondition, 410, FixInput, "the link was already used"),
        Reason::CodeInvalid => (Code::InvalidArgument, 400, FixInput, "the code is not valid"),
        Reason::CredentialsInvalid => (Code::Unauthenticated, 401, FixInput, "wrong identifier or password"),
        Reason::TokenMissing => (Code::Unauthenticated, 401, LogIn, "an access token is required"),
        Reason::TokenInvalid => (Code::Unauthenticated, 401, LogIn, "the token is not valid"),
        Reason::TokenExpired => (Code::Unauthenticated, 401, RefreshToken, "the access token has expired"),
        Reason::TokenNotYetValid => {
            (Code::Unavailable, 503, Retry, "the access token is not valid yet: the clocks differ")
        }
        Reason::SessionEnded => (Code::Unauthenticated, 401, LogIn, "the session has ended"),
        Reason::SessionExpired => (Code::Unauthenticated, 401, LogIn, "the session has expired"),
        Reason::RefreshTokenReused => {
            (Code::Unauthenticated, 401, LogIn, "the refresh token was reused; the session has been ended")
        }
        Reason::ReauthenticationRequired => {
            (Code::Unauthenticated, 401, LogIn, "the session may not go on as it is; log in again")
        }
        Reason::RefreshContended => (Code::Aborted, 409, Retry, "another refresh of this session is in progress"),
        // As the verifier answers it: after UNAUTHENTICATED, clients refresh. RFC 9470 section 3 has 401 for HTTP.
        Reason::StepUpRequired => (Code::PermissionDenied, 401, StepUp, "a more recent authentication is required"),
        Reason::ChallengeInvalid => (Code::Unauthenticated, 401, LogIn, "the challenge is not valid; begin again"),
        Reason::FactorNotFound => (Code::NotFound, 404, FixInput, "there is no such factor"),
        Reason::FactorLimitReached => (Code::FailedPrecondition, 409, FixInput, "the account has too many factors"),
        Reason::FactorRequired => (Code::FailedPrecondition, 409, FixInput, "the account must have a factor"),
        Reason::FactorLocked => (Code::FailedPrecondition, 403, FixInput, "codes of apps are locked on this device"),
        Reason::PasskeyInvalid => (Code::InvalidArgument, 400, FixInput, "the passkey is not valid"),
        Reason::PasskeysUnavailable => (Code::FailedPrecondition, 403, GiveUp, "passkeys are not available here"),
        Reason::DeviceNotFound => (Code::NotFound, 404, FixInput, "the account does not remember this device"),
        Reason::AccountDisabled => (Code::PermissionDenied, 403, LogIn, "the account is disabled"),
        Reason::RegistrationClosed => {
            (Code::FailedPrecondition, 403, GiveUp, "registration is closed, or not open to this address")
        }
        Reason::CallerNotAllowed => (Code::PermissionDenied, 403, GiveUp, "the caller may not do this"),
        Reason::OriginNotAllowed => (Code::PermissionDenied, 403, GiveUp, "the origin of the page is not allowed"),
        Reason::SessionNotFound => (Code::NotFound, 404, FixInput, "there is no such session"),
        Reason::TenantUnknown => (Code::InvalidArgument, 400, FixInput, "there is no such tenant"),
        Reason::AudienceUnknown => (Code::InvalidArgument, 400, FixInput, "there is no such audience"),
        Reason::MailNotFound => (Code::NotFound, 404, Retry, "no such mail arrived in time"),
        Reason::MethodUnknown => (Code::Unimplemented, 404, GiveUp, "there is no such method"),
        Reason::DeadlineExceeded => (Code::DeadlineExceeded, 504, Retry, "the deadline was exceeded"),
        Reason::CaptchaRequired => (Code::FailedPrecondition, 403, SolveCaptcha, "a captcha is required"),
        Reason::CaptchaInvalid => (Code::InvalidArgument, 400, SolveCaptcha, "the captcha is not valid"),
        Reason::CaptchaUnavailable => (Code::Unavailable, 503, Retry, "captchas cannot be verified at the moment"),
        Reason::BreachCheckUnavailable => {
            (Code::Unavailable, 503, Retry, "passwords cannot be checked for breaches at the moment")
        }
        Reason::RateLimited => (Code::ResourceExhausted, 429, Retry, "too many calls or attempts"),
        Reason::Overloaded => (Code::ResourceExhausted, 429, Retry, "the service is overloaded"),
        Reason::StoreUnavailable => (Code::Unavailable, 503, Retry, "the database does not answer"),
        Reason::Internal => (Code::Internal, 500, GiveUp, "internal error"),
    };
    Line { code, http, advice, text }
}

/// What a client should do after a reason.
pub(super) fn advice(reason: Reason) -> Advice {
    line(reason).advice
}

/// The error of a failed call. Internal details are left out; `refusing.rs` logs them.
pub(super) fn of(failure: &Failure, trace_id: &str) -> Status {
    match failure {
        Failure::Refused(refusal) => refused(refusal, trace_id),
        Failure::Store(_) | Failure::Broken(_) => refused(&Refusal::from(failure.reason()), trace_id),
    }
}

/// The error of a standard service, with the same details as ours except for a reason.
pub(super) fn named(status: &Status, trace_id: &str) -> Status {
    let mut details = ErrorDetails::new();
    details.set_request_info(trace_id, "");
    Status::with_error_details_and_metadata(status.code(), status.message(), details, status.metadata().clone())
}

/// The name of a code, as the gRPC protocol writes it.
pub(super) fn code_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}

/// The error of a message in an unsupported compression. The gRPC protocol specifies its code, and that `metadata`
/// lists the supported compressions.
pub(super) fn compression_unknown(trace_id: &str, metadata: MetadataMap) -> Status {
    let refusal = Refusal::from(Reason::MalformedRequest);
    let text = "the compression of the message is not supported";
    Status::with_error_details_and_metadata(Code::Unimplemented, text, details(&refusal, trace_id), metadata)
}

fn refused(refusal: &Refusal, trace_id: &str) -> Status {
    let Line { code, text, .. } = line(refusal.reason);
    // Code and text are in the status and in its details: clients that compare both must find the same
    // (`rpc_status.from_call`).
    Status::with_error_details(code, refusal.text.unwrap_or(text), details(refusal, trace_id))
}

fn details(refusal: &Refusal, trace_id: &str) -> ErrorDetails {
    let advice = line(refusal.reason).advice;
    let mut details = ErrorDetails::new();
    let metadata = refusal.metadata.iter().map(|(key, value)| ((*key).to_owned(), value.clone()));
    details.set_error_info(refusal.reason.name(), DOMAIN, metadata.collect::<HashMap<_, _>>());
    if !trace_id.is_empty() {
        details.set_request_info(trace_id, "");
    }
    if !refusal.violations.is_empty() {
        details.set_bad_request(refusal.violations.iter().map(violation).collect::<Vec<_>>());
    }
    if advice == Advice::Retry {
        details.set_retry_info(Some(refusal.retry_after.unwrap_or(RETRY_AFTER)));
    }
    details
}

fn violation(violation: &Violation) -> FieldViolation {
    let mut line = FieldViolation::new(violation.field, violation.description.clone());
    line.reason = violation.reason.to_owned();
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_reason_travels_with_its_name_and_a_text_of_its_own() {
        let mut texts = HashSet::new();
        for reason in Reason::ALL {
            let status = of(&(reason).into(), "abc");
            let details = status.get_error_details();
            let info = details.error_info().unwrap();
            assert_eq!((info.reason.as_str(), info.domain.as_str()), (reason.name(), "countersign"));
            assert_eq!(status.code(), line(reason).code);
            assert!(!status.message().is_empty() && texts.insert(status.message().to_owned()), "{reason:?}");
        }
    }

    #[test]
    fn a_client_is_told_when_to_retry_exactly_where_it_may_retry() {
        for reason in Reason::ALL {
            let told = of(&(reason).into(), "abc").get_error_details().retry_info().is_some();
            assert_eq!(told, line(reason).advice == Advice::Retry, "{reason:?}");
            let refusal = Refusal::from(reason).retry_after(Duration::from_secs(7));
            let wait = refused(&refusal, "").get_error_details().retry_info().and_then(|info| info.retry_delay);
            assert_eq!(wait, told.then_some(Duration::from_secs(7)), "{reason:?}");
        }
    }

    #[test]
    fn every_error_names_its_call() {
        for reason in Reason::ALL {
            let status = of(&Failure::from(reason), "abc");
            let named = status.get_error_details().request_info().map(|info| info.request_id.clone());
            assert_eq!(named, Some("abc".to_owned()), "{reason:?}");
        }
    }

    #[test]
    fn what_a_program_needs_to_know_stands_beside_the_reason() {
        let refusal = Refusal::from(Reason::CaptchaRequired).with_metadata("captcha_provider", "turnstile");
        let details = refused(&refusal, "abc").get_error_details();
        let metadata = details.error_info().unwrap().metadata.clone();
        assert_eq!(metadata, HashMap::from([("captcha_provider".to_owned(), "turnstile".to_owned())]));
    }

    #[test]
    fn what_is_broken_inside_is_not_told_outside() {
        let status = of(&Failure::Broken("the table accounts is on fire".to_owned()), "abc");
        assert_eq!((status.code(), status.message()), (Code::Internal, "internal error"));
        assert!(!String::from_utf8_lossy(status.details()).contains("fire"));
    }
}
