use super::{KeyFailure, KeyMaker, key_maker::slot_of};
use crate::{
    keys::MaterialFault,
    store::key,
    usecase::{EventSubject, Origin, UnitsOfWork},
};
use countersign_domain::audit::EventKind;

/// Seals every key under the present key-encryption key, so that the previous one can be removed.
#[derive(Clone, Debug)]
pub struct RewrapKeys {
    pub work: UnitsOfWork,
    pub key_maker: KeyMaker,
}

/// How many keys there are, and how many of them were sealed again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rewrapped {
    pub sealed: usize,
    pub all: usize,
}

impl RewrapKeys {
    /// Seals all keys in one transaction; a second run finds nothing to do. Running replicas are not affected: they do
    /// not open their keys again.
    ///
    /// # Errors
    /// When a key opens under neither key-encryption key, or the database does not answer.
    #[tracing::instrument(level = "debug", name = "key.rewrap", skip_all)]
    pub async fn rewrap(&self, origin: &Origin) -> Result<Rewrapped, KeyFailure> {
        let present = self.key_maker.keks.present().id();
        let unit = self.work.begin(origin, origin.tenant()).await?;
        let rows = key::all_held(unit.db()).await?;
        let mut sealed = 0;
        for row in rows.iter().filter(|row| row.kek_id != present) {
            let slot = slot_of(row).ok_or(MaterialFault::Unreadable("purpose"))?;
            let anew = self.key_maker.material(row, slot)?.seal(&self.key_maker.keks)?;
            let to = (anew.sealed.as_str(), anew.kek_id.as_str());
            sealed += usize::from(key::reseal(unit.db(), row.tenant, &row.id, &row.kek_id, to).await?);
        }
        if sealed > 0 {
            unit.record(EventKind::KeysRewrapped, EventSubject::default()).await?;
        }
        unit.commit().await?;
        Ok(Rewrapped { sealed, all: rows.len() })
    }
}
