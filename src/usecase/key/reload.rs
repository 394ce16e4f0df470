use super::{KeyFailure, KeyMaker};
use crate::{
    keys::{HeldKey, KeyRing},
    store::{Store, key, key::KeyMark},
};
use countersign_domain::key::KeyState;
use std::{collections::HashMap, sync::Arc};
use tokio::sync::Mutex;

/// Brings the ring up to what the database says.
#[derive(Clone, Debug)]
pub struct ReloadKeys {
    pub store: Store,
    pub key_maker: KeyMaker,
    pub ring: Arc<KeyRing>,
    /// One reload at a time, so that an older answer of the database never takes the place of a newer one.
    pub turn: Arc<Mutex<()>>,
}

impl ReloadKeys {
    /// Asks what keys there are and reads them only if that is news. Returns whether the ring changed.
    ///
    /// Keys that are in the ring are not opened again, so a running replica is not disturbed when they are sealed under
    /// another key-encryption key than its own. One that does not open is left out; where the ring cannot do without
    /// it, the ring stays as it was.
    ///
    /// # Errors
    /// When the database does not answer, or the keys make no ring; it stays as it was then.
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
                    // The others may bring news that must not wait, such as a key that counts no more.
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
