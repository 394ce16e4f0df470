//! Failures between the verifier and the service.

use std::{error::Error, fmt};

use tonic::{Code, Status};

/// Why one attempt to reach or to understand the service failed. Contains no text from the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fault {
    /// The service refused the call; a retry changes nothing. Contains the gRPC status code.
    Refused(Code),
    /// The service could not be reached or could not answer. Contains the gRPC status code.
    Unavailable(Code),
    /// It did not answer in time, or sent no heartbeat for longer than it should.
    Silent,
    /// It ended the stream, as at a restart.
    Ended,
    /// Its message is not valid. Says in a few words which part.
    Unreadable(&'static str),
    /// It sent more revocations than this verifier may store.
    TooMany,
}

impl Fault {
    /// Translates the status of a call. Only a decision of the service itself is final.
    pub(crate) fn of(status: &Status) -> Self {
        match status.code() {
            Code::Unauthenticated
            | Code::PermissionDenied
            | Code::InvalidArgument
            | Code::NotFound
            | Code::FailedPrecondition
            | Code::Unimplemented => Self::Refused(status.code()),
            // A message over the limit has this code, and would have it again.
            Code::OutOfRange => Self::Unreadable("a message is too large"),
            code => Self::Unavailable(code),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(code) => write!(f, "the service refused ({code:?})"),
            Self::Unavailable(code) => write!(f, "the service is unavailable ({code:?})"),
            Self::Silent => f.write_str("the service is silent"),
            Self::Ended => f.write_str("the service ended the stream"),
            Self::Unreadable(what) => write!(f, "the service sent an unreadable message: {what}"),
            Self::TooMany => f.write_str("the service sent more revocations than allowed"),
        }
    }
}

impl Error for Fault {}

/// Why a verifier could not be made.
#[derive(Debug)]
#[non_exhaustive]
pub enum ConnectError {
    /// The address does not have the form `https://host:port`.
    BadAddress,
    /// The address is `http://` and not on this machine: the client secret and the keys would travel in clear. See
    /// [`VerifierBuilder::dangerous_plaintext`](crate::VerifierBuilder::dangerous_plaintext).
    Plaintext,
    /// The address is `https://`, and this crate was built without the feature `tls`; or the root certificates are not
    /// valid.
    Tls,
    /// A setting is out of its range. Says which.
    BadSetting(&'static str),
    /// The service does not know these credentials, or they may not make this call.
    CredentialsRefused(Fault),
    /// The credentials are valid, but may not have the keys of this audience, or there is no such audience.
    AudienceRefused(Fault),
    /// Keys and revocations did not arrive in time. Contains the last failure.
    TimedOut(Option<Fault>),
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadAddress => f.write_str("the address is not one of the form https://host:port"),
            Self::Plaintext => f.write_str("the address is http:// and not on this machine"),
            Self::Tls => f.write_str("TLS cannot be used: enable the feature `tls`, and check the root certificates"),
            Self::BadSetting(which) => write!(f, "{which}"),
            Self::CredentialsRefused(fault) => write!(f, "the credentials were refused: {fault}"),
            Self::AudienceRefused(fault) => write!(f, "the keys of the audience were refused: {fault}"),
            Self::TimedOut(None) => f.write_str("the service did not answer in time"),
            Self::TimedOut(Some(fault)) => write!(f, "keys and revocations did not arrive in time: {fault}"),
        }
    }
}

impl Error for ConnectError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::CredentialsRefused(fault) | Self::AudienceRefused(fault) | Self::TimedOut(Some(fault)) => Some(fault),
            _ => None,
        }
    }
}
