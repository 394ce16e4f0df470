//! Encryption under a shared key (`dir`), by josekit.

use josekit::jwe::alg::direct::{DirectJweAlgorithm, DirectJweEncrypter};
use josekit::jwe::{JweContext, JweHeader};

use crate::access::outer;
use crate::encoding::encode;
use crate::fault::IssueFault;
use crate::key::ContentKey;

// No `Debug`: josekit's own would print the content key.
pub(super) struct DirectEncrypter {
    context: JweContext,
    encrypter: DirectJweEncrypter,
    header: JweHeader,
}

impl DirectEncrypter {
    /// Encrypts once as a test.
    pub(super) fn new(key: &ContentKey) -> Result<Self, IssueFault> {
        let pinned = outer::direct(key.id());
        // Members of the JWE header keep the order of the parsed text: josekit builds serde_json with `preserve_order`.
        // The test below would fail if that changed.
        let header = JweHeader::from_bytes(pinned.as_bytes()).map_err(|_| IssueFault::HeaderDrift)?;
        let encrypter = DirectJweAlgorithm::Dir.encrypter_from_bytes(key.reveal()).map_err(|_| IssueFault::BadKey)?;
        let made = Self { context: JweContext::new(), encrypter, header };
        let trial = made.encrypt("").map_err(|_| IssueFault::BadKey)?;
        if trial.split('.').next() == Some(&encode(pinned)) { Ok(made) } else { Err(IssueFault::HeaderDrift) }
    }

    pub(super) fn encrypt(&self, signed: &str) -> Result<String, IssueFault> {
        self.context
            .serialize_compact(signed.as_bytes(), &self.header, &self.encrypter)
            .map_err(|_| IssueFault::Sealing)
    }
}
