use crate::keys::{KeyRing, PublicKeySet};
use std::sync::Arc;

/// Anybody asks for the public keys that access tokens are signed for.
#[derive(Clone, Debug)]
pub struct PublishKeys {
    pub ring: Arc<KeyRing>,
}

impl PublishKeys {
    /// Those of staged, active and retiring keys.
    pub fn publish(&self) -> Arc<PublicKeySet> {
        self.ring.public_keys()
    }
}
