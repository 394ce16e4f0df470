use crate::keys::{KeyRing, PublicKeySet};
use std::sync::Arc;

/// Publishes the public keys that verify access tokens.
#[derive(Clone, Debug)]
pub struct PublishKeys {
    pub ring: Arc<KeyRing>,
}

impl PublishKeys {
    /// The public keys of staged, active and retiring keys.
    pub fn publish(&self) -> Arc<PublicKeySet> {
        self.ring.public_keys()
    }
}
