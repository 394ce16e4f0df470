use crate::{
    store::Store,
    usecase::{
        Journal,
        audience::{CreateAudience, RegisterAudienceKey},
        key::{Announce, Keysmith, RetireKey, RewrapKeys, RotateKeys},
    },
};

/// What an operator does to keys and audiences.
#[derive(Clone, Debug)]
pub struct KeyDesk {
    pub rotate: RotateKeys,
    pub retire: RetireKey,
    pub rewrap: RewrapKeys,
    pub create_audience: CreateAudience,
    pub register_audience_key: RegisterAudienceKey,
}

impl KeyDesk {
    pub(super) fn new(store: &Store, smith: &Keysmith, journal: &Journal, announce: &Announce) -> Self {
        let means = || (store.clone(), smith.clone(), journal.clone(), announce.clone());
        let (store, smith, journal, announce) = means();
        let rotate = RotateKeys { store, smith, journal, announce };
        let (store, smith, journal, announce) = means();
        let retire = RetireKey { store, smith, journal, announce };
        let (store, smith, journal, _) = means();
        let rewrap = RewrapKeys { store, smith, journal };
        let (store, smith, journal, announce) = means();
        let create_audience = CreateAudience { store, smith, journal, announce };
        let (store, smith, journal, announce) = means();
        let register_audience_key = RegisterAudienceKey { store, smith, journal, announce };
        Self { rotate, retire, rewrap, create_audience, register_audience_key }
    }
}
