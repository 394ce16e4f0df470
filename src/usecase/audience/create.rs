use crate::{
    store::{audience, key},
    usecase::{
        EventSubject, Origin, UnitOfWork, UnitsOfWork,
        key::{KeyFailure, KeyMaker},
    },
};
use countersign_domain::{
    audit::EventKind,
    key::{KeySlot, KeyState},
};

/// Creates an audience: a group of backends with its own keys.
#[derive(Clone, Debug)]
pub struct CreateAudience {
    pub work: UnitsOfWork,
    pub key_maker: KeyMaker,
}

impl CreateAudience {
    /// `name` is the name of an audience (`is_audience_name`). Returns whether the audience is new.
    ///
    /// # Errors
    /// When the database does not answer, or a key cannot be sealed.
    #[tracing::instrument(level = "debug", name = "audience.create", skip_all)]
    pub async fn create(&self, origin: &Origin, name: &str) -> Result<bool, KeyFailure> {
        let unit = self.work.begin(origin, origin.tenant()).await?;
        let is_new = self.make(&unit, name).await?;
        if is_new {
            unit.commit().await?;
        }
        Ok(is_new)
    }

    /// The same, in a unit of work of the caller.
    ///
    /// # Errors
    /// When the database does not answer, or a key cannot be sealed.
    pub(in crate::usecase) async fn make(&self, unit: &UnitOfWork<'_>, name: &str) -> Result<bool, KeyFailure> {
        let (tx, tenant) = (unit.db(), unit.tenant());
        let slot = KeySlot::of_audience(tenant, name);
        if !audience::insert(tx, tenant, name, self.key_maker.now()).await? {
            return Ok(false);
        }
        key::insert(tx, tenant, &self.key_maker.make(slot.clone(), None, KeyState::Active)?).await?;
        self.key_maker.stage(tx, &slot, None).await?;
        unit.record(EventKind::AudienceCreated, EventSubject::object(name)).await?;
        unit.announce_keys().await?;
        Ok(true)
    }
}
