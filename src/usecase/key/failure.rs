use crate::{
    keys::{MaterialFault, RingFault},
    store::StoreFault,
};
use std::fmt;

/// Why keys could not be prepared or changed.
#[derive(Debug)]
pub enum KeyFailure {
    Store(StoreFault),
    Material(MaterialFault),
    Ring(RingFault),
}

impl fmt::Display for KeyFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(fault) => fault.fmt(f),
            Self::Material(fault) => fault.fmt(f),
            Self::Ring(fault) => fault.fmt(f),
        }
    }
}

impl std::error::Error for KeyFailure {}

impl From<StoreFault> for KeyFailure {
    fn from(fault: StoreFault) -> Self {
        Self::Store(fault)
    }
}

impl From<MaterialFault> for KeyFailure {
    fn from(fault: MaterialFault) -> Self {
        Self::Material(fault)
    }
}

impl From<RingFault> for KeyFailure {
    fn from(fault: RingFault) -> Self {
        Self::Ring(fault)
    }
}
