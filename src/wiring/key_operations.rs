use crate::usecase::{
    UnitsOfWork,
    audience::{CreateAudience, RegisterAudienceKey},
    key::{Keysmith, RetireKey, RewrapKeys, RotateKeys},
};

/// What an operator does to keys and audiences.
#[derive(Clone, Debug)]
pub struct KeyOperations {
    pub rotate: RotateKeys,
    pub retire: RetireKey,
    pub rewrap: RewrapKeys,
    pub create_audience: CreateAudience,
    pub register_audience_key: RegisterAudienceKey,
}

impl KeyOperations {
    pub(super) fn new(work: &UnitsOfWork, smith: &Keysmith) -> Self {
        let shared = || (work.clone(), smith.clone());
        let (work, smith) = shared();
        let rotate = RotateKeys { work, smith };
        let (work, smith) = shared();
        let retire = RetireKey { work, smith };
        let (work, smith) = shared();
        let rewrap = RewrapKeys { work, smith };
        let (work, smith) = shared();
        let create_audience = CreateAudience { work, smith };
        let (work, smith) = shared();
        let register_audience_key = RegisterAudienceKey { work, smith };
        Self { rotate, retire, rewrap, create_audience, register_audience_key }
    }
}
