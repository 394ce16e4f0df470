use super::{KeyFailure, KeyMaker};
use crate::{
    keys::{HeldKey, KeyRing},
    store::{Store, key, key::KeyMark},
};
use countersign_domain::key::KeyState;
use std::{collections::HashMap, sync::Arc};
use tokio::sync::Mutex;

/// Updates the ring from the database.
#[derive(Clone, Debug)]
pub struct ReloadKeys {
    pub store: Store,
    pub key_maker: KeyMaker,
    pub ring: Arc<KeyRing>,
    /// One reload at a time, so that an older answer of the database never replaces a newer one.
    pub turn: Arc<Mutex<()>>,
}

impl ReloadKeys {
    /// Queries which keys exist, and reads them only if that has changed. Returns whether the ring changed.
    ///
    /// Keys in the ring are not opened again, so a running replica continues while its keys are sealed under another
    /// key-encryption key. A key that does not open is left out; if the ring needs it, the ring stays as it was.
    ///
    /// # Errors
    /// When the database does not answer, or the keys make no ring; the ring stays as it was.
    #[tracing::instrument(level = "debug", name = "key.reload", skip_all)]
    pub async fn reload(&self) -> Result<bool, KeyFailure> {
        let _turn = self.turn.lock().await;
        let held = self.ring.held();
        if is_same(&held, key::marks(&self.store.write()).await?) {
            return Ok(false);
        }
        let known: HashMap<_, _> = held.iter().map(|key| (key.material.id.as_str(), key)).collect();
        let mut keys = Vec::new();
        for row in key::all_held(&self.store.write()).await? {
            match (known.get(row.id.as_str()), KeyState::from_name(&row.state)) {
                (Some(key), Some(state)) => keys.push(key.in_state(state)),
                _ => match self.key_maker.open(&row) {
                    Ok(opened) => keys.extend(opened),
                    // The other keys may have changes that must not wait, such as a revoked key.
                    Err(fault) => tracing::error!(%fault, kid = row.id, "a stored key cannot be used and is left out"),
                },
            }
        }
        self.ring.replace(keys)?;
        tracing::info!("keys were reloaded");
        Ok(true)
    }
}

fn is_same(held: &[HeldKey], mut marks: Vec<KeyMark>) -> bool {
    let mark = |key: &HeldKey| KeyMark { id: key.material.id.clone(), state: key.state.name().to_owned() };
    let mut known: Vec<_> = held.iter().map(mark).collect();
    known.sort();
    marks.sort();
    known == marks
}
