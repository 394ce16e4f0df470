//! What went wrong between the verifier and the service.

use std::{error::Error, fmt};

use tonic::{Code, Status};

/// Why one attempt to reach the service, or to understand it, came to nothing. Holds no text from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fault {
    /// The service knows this caller and says no; asking again changes nothing. Holds the gRPC status code.
    Refused(Code),
    /// The service could not be reached or could not answer. Holds the gRPC status code.
    Unavailable(Code),
    /// It did not answer in time, or the stream fell silent for longer than it ever should.
    Silent,
    /// It ended the stream, as it does when it restarts.
    Ended,
    /// What it said does not make sense. Says in a few words what of it.
    Unreadable(&'static str),
    /// It sent more revocations than this verifier was told to hold.
    TooMany,
}

impl Fault {
    /// Reads a status of a call that only the service's own decision can end for good.
    pub(crate) fn of(status: &Status) -> Self {
        match status.code() {
            Code::Unauthenticated
            | Code::PermissionDenied
            | Code::InvalidArgument
            | Code::NotFound
            | Code::FailedPrecondition
            | Code::Unimplemented => Self::Refused(status.code()),
            // A message over the limit arrives as this, and would again.
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
    /// The address is not one of the form `https://host:port`.
    BadAddress,
    /// The address is `http://` and not on this machine: the client secret and the keys would travel in clear. See
    /// [`VerifierBuilder::dangerous_plaintext`](crate::VerifierBuilder::dangerous_plaintext).
    Plaintext,
    /// The address is `https://`, and this crate was built without the feature `tls`; or the roots cannot be used.
    Tls,
    /// A setting is outside what makes sense. Says which.
    BadSetting(&'static str),
    /// The service does not know these credentials, or they may not do this.
    CredentialsRefused(Fault),
    /// The credentials hold, but they may not have the keys of this audience, or there is no such audience.
    AudienceRefused(Fault),
    /// Keys and revocations did not arrive in time. Holds what was in the way last.
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
