use crate::{keys::RingFault, passkeys::PasskeyFault, passwords, store::StoreFault, usecase::key::KeyFailure};
use countersign_domain::{
    action::LinkRefused,
    refusal::{Reason, Refusal},
};
use std::fmt;

/// Why a use case did not succeed.
#[derive(Debug)]
pub enum Failure {
    /// The answer tells the caller why.
    Refused(Refusal),
    /// The database did not answer, or failed.
    Store(StoreFault),
    /// An internal error. The log has the details; the caller gets none.
    Broken(String),
}

impl Failure {
    /// The reason in the answer to the caller.
    pub fn reason(&self) -> Reason {
        match self {
            Self::Refused(refusal) => refusal.reason,
            Self::Store(StoreFault::Unavailable(_)) => Reason::StoreUnavailable,
            Self::Store(_) | Self::Broken(_) => Reason::Internal,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refusal) => refusal.fmt(f),
            Self::Store(fault) => fault.fmt(f),
            Self::Broken(detail) => f.write_str(detail),
        }
    }
}

impl std::error::Error for Failure {}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Reason> for Failure {
    fn from(reason: Reason) -> Self {
        Self::Refused(reason.into())
    }
}

impl From<StoreFault> for Failure {
    fn from(fault: StoreFault) -> Self {
        Self::Store(fault)
    }
}

impl From<RingFault> for Failure {
    fn from(fault: RingFault) -> Self {
        Self::Broken(fault.to_string())
    }
}

impl From<PasskeyFault> for Failure {
    fn from(fault: PasskeyFault) -> Self {
        Self::Broken(fault.to_string())
    }
}

impl From<KeyFailure> for Failure {
    fn from(failure: KeyFailure) -> Self {
        match failure {
            KeyFailure::Store(fault) => fault.into(),
            KeyFailure::Material(_) | KeyFailure::Ring(_) => Self::Broken(failure.to_string()),
        }
    }
}

impl From<LinkRefused> for Failure {
    fn from(refused: LinkRefused) -> Self {
        Self::from(match refused {
            LinkRefused::Invalid => Reason::LinkInvalid,
            LinkRefused::Expired => Reason::LinkExpired,
            LinkRefused::Used => Reason::LinkUsed,
        })
    }
}

impl From<passwords::Refused> for Failure {
    fn from(refused: passwords::Refused) -> Self {
        match refused {
            passwords::Refused::Busy { retry_after } => {
                Refusal::from(Reason::Overloaded).retry_after(retry_after).into()
            }
            // The caller is gone, so nobody reads this answer.
            passwords::Refused::Abandoned => Reason::DeadlineExceeded.into(),
            passwords::Refused::Stopped => Self::Broken("the password hasher has stopped".to_owned()),
        }
    }
}
