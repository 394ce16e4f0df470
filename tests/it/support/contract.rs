use prost::Message as _;
use tonic::{Request, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

/// The reason of an error, as a client reads it. Checks that the details equal the status: Python's
/// `rpc_status.from_call` throws otherwise.
pub(crate) fn reason(status: &Status) -> String {
    let inner = tonic_types::pb::Status::decode(status.details()).unwrap();
    assert_eq!(
        (inner.code, inner.message.as_str()),
        (status.code() as i32, status.message()),
        "two statements of one fact"
    );
    let details = status.get_error_details();
    let info = details.error_info().unwrap_or_else(|| panic!("an error without a reason: {status:?}"));
    assert_eq!(info.domain, "countersign");
    info.reason.clone()
}

pub(crate) fn details(status: &Status) -> ErrorDetails {
    status.get_error_details()
}

/// After what time the client may try again.
pub(crate) fn retry_after(status: &Status) -> Option<std::time::Duration> {
    status.get_error_details().retry_info().and_then(|info| info.retry_delay)
}

/// Reads a refusal, and fails when the call succeeded.
pub(crate) trait Refused {
    fn reason(self) -> String;
    /// The fields that the error names.
    fn fields(self) -> Vec<String>;
}

impl<T: std::fmt::Debug> Refused for Result<T, Status> {
    fn reason(self) -> String {
        reason(&self.expect_err("the call should have been refused"))
    }

    fn fields(self) -> Vec<String> {
        let status = self.expect_err("the call should have been refused");
        let details = status.get_error_details();
        let bad = details.bad_request().unwrap_or_else(|| panic!("no field is named: {status:?}"));
        bad.field_violations.iter().map(|violation| violation.field.clone()).collect()
    }
}

/// A request with an access token.
pub(crate) fn bearer<T>(token: &str, message: T) -> Request<T> {
    request_with("authorization", &format!("Bearer {token}"), message)
}

/// A request with one line of metadata.
pub(crate) fn request_with<T>(key: &'static str, value: &str, message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.metadata_mut().insert(key, value.parse().unwrap());
    request
}
