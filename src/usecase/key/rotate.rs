use super::{KeyFailure, KeyMaker, key_maker::slot_of, recipient_of};
use crate::{
    store::{factor, key, key::SealedKey},
    telemetry,
    usecase::{EventSubject, Origin, UnitsOfWork},
};
use countersign_domain::{
    audit::EventKind,
    key::{KeyFacts, KeyPurpose, KeySlot, KeyState, Publication, Step, due, wait_until_known},
};
use std::time::Duration;

/// Rotates keys that are due, and erases expired keys.
#[derive(Clone, Debug)]
pub struct RotateKeys {
    pub work: UnitsOfWork,
    pub key_maker: KeyMaker,
}

/// The outcome of a rotation that an operator requested.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rotated {
    /// The key of this id issues tokens from now on.
    Done(String),
    /// The next key was published too recently: some verifiers may not have it for this long. Nothing was changed.
    TooSoon { wait: Duration },
    /// The slot has no active key, or another process changed it in the meantime.
    Nothing,
}

impl RotateKeys {
    /// Does what is due for every key. Each step is one transaction with a condition on the state of the key, so of
    /// several replicas at once, one does the step.
    ///
    /// # Errors
    /// When the database does not answer. The steps before are committed.
    #[tracing::instrument(level = "debug", name = "key.rotate_due", skip_all)]
    pub async fn due(&self) -> Result<(), KeyFailure> {
        let rows = key::all(&self.work.read()).await?;
        self.show_ages(&rows);
        for row in &rows {
            let (Some(slot), Some(facts)) = (slot_of(row), facts_of(row, &rows)) else { continue };
            match due(&facts, self.key_maker.now(), &self.key_maker.schedule) {
                Some(Step::Rotate) => {
                    self.rotate(&Origin::service(), &slot, &row.id).await?;
                }
                Some(Step::Forget) => self.forget(&slot, &row.id).await?,
                Some(Step::Purge) => self.purge(&slot, &row.id).await?,
                None => {}
            }
        }
        Ok(())
    }

    /// Activates the successor of a slot's active key, unless the successor was published so recently that a verifier
    /// may still use a copy of the keys without it.
    ///
    /// # Errors
    /// When the database does not answer, or a key cannot be sealed.
    #[tracing::instrument(level = "debug", name = "key.rotate_when_known", skip_all)]
    pub async fn when_known(&self, origin: &Origin, slot: &KeySlot) -> Result<Rotated, KeyFailure> {
        let db = self.work.write();
        let in_state = |state| key::in_state(&db, slot.tenant, slot.purpose, &slot.audience, state);
        let (active, staged) = (in_state(KeyState::Active).await?, in_state(KeyState::Staged).await?);
        if let (Some(active), Some(staged)) = (active, staged) {
            let keys = Publication {
                active_made: active.created_at,
                active_since: active.activated_at.unwrap_or(active.created_at),
                staged_made: staged.created_at,
            };
            if let Some(wait) = wait_until_known(slot.purpose, &keys, self.key_maker.now()) {
                return Ok(Rotated::TooSoon { wait });
            }
        }
        Ok(self.now(origin, slot).await?.map_or(Rotated::Nothing, Rotated::Done))
    }

    /// Activates the successor of a slot's active key at once, even if verifiers do not have it yet. Returns its id;
    /// `None` when the slot has no active key, or another process changed it in the meantime.
    ///
    /// # Errors
    /// When the database does not answer, or a key cannot be sealed.
    #[tracing::instrument(level = "debug", name = "key.rotate", skip_all)]
    pub async fn now(&self, origin: &Origin, slot: &KeySlot) -> Result<Option<String>, KeyFailure> {
        let db = self.work.write();
        let active = key::in_state(&db, slot.tenant, slot.purpose, &slot.audience, KeyState::Active).await?;
        match active {
            Some(active) => self.rotate(origin, slot, &active.id).await,
            None => Ok(None),
        }
    }

    async fn rotate(&self, origin: &Origin, slot: &KeySlot, active: &str) -> Result<Option<String>, KeyFailure> {
        let now = self.key_maker.now();
        let forget_at = self.key_maker.schedule.forget_at(slot.purpose, now);
        let unit = self.work.begin(origin, slot.tenant).await?;
        if !key::retire(unit.db(), slot.tenant, active, now, forget_at).await? {
            return Ok(None);
        }
        let Some(successor) = self.key_maker.succeed(unit.db(), slot).await? else { return Ok(None) };
        unit.record(EventKind::KeyRotated, EventSubject::object(&successor)).await?;
        unit.announce_keys().await?;
        unit.commit().await?;
        telemetry::count_key_rotation(slot.purpose.name());
        tracing::info!(
            purpose = slot.purpose.name(),
            audience = slot.audience,
            from = active,
            to = successor,
            "a key was rotated"
        );
        Ok(Some(successor))
    }

    async fn forget(&self, slot: &KeySlot, id: &str) -> Result<(), KeyFailure> {
        // The secret of a factor lives until its owner removes it: none may be left under the key.
        if slot.purpose == KeyPurpose::Factor && !factor::sealed_under(&self.work.read(), id, None, 1).await?.is_empty()
        {
            return Ok(());
        }
        let origin = Origin::service();
        let unit = self.work.begin(&origin, slot.tenant).await?;
        if key::erase(unit.db(), slot.tenant, id, KeyState::Retiring, self.key_maker.now()).await? {
            unit.announce_keys().await?;
            unit.commit().await?;
            tracing::info!(
                purpose = slot.purpose.name(),
                audience = slot.audience,
                kid = id,
                "an expired key was deleted"
            );
        }
        Ok(())
    }

    /// Deletes the row of a key that was erased long ago.
    async fn purge(&self, slot: &KeySlot, id: &str) -> Result<(), KeyFailure> {
        if key::delete_gone(&self.work.write(), slot.tenant, id).await? {
            telemetry::count_purged("keys", 1);
        }
        Ok(())
    }

    /// Sets the metric of the age of the oldest active key for each purpose.
    fn show_ages(&self, rows: &[SealedKey]) {
        let now = self.key_maker.now();
        for purpose in KeyPurpose::ALL {
            let active =
                rows.iter().filter(|row| row.state == KeyState::Active.name() && row.purpose == purpose.name());
            let ages = active.filter_map(|row| row.activated_at).map(|since| now.since(since));
            telemetry::set_key_age(purpose.name(), ages.max().unwrap_or_default());
        }
    }
}

fn facts_of(row: &SealedKey, all: &[SealedKey]) -> Option<KeyFacts> {
    let slot = slot_of(row)?;
    let successor =
        all.iter().find(|other| other.state == KeyState::Staged.name() && slot_of(other).as_ref() == Some(&slot));
    // The recipient of an unreadable row is unknown.
    let recipients = |other| Some((recipient_of(row).ok()?, recipient_of(other).ok()?));
    let other_kind = successor.filter(|other| recipients(other).is_some_and(|(present, next)| present != next));
    Some(KeyFacts {
        superseded_since: other_kind.map(|other| other.created_at),
        purpose: slot.purpose,
        state: KeyState::from_name(&row.state)?,
        active_since: row.activated_at,
        issued: row.issued,
        forget_at: row.forget_at,
        gone_since: row.gone_at,
    })
}
