use crate::grpc::{
    refusing::{NOBODY, Refusing},
    status,
};
use countersign_domain::refusal::Reason;
use http::{HeaderMap, Response};
use http_body_util::BodyExt as _;
use tonic::{Code, Status, body::Body};

/// Adds a reason to errors that tonic makes itself, so that a client sees a single kind of error.
///
/// Only answers without a message are checked: their status is in the headers. A status after a message comes from a
/// handler, which has added a reason, or from a standard service: see [`name_end`].
pub(super) fn keep(response: Response<Body>, call: &Refusing<'_>) -> Response<Body> {
    let Some(status) = Status::from_header_map(response.headers()) else { return response };
    if status.code() == Code::Ok || !status.details().is_empty() {
        return response;
    }
    // An error of a standard service, such as a health check of an unknown service.
    let Some(reason) = reason_for(&status) else { return call.pass_on(&status).into_http() };
    if is_about_encoding(&status) {
        return call.refuse_compression(status.metadata().clone()).into_http();
    }
    call.refuse(&reason.into()).into_http()
}

/// Adds the request id to an error that ends a stream of a standard service after its messages, and logs it.
pub(super) fn name_end(response: Response<Body>, call: &Refusing<'_>) -> Response<Body> {
    let (log, rpc) = (call.log.clone(), call.rpc);
    let (request_id, address) = (call.request_id.to_owned(), call.address.to_owned());
    response.map(|body| {
        Body::new(body.map_frame(move |mut frame| {
            if let Some(trailers) = frame.trailers_mut() {
                let call = Refusing { log: &log, rpc, request_id: &request_id, address: &address, caller: NOBODY };
                name_in(trailers, &call);
            }
            frame
        }))
    })
}

fn name_in(trailers: &mut HeaderMap, call: &Refusing<'_>) {
    let Some(status) = Status::from_header_map(trailers) else { return };
    if status.code() != Code::Ok && status.details().is_empty() {
        // The status was read from headers, so it can be written as headers.
        let _ = call.pass_on(&status).add_header(trailers);
    }
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
        // The length is checked before the message is read, and again while it is decompressed.
        Code::OutOfRange | Code::ResourceExhausted => Some(Reason::RequestTooLarge),
        // The message cannot be decoded; or a frame is cut off, has a forbidden flag, or is missing. tonic's text names
        // our fields, so it is replaced.
        Code::Internal | Code::Unknown => Some(Reason::MalformedRequest),
        _ => None,
    }
}

/// The code of an answer, for the metrics. A status after a message is in the trailers; errors of unary calls never
/// are.
pub(super) fn code(headers: &HeaderMap) -> &'static str {
    let code = headers.get("grpc-status").map_or(Code::Ok, |value| Code::from_bytes(value.as_bytes()));
    status::code_name(code)
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
