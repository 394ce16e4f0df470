use crate::grpc::status;
use countersign_domain::refusal::Reason;
use http::{HeaderMap, Response};
use tonic::{Code, Status, body::Body};

/// Errors that tonic makes by itself know no reason. This gives them one, so that a client sees a single kind of error.
///
/// Only answers without a message are looked at: their status stands in the headers. A status after a message comes from
/// a handler, which has given it a reason already.
pub(super) fn keep(response: Response<Body>, trace_id: &str) -> Response<Body> {
    let Some(status) = Status::from_header_map(response.headers()) else { return response };
    let Some(reason) = reason_for(&status) else { return response };
    if is_about_encoding(&status) {
        return status::compression_unknown(trace_id, status.metadata().clone()).into_http();
    }
    status::of(&reason.into(), trace_id).into_http()
}

fn is_about_encoding(status: &Status) -> bool {
    status.metadata().contains_key("grpc-accept-encoding")
}

fn reason_for(status: &Status) -> Option<Reason> {
    if !status.details().is_empty() {
        return None;
    }
    match status.code() {
        Code::Unimplemented if is_about_encoding(status) => Some(Reason::MalformedRequest),
        Code::Unimplemented => Some(Reason::MethodUnknown),
        // The length is checked before the message is read, and again while it is inflated.
        Code::OutOfRange | Code::ResourceExhausted => Some(Reason::RequestTooLarge),
        // A message that cannot be decoded, or a frame that is cut off, has a forbidden flag, or is missing. What tonic says
        // of it names our fields; what we say does not.
        Code::Internal | Code::Unknown => Some(Reason::MalformedRequest),
        _ => None,
    }
}

/// The code of an answer, for the metrics. A status that follows a message is in the trailers, where errors of unary calls
/// never are.
pub(super) fn code(headers: &HeaderMap) -> &'static str {
    match headers.get("grpc-status").map_or(Code::Ok, |value| Code::from_bytes(value.as_bytes())) {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_without_a_reason_gets_one_and_an_error_with_one_keeps_it() {
        let of = |status: Status| {
            let response = status.into_http::<Body>();
            reason_for(&Status::from_header_map(response.headers()).unwrap())
        };
        assert_eq!(of(Status::out_of_range("too long")), Some(Reason::RequestTooLarge));
        assert_eq!(of(Status::resource_exhausted("inflates to too much")), Some(Reason::RequestTooLarge));
        assert_eq!(of(Status::internal("missing message")), Some(Reason::MalformedRequest));
        assert_eq!(of(Status::unimplemented("")), Some(Reason::MethodUnknown));
        assert_eq!(of(status::of(&Reason::Internal.into(), "")), None);
        assert_eq!(of(Status::not_found("")), None);
    }
}
